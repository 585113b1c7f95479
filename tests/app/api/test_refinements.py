"""Refinements over HTTP: what is asked of them, what they begin with, and how they are paused and resumed."""

from __future__ import annotations

import itertools
import time

import pytest

from app.http import context
from app.http.identity import Owner
from app.inputs.submission import submit_refinement
from app.jobs.order import OrderStyle
from model.errors import InvalidOption
from model.options import RefineOptions
from model.pipelines.refine import resolve_options
from model.refinement import encoder_registry
from model.refinement.encoder_registry import SLIM
from tests.support.images import photo_with_secrets
from tests.support.requests import b64, data_url, error_of, pixels, upload, wait_until
from tests.support.stored_results import add_result, sign_in

JOBS = "/api/v1/jobs"


@pytest.fixture
def refine(form):
    """The smallest good form of a refinement, with other fields."""
    return lambda **more: form(method="gatys", **more)


@pytest.fixture
def body(photo_png, painting_png):
    """The same as JSON."""
    return {"content": b64(photo_png), "style": b64(painting_png), "method": "gatys"}


@pytest.fixture
def order(app, client):
    """What was accepted, as the worker will find it."""

    def accepted(**sent):
        answer = client.post(JOBS, **sent)
        assert answer.status_code == 202, answer.text
        return app.extensions["jobs"].get(answer.json["id"]).order

    return accepted


@pytest.fixture
def result(app, client, photo_png, painting_png):
    """The id of a picture that is the client's own: a painting, made of a photo."""
    return add_result(app, sign_in(client, "ann"), photo_png, painting_png)


def test_a_pastiche_unless_told_otherwise(order, form):
    for fields in (form(), form(method="magenta")):
        assert order(data=fields).method == "magenta"


def test_the_options_are_those_of_a_refinement(order, refine, body):
    asked = {"preset": "fast", "content_weight": 0.5, "steps": 7, "size": 100, "seconds": "unlimited"}
    for sent in ({"data": refine(**asked)}, {"json": body | asked}):
        accepted = order(**sent)
        assert (accepted.method, accepted.start) == ("gatys", None)
        assert accepted.options == resolve_options(RefineOptions.parse(asked))


def test_the_encoder_is_settled_when_it_is_accepted(order, refine, monkeypatch):
    monkeypatch.setattr(encoder_registry, "best_available", lambda: SLIM)
    assert order(data=refine()).options.encoder == SLIM


def test_what_a_form_leaves_empty_is_as_the_preset_has_it(order, refine):
    empty = dict.fromkeys(RefineOptions.model_fields.keys() - {"preset"}, "")
    assert order(data=refine(preset="fast", **empty)).options == resolve_options(
        RefineOptions.parse({"preset": "fast"})
    )


@pytest.mark.parametrize(
    "value",
    ["block1_conv1:0.5,block3_conv1", {"block1_conv1": 0.5, "block3_conv1": 1}, ["block1_conv1:0.5", "block3_conv1"]],
)
def test_layers_in_json(order, body, value):
    options = order(json=body | {"style_layers": value}).options
    assert options.style_layers == {"block1_conv1": 0.5, "block3_conv1": 1}


def test_layers_in_a_form(order, refine):
    sent = {
        "content_layers": "block4_conv2",
        "style-layer-block1_conv1": "0.25",
        "style-layer-block2_conv1": "0",
        "style-layer-block3_conv1": "",
        "style-layer-block4_conv1": "0.0",
    }
    options = order(data=refine(**sent)).options
    assert (options.content_layers, options.style_layers) == ({"block4_conv2": 1}, {"block1_conv1": 0.25})


