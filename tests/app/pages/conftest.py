"""Jobs that the Create page's form became."""

from __future__ import annotations

import pytest

from app.storage import gallery


@pytest.fixture
def shipped():
    """The ids of two styles of the gallery."""
    return [style.id for style in gallery.shipped()][:2]


@pytest.fixture
def job_of(client, form):
    """Sends the form and gives the job that it became."""

    def sent(**more):
        answer = client.post("/", data=form(**more))
        assert answer.status_code == 303, answer.text
        return client.application.extensions["jobs"].get(answer.location.rpartition("/")[2])

    return sent


@pytest.fixture
def working(app):
    """Paints while the block lasts."""
    app.extensions["worker"].start()
    yield
    app.extensions["worker"].stop()


@pytest.fixture
def refinement(job_of):
    return job_of(method="gatys", preset="fast")
