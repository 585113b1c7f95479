"""The application itself: health, and one model for all requests."""

from __future__ import annotations

import threading

from app import create_app
from app.settings import Settings
from tests.support.requests import NEGATIVE, URL, error_of, upload


def test_alive_before_ready(client, app, painter):
    hold = painter.hold("warm_up")
    assert client.get("/healthz").json == {"status": "alive"}
    before = client.get("/readyz")
    assert (before.status_code, error_of(before)["code"]) == (503, "not_ready")
    assert before.headers["Retry-After"]
    hold.released.set()
    app.extensions["engine"].run(lambda: None)
    after = client.get("/readyz")
    assert (after.status_code, after.json) == (200, {"status": "ready", "weights": NEGATIVE})


def test_a_load_that_failed_is_tried_anew(client, app, painter, caplog):
    painter.fail_once("warm_up", OSError("no disk today"))
    for status in (503, 503, 200):
        assert client.get("/readyz").status_code == status
        app.extensions["engine"].run(lambda: None)
    assert "no disk today" in caplog.text


def test_the_first_request_warms_the_model_up(new_app, painter):
    hold = painter.hold("warm_up")
    app = new_app(warm_up=True)
    assert not hold.reached.is_set()
    app.test_client().get("/")
    assert hold.reached.wait(10)
    hold.released.set()


def test_a_load_that_hangs_does_not_hold_requests(new_app, painter, form):
    hold = painter.hold("warm_up")
    app = new_app(warm_up=True, patience=0.01)
    answer = app.test_client().post(URL, data=form())
    hold.released.set()
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")
    assert "loading" in answer.json["error"]["message"]


def test_the_real_model_gets_ready(tmp_path):
    app = create_app(Settings(data_dir=tmp_path / "data", worker=False))
    client = app.test_client()
    client.get("/readyz")
    app.extensions["engine"].run(lambda: None)
    assert client.get("/readyz").json["weights"]


def test_two_requests_at_once_get_each_their_own(app, form, painting_png, photo_png):
    answers = {}

    def post(name, photo):
        answers[name] = app.test_client().post(URL, data=form(content=upload(photo))).data

    pairs = {"photo": photo_png, "painting": painting_png}
    threads = [threading.Thread(target=post, args=pair) for pair in pairs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, photo in pairs.items():
        post("alone", photo)
        assert answers[name] == answers["alone"]
    assert answers["photo"] != answers["painting"]