def test_no_layers_are_none_and_not_the_encoders_own(app, client, order, refine, body):
    none = dict.fromkeys((f"style-layer-{layer}" for layer in encoder_registry.get(SLIM).layers), "0")
    for sent in (
        *({"json": body | {"encoder": SLIM, "style_layers": empty}} for empty in ({}, [])),
        {"data": refine(encoder=SLIM, **none)},
    ):
        options = order(**sent).options
        assert (options.style_layers, bool(options.content_layers)) == ({}, True)
        again = client.post(JOBS, json=body | {"encoder": SLIM, "style_layers": {}, "content_layers": {}})
        assert (again.status_code, error_of(again)["field"]) == (422, "style_layers")


def test_weights_of_the_styles(order, refine, body, painting_png):
    two = [upload(painting_png), upload(painting_png)]
    assert order(data=refine(style=two, weights="3,1")).options.weights == [3, 1]
    styles = [{"image": b64(painting_png), "weight": 3}, {"name": "ink", "weight": 1}]
    assert order(json=body | {"style": styles}).options.weights == [3, 1]


@pytest.mark.parametrize("start", ["pastiche", "content", "noise"])
def test_it_begins_with_what_a_word_names(order, refine, body, start):
    for sent in ({"data": refine(start=start)}, {"json": body | {"start": start}}):
        accepted = order(**sent)
        assert (accepted.options.start, accepted.start) == (start, None)


def test_it_begins_with_a_picture_that_is_sent(app, order, refine, body, painting_png):
    texts = [{"json": body | {"start": encoded(painting_png)}} for encoded in (b64, data_url)]
    for sent in ({"data": refine(start=upload(painting_png))}, *texts):
        accepted = order(**sent)
        assert app.extensions["library"].picture(accepted.start) == painting_png
        assert {accepted.start} <= {*accepted.keys()}


def test_the_picture_that_it_begins_with_is_stored_without_metadata(app, order, refine):
    photo = photo_with_secrets()
    stored = app.extensions["library"].picture(order(data=refine(start=upload(photo))).start)
    assert b"SECRET" in photo
    assert b"SECRET" not in stored
    assert (pixels(stored) == pixels(photo)).all()


def test_it_begins_with_a_result(app, order, refine, body, result):
    reference = f"result:{result}"
    painted = app.extensions["library"].result("ann", result).picture
    for sent in ({"data": refine(start=reference)}, {"json": body | {"start": reference}}):
        assert order(**sent).start == painted


def test_it_begins_with_what_an_earlier_one_began_with(app, client, order, refine, body, painting_png):
    sign_in(client, "ann")
    earlier = client.post(JOBS, data=refine(start=upload(painting_png))).json["id"]
    began = app.extensions["jobs"].get(earlier).order.start
    for sent in ({"data": refine(start=f"job:{earlier}")}, {"json": body | {"start": f"job:{earlier}"}}):
        assert order(**sent).start == began
    plain = client.post(JOBS, data=refine()).json["id"]
    stranger = app.test_client()
    sign_in(stranger, "bob")
    for who, id in ((stranger, earlier), (app.test_client(), earlier), (client, plain), (client, "nothing")):
        answer = who.post(JOBS, data=refine(start=f"job:{id}"))
        assert (answer.status_code, error_of(answer)["field"]) == (422, "start")
        assert "not here any more" in error_of(answer)["message"]


def test_a_file_takes_the_place_of_a_word(app, order, refine, painting_png):
    accepted = order(data=refine(start=["noise", upload(painting_png)]))
    assert (accepted.options.start, app.extensions["library"].picture(accepted.start)) == ("pastiche", painting_png)


def test_nobodys_key_tells_one_start_from_another(app, refine, photo_png, painting_png):
    def id(**fields):
        return app.test_client().post(JOBS, data=refine(**fields), headers={"Idempotency-Key": "1"}).json["id"]

    first = id(start=upload(photo_png))
    assert id(start=upload(photo_png)) == first
    assert id(start=upload(painting_png)) != first
    assert id() != first


