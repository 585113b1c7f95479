"""Jobs, results and the fields of the Explore page, as a page's test needs them."""

from __future__ import annotations

import pytest

from app.storage import gallery
from tests.support.explore_page import ExploreFields
from tests.support.stored_results import add_result


@pytest.fixture
def shipped():
    """The ids of two styles of the gallery."""
    return [style.id for style in gallery.shipped()][:2]


@pytest.fixture
def job_of(client, form):
    """Send the form and return the job that it became."""

    def sent(**more):
        answer = client.post("/", data=form(**more))
        assert answer.status_code == 303, answer.text
        return client.application.extensions["jobs"].get(answer.location.rpartition("/")[2])

    return sent


@pytest.fixture
def working(app):
    """Let the worker paint for the length of a test."""
    app.extensions["worker"].start()
    yield
    app.extensions["worker"].stop()


@pytest.fixture
def refinement(job_of):
    return job_of(method="gatys", preset="fast")


@pytest.fixture
def painted(app, photo_png, painting_png):
    """The address of a new result of Ann's: the painting, made of the photo."""

    def added(**more):
        return "/results/" + add_result(app, "ann", photo_png, painting_png, **more)

    return added


@pytest.fixture
def explore_fields(client):
    """Read the fields of the page at an address."""

    def fields(address="/explore") -> ExploreFields:
        answer = client.get(address)
        assert answer.status_code == 200
        return ExploreFields(answer.text)

    return fields


@pytest.fixture
def post_explore(client, form):
    """Post the page's own fields with some changed."""

    def post(fields: ExploreFields, **more):
        kept = {name: text for name, text in fields.values.items() if name not in ("content", "style")}
        return client.post("/explore", data=form(**(kept | more)))

    return post
