"""Who sends a request, and whose jobs it may see: its own, and open ones."""

from __future__ import annotations

import pytest

from app.failures import Missing
from app.http import context
from app.http.identity import Owner
from tests.support.requests import upload


def test_a_caller_with_and_without_an_owner(app):
    with app.test_request_context():
        of_ann, of_nobody = context.for_owner(Owner("ann")), context.for_owner(None)
        settings = context.settings()
    assert of_ann.require_owner() == "ann"
    with pytest.raises(Missing):
        of_nobody.require_owner()
    assert of_ann.limits == settings.picture_limits
    assert (of_ann.library, of_ann.jobs) == (app.extensions["library"], app.extensions["jobs"])


def test_jobs_are_read_by_their_owner_and_open_ones_by_all(app, ann, bob, form, photo_png):
    own = ann.post("/api/v1/jobs", data=form()).json["id"]
    open_to_all = app.test_client().post("/api/v1/jobs", data=form(content=upload(photo_png))).json["id"]
    for client, id, status in (
        *((ann, own, 200), (bob, own, 404), (app.test_client(), own, 404)),
        *((ann, open_to_all, 200), (app.test_client(), open_to_all, 200)),
    ):
        assert client.get(f"/api/v1/jobs/{id}").status_code == status
    assert ann.get(f"/jobs/{own}").status_code == 200
    for client, id in ((bob, own), (ann, open_to_all)):
        assert client.get(f"/jobs/{id}").status_code == 404  # pages are for owners