def test_a_result_goes_on_from_its_picture(app, client, photo_png, painting_png):
    library, owner = app.extensions["library"], Owner(sign_in(client, "ann"))
    styles = [
        OrderStyle(name="Mine", picture=library.put_picture("ann", painting_png)),
        OrderStyle(name="Ink", shipped="ink"),
    ]
    id = add_result(app, "ann", photo_png, painting_png, styles=styles, weights=[3, 1], strength=0.7, size=64)
    found = library.result("ann", id)
    with app.test_request_context():
        job = submit_refinement(context.for_owner(owner), found, RefineOptions.parse({"preset": "fast", "size": 128}))
    assert (job.owner, job.state, job.method, job.open) == ("ann", "queued", "gatys", False)
    order = job.order
    assert (order.start, order.content, order.styles) == (found.picture, found.order["content"], styles)
    assert (order.options.weights, order.options.strength) == ([3, 1], 0.7)
    assert (order.options.size, order.options.steps, order.options.encoder) == (128, 50, SLIM)


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        ({"masks": ["everywhere"], "region_strengths": [0.5]}, True),
        ({"masks": ["everywhere"], "region_styles": [2]}, True),
        ({"masks": ["everywhere", "everywhere"]}, True),  # the styles in turn
        ({"masks": ["everywhere"], "strength": 0.7}, False),
        ({}, False),
    ],
)
def test_a_refinement_keeps_the_brush_and_says_what_it_cannot(app, client, photo_png, options, lost):
    styles = [OrderStyle(name=name, shipped=name) for name in ("ink", "flow")]
    id = add_result(app, "ann", photo_png, styles=styles, style_scale=2, **options)
    with app.test_request_context():
        order = submit_refinement(
            context.for_owner(Owner("ann")), app.extensions["library"].result("ann", id), RefineOptions()
        ).order
    assert order.options.style_scale == 2
    assert ["regions" in note for note in order.notes] == [True] * lost


def test_a_result_whose_photo_is_gone_is_refined_over_its_copy(app, client, photo_png, result):
    library = app.extensions["library"]
    found = library.result("ann", result)
    library._blobs._store.delete(found.order["content"])
    with app.test_request_context():
        job = submit_refinement(context.for_owner(Owner("ann")), found, RefineOptions())
    assert job.order.content == found.before


def test_what_was_painted_after_numbers_is_not_refined(app, client, photo_png, painting_png):
    own = client.post(
        "/api/v1/styles", data={"picture": upload(painting_png), "name": "Numbers", "keep": "vector"}
    ).json
    file = client.get(own["vector"]).data
    styles = [OrderStyle(name="Numbers", picture=app.extensions["library"].put_picture("ann", file))]
    id = add_result(app, "ann", photo_png, styles=styles)
    with app.test_request_context(), pytest.raises(InvalidOption) as refused:
        submit_refinement(context.for_owner(Owner("ann")), app.extensions["library"].result("ann", id), RefineOptions())
    assert refused.value.field == "style"


@pytest.fixture
def working(new_app):
    return new_app(worker=True).test_client()


def until(client, id, *states, seconds=20):
    """The job, once it is in one of `states`."""
    deadline = time.monotonic() + seconds
    while (job := client.get(f"{JOBS}/{id}").json)["state"] not in states and time.monotonic() < deadline:
        time.sleep(0.05)
    assert job["state"] in states, job
    return job


def test_painted_and_its_losses_told(working, refine, photo_png):
    accepted = working.post(JOBS, data=refine(size="128", steps="30")).json
    assert (accepted["method"], accepted["losses"], accepted["pausing"]) == ("gatys", [], False)
    job = until(working, accepted["id"], "done")
    assert job["losses"][-1].keys() == {"step", "loss", "content", "style", "variation"}
    assert [row["step"] for row in job["losses"]] == sorted({row["step"] for row in job["losses"]})
    assert job["losses"][-1]["step"] == 30
    answer = working.get(job["result"])
    assert abs(pixels(answer.data) - (255 - pixels(photo_png).astype(int))).max() <= 1


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_the_result_comes_in_the_format_that_was_asked_for(working, refine, format):
    job = until(working, working.post(JOBS, data=refine(steps="2", size="100", format=format)).json["id"], "done")
    assert working.get(job["result"]).mimetype == f"image/{format}"


def test_its_notes_are_told(app, client, photo_png, painting_png):
    owner = sign_in(client, "ann")
    told = [add_result(app, owner, photo_png, painting_png, method="gatys", notes=notes) for notes in (["Late."], [])]
    assert [client.get(f"{JOBS}/{id}").json["notes"] for id in told] == [["Late."], []]


def test_what_is_not_done_has_no_notes(client, refine):
    assert client.post(JOBS, data=refine()).json["notes"] == []


def test_a_pastiche_has_no_losses(working, form):
    job = until(working, working.post(JOBS, data=form()).json["id"], "done")
    assert (job["method"], job["losses"]) == ("magenta", None)


def test_paused_while_it_waits(client, refine, form):
    id = client.post(JOBS, data=refine()).json["id"]
    for _ in range(2):
        answer = client.post(f"{JOBS}/{id}/pause")
        assert (answer.status_code, answer.json["state"], answer.json["result"]) == (200, "paused", None)
    assert client.get(f"{JOBS}/{id}/result").json["error"]["code"] == "not_done"
    for _ in range(2):
        answer = client.post(f"{JOBS}/{id}/resume")
        assert (answer.status_code, answer.json["state"]) == (200, "queued")


def test_paused_while_it_runs_and_gone_on_with(working, painter, refine):
    painter.pause = 0.05
    id = working.post(JOBS, data=refine(steps="1000", size="100")).json["id"]
    wait_until(lambda: working.get(f"{JOBS}/{id}").json["step"])
    told = working.post(f"{JOBS}/{id}/pause").json
    assert told["state"] == "paused" or told["pausing"]
    paused = until(working, id, "paused")
    assert (paused["pausing"], paused["result"]) == (False, None)
    assert paused["losses"]
    painter.pause = 0
    working.post(f"{JOBS}/{id}/resume")
    job = until(working, id, "done")
    assert job["result"]
    resumed = [call.arguments["resume"] for call in painter.calls_of("refine")]
    assert resumed[0] is None
    assert resumed[-1].step >= paused["losses"][-1]["step"] > 0
    assert job["notes"] == [f"It was paused after step {resumed[-1].step} and went on from there."]


def test_what_has_ended_stays_as_it_is(client, refine):
    id = client.post(JOBS, data=refine()).json["id"]
    client.delete(f"{JOBS}/{id}")
    for action in ("pause", "resume"):
        answer = client.post(f"{JOBS}/{id}/{action}")
        assert (answer.status_code, answer.json["state"]) == (200, "cancelled")


def test_a_pastiche_is_not_paused(client, form):
    id = client.post(JOBS, data=form()).json["id"]
    for action in ("pause", "resume"):
        answer = client.post(f"{JOBS}/{id}/{action}")
        assert (answer.status_code, error_of(answer)["field"]) == (422, "id")


def test_anothers_refinement_is_as_none(app, refine):
    mine, other = app.test_client(), app.test_client()
    mine.get("/history")  # brings the cookie
    id = mine.post(JOBS, data=refine()).json["id"]
    for client, action in itertools.product((other, app.test_client()), ("pause", "resume")):
        answer = client.post(f"{JOBS}/{id}/{action}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
        assert client.post(f"{JOBS}/{'0' * 32}/{action}").json == answer.json
    assert mine.get(f"{JOBS}/{id}").json["state"] == "queued"


def test_a_full_queue_resumes_none(new_app, refine):
    client = new_app(jobs=1).test_client()
    id = client.post(JOBS, data=refine()).json["id"]
    client.post(f"{JOBS}/{id}/pause")
    assert client.post(JOBS, data=refine()).status_code == 202
    answer = client.post(f"{JOBS}/{id}/resume")
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")
    assert client.get(f"{JOBS}/{id}").json["state"] == "paused"
