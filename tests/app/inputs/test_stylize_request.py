"""Options of a request: outside their limits, unknown, or of another method; each refusal names its field."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage

from app.http import context
from app.inputs.bodies import FormBody, JsonBody
from app.inputs.stylize_request import StylizeRequest
from model.errors import InvalidOption
from model.refinement import encoder_registry
from model.refinement.encoder_registry import SLIM
from tests.support.requests import URL, b64, error_of, refusal, upload
from tests.support.stored_results import add_result, sign_in

DOORS = [URL, "/api/v1/jobs"]
MANY = "1" * 400  # digits


def copied(value):
    """The test client closes what it sends."""
    if isinstance(value, list):
        return [copied(each) for each in value]
    return upload(value[0].getvalue(), value[1]) if isinstance(value, tuple) else value


def flat(shape):
    file = io.BytesIO()
    Image.new("RGB", shape, "teal").save(file, "PNG")
    return upload(file.getvalue())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strength", "1.6"),
        ("strength", "nan"),
        ("strength", "strong"),
        ("strength", ["1", "0"]),
        ("size", ""),
        ("size", "31"),
        ("size", "32769"),
        ("size", "1e9"),
        ("format", "gif"),
        ("quality", "0"),
        ("weights", "1,2"),
        ("weights", "-1"),
        ("weights", "0"),
        ("sizes", "100"),
        ("content", "text"),
        ("style", "no such style"),
        ("style", "x" * 5000),
        ("weight-own", "-1"),
        ("weight-own", "much"),
        ("weight-own", "0"),
    ],
)
def test_option_outside_its_limits(client, form, field, value):
    fields = form(**({field: value} if field not in ("content", "style") else {}))
    if field in ("content", "style"):
        fields[field] = [fields[field], value]
    at_fault = "weights" if field == "weight-own" else field
    for door in DOORS:
        fresh = {name: copied(value) for name, value in fields.items()}
        assert refusal(client.post(door, data=fresh)) == (422, "invalid_option", at_fault)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "fast"),
        ("method", ""),
        ("method", ["gatys", "gatys"]),
        ("preset", "quick"),
        ("encoder", "alexnet"),
        ("content_layers", "block9_conv9"),
        ("content_layers", "block4_conv2:2"),
        ("content_layers", "block4_conv2:much"),
        ("style_layers", "mixed3"),
        ("style_layers", "block1_conv1:-1"),
        ("style_layers", "block1_conv1:nan"),
        ("content_weight", "-1"),
        ("content_weight", "inf"),
        ("content_weight", MANY),
        ("style_weight", "nan"),
        ("style_weight", "1e10"),
        ("variation_weight", "-0.1"),
        ("variation_weight", "smooth"),
        ("loss", "huber"),
        ("optimizer", "sgd"),
        ("rate", "0"),
        ("rate", "1.1"),
        ("steps", "0"),
        ("steps", "10001"),
        ("steps", "1.5"),
        ("steps", MANY),
        ("seconds", "0"),
        ("seconds", "86401"),
        ("seconds", "nan"),
        ("size", "99"),
        ("size", "2049"),
        ("size", "own"),
        ("start", "photo"),
        ("start", ["noise", "content"]),
        ("start", "result:" + "0" * 32),
        ("start", "result:../../etc/passwd"),
        ("start", "result:\0"),
        ("seed", "-1"),
        ("seed", "1e9"),
        ("style_scale", "0.2"),
        ("style_scale", "5"),
        ("scales", "0"),
        ("scales", "9"),
        ("average", "1"),
        ("patience", "-1"),
        ("patience", "1001"),
        ("strength", "1.5"),
        ("strength", "-inf"),
        ("weights", "1,2"),
        ("weights", "0"),
        ("weights", "1_0"),
        ("format", "gif"),
        ("quality", "101"),
        ("colour", "red"),
        ("blend", ""),
    ],
)
def test_option_of_a_refinement_outside_its_limits(client, form, field, value):
    for door in DOORS if field == "method" else DOORS[1:]:
        answer = client.post(door, data=form(**({"method": "gatys", "encoder": SLIM} | {field: value})))
        assert refusal(answer) == (422, "invalid_option", field)
        assert len(answer.json["error"]["message"]) > 20


@pytest.mark.parametrize("number", [True, None, [1], {"a": 1}, "1_0", "", 1e400])
@pytest.mark.parametrize("field", ["content_weight", "steps", "seconds", "size", "rate", "strength"])
def test_what_is_no_number_in_json(client, photo_png, field, number):
    body = {"content": b64(photo_png), "style": "mosaic", "method": "gatys", field: number}
    if number == 1e400:
        text = json.dumps(body | {field: 0}).replace(f'"{field}": 0', f'"{field}": 1e400')
        answer = client.post(DOORS[1], data=text, content_type="application/json")
    else:
        answer = client.post(DOORS[1], json=body)
    assert refusal(answer) == (422, "invalid_option", field)


@pytest.mark.parametrize(
    "value", [None, 7, True, [[1]], {"block1_conv1": None}, {"block1_conv1": "nan"}, {"": 1}, {}, []]
)
@pytest.mark.parametrize("field", ["content_layers", "style_layers"])
def test_what_are_no_layers_in_json(client, photo_png, field, value):
    body = {"content": b64(photo_png), "style": "mosaic", "method": "gatys", "encoder": SLIM}
    other = {"content_layers": "style_weight", "style_layers": "content_weight"}[field]  # so that this one must count
    assert refusal(client.post(DOORS[1], json=body | {field: value, other: 0})) == (422, "invalid_option", field)


def test_unknown_layers_are_told_the_right_ones(client, form):
    for encoder in (SLIM, "inception_v3"):
        for field in ("content_layers", "style_layers"):
            answer = client.post(DOORS[1], data=form(method="gatys", encoder=encoder, **{field: "conv1:1"}))
            assert refusal(answer) == (422, "invalid_option", field)
            for layer in encoder_registry.get(encoder).layers[:6]:
                assert layer in answer.json["error"]["message"]


def test_all_of_many_layers_are_told(client, form):
    answer = client.post(DOORS[1], data=form(method="gatys", encoder="densenet121", style_layers="x" * 5000))
    assert ", ".join(encoder_registry.get("densenet121").layers) in error_of(answer)["message"]
    assert len(answer.data) < 2000


@pytest.mark.parametrize(("encoder", "size"), [(SLIM, "100"), ("inception_v3", "256")])
def test_a_picture_too_narrow_for_its_encoder(app, client, form, photo_png, encoder, size):
    """Of the photo's pixels only their proportions count."""
    for shape in ((512, 128), (128, 512)):
        answer = client.post(DOORS[1], data=form(method="gatys", encoder=encoder, size=size, content=flat(shape)))
        assert refusal(answer) == (422, "invalid_option", "size")
        assert encoder in answer.json["error"]["message"]
        assert client.post(DOORS[1], data=form(content=flat(shape), size=size)).status_code == 202
        larger = form(method="gatys", encoder=encoder, size="400", content=flat(shape))
        assert client.post(DOORS[1], data=larger).status_code == 202
    id = add_result(app, sign_in(client, "ann"), flat((512, 128))[0].getvalue(), size=64)
    answer = client.post(f"/results/{id}/refine", headers={"Accept": "application/json"})
    assert answer.status_code == 303  # larger than it has to be


def test_a_result_too_narrow_to_be_refined(app, client):
    id = add_result(app, sign_in(client, "ann"), flat((512, 20))[0].getvalue())
    answer = client.post(f"/results/{id}/refine", headers={"Accept": "application/json"})
    assert refusal(answer) == (422, "invalid_option", "size")
    assert app.extensions["jobs"].of_owner("ann")[0].id == id


@pytest.mark.parametrize("shape", [(128, 90), (96, 128)])
def test_a_start_of_other_proportions(app, client, form, photo_png, shape):
    """The photo is 128 x 96."""
    start = flat(shape)[0].getvalue()
    body = {"content": b64(photo_png), "style": "mosaic", "method": "gatys", "start": b64(start)}
    for sent in ({"data": form(method="gatys", start=upload(start))}, {"json": body}):
        assert refusal(client.post(DOORS[1], **sent)) == (422, "invalid_option", "start")
    for same in ((256, 192), (127, 96)):
        assert client.post(DOORS[1], data=form(method="gatys", start=flat(same))).status_code == 202


def test_something_must_count(client, form):
    answer = client.post(DOORS[1], data=form(method="gatys", content_weight="0", style_weight="0"))
    assert refusal(answer) == (422, "invalid_option", "style_weight")
    none = {"style-layer-block1_conv1": "0", "style-layer-block2_conv1": ""}
    answer = client.post(DOORS[1], data=form(method="gatys", content_weight="0", **none))
    assert refusal(answer) == (422, "invalid_option", "style_layers")


@pytest.mark.parametrize("field", ["content", "style"])
def test_layers_given_twice_or_outside_their_limits(client, form, field):
    def sent(**more):
        return client.post(DOORS[1], data=form(method="gatys", encoder=SLIM, **more))

    each = f"{field}-layer-block4_conv2"
    for more in ({f"{field}_layers": "block1_conv1", each: "1"}, {each: "2"}, {each: "much"}, {each: ["1", "1"]}):
        assert refusal(sent(**more)) == (422, "invalid_option", f"{field}_layers")
    assert refusal(sent(**{f"{field}-layer-mixed3": "1"})) == (422, "invalid_option", f"{field}_layers")


@pytest.mark.parametrize("field", ["steps", "preset", "start", "content-layer-block4_conv2", "style_layers"])
def test_a_pastiche_has_no_options_of_a_refinement(client, form, field):
    for method in ({}, {"method": "magenta"}):
        assert refusal(client.post(DOORS[1], data=form(**method, **{field: "1"}))) == (422, "invalid_option", field)


def test_a_refinement_is_a_job(client, form, photo_png):
    body = {"content": b64(photo_png), "style": "mosaic", "method": "gatys"}
    for sent in ({"data": form(method="gatys")}, {"json": body}):
        answer = client.post(URL, **sent)
        assert refusal(answer) == (422, "too_long", "method")
        assert "/api/v1/jobs" in answer.json["error"]["message"]


def test_a_form_is_told_so_without_a_wait(app, client, form, monkeypatch):
    def never(work):
        raise AssertionError("It took a turn.")

    monkeypatch.setattr(app.extensions["engine"], "run", never)
    assert refusal(client.post(URL, data=form(method="gatys"))) == (422, "too_long", "method")
    page = client.post("/", data=form(method="gatys", no_store="yes"), headers={"Accept": "application/json"})
    assert refusal(page) == (422, "invalid_option", "no_store")


def test_json_is_told_so_before_its_pictures_are_looked_at(client):
    answer = client.post(URL, json={"content": "nothing", "style": "mosaic", "method": "gatys", "steps": "many"})
    assert refusal(answer) == (422, "too_long", "method")


def test_a_refinement_takes_paintings(client, form, photo_png, painting_png):
    keep = {"picture": upload(painting_png), "name": "Numbers", "keep": "vector"}
    file = client.get(client.post("/api/v1/styles", data=keep).json["vector"]).data
    refine = {"content": b64(photo_png), "method": "gatys"}
    for style in ("Numbers", upload(file), ["ink", upload(file)]):
        answer = client.post(DOORS[1], data=form(method="gatys", style=style))
        assert refusal(answer) == (422, "invalid_option", "style")
        assert "painting" in answer.json["error"]["message"]
    for style in ("Numbers", b64(file), [{"name": "ink"}, {"name": "Numbers"}]):
        assert refusal(client.post(DOORS[1], json=refine | {"style": style})) == (422, "invalid_option", "style")


@pytest.mark.parametrize("method", [None, 1, "", "gatys ", ["gatys"], {"a": 1}])
def test_methods_in_json(client, photo_png, method):
    answer = client.post(DOORS[1], json={"content": b64(photo_png), "style": "mosaic", "method": method})
    assert refusal(answer) == (422, "invalid_option", "method")


def test_options_in_the_address(client, form, photo_png, painting_png):
    body = {"content": b64(photo_png), "style": b64(painting_png)}
    for sent in ({"data": form()}, {"json": body}):
        assert refusal(client.post(f"{URL}?size=64&strength=1", **sent)) == (422, "invalid_option", "size")


def test_parameters_are_refused_before_a_picture_is_decoded(client, form, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    assert refusal(client.post(URL, data=form(size="0")))[2] == "size"


class Unreadable(io.BytesIO):
    """A file that nobody may read yet."""

    def read(self, *_: int) -> bytes:
        raise AssertionError("It was read.")


def test_what_a_form_shows_is_refused_before_its_files_are_read(app):
    files = {name: [FileStorage(Unreadable(), "picture.png")] for name in ("content", "style")}
    with app.test_request_context():
        caller = context.for_owner(None)
    with pytest.raises(InvalidOption):
        StylizeRequest.parse(FormBody({"size": ["0"]}, files), caller)
    parsed = StylizeRequest.parse(FormBody({"size": ["64"]}, files), caller)
    with pytest.raises(AssertionError):
        parsed.read()


def test_parsed_and_read(app, photo_png, painting_png):
    """Neither step takes a request: what it takes of the server is passed in."""
    files = {"content": [FileStorage(io.BytesIO(photo_png), "My cat.png")]}
    with app.test_request_context():
        caller = context.for_owner(None)
    form = StylizeRequest.parse(FormBody({"style": ["mosaic"], "size": ["64"]}, files), caller).read()
    assert (form.content, form.content_name, form.method, form.start, form.masks) == (
        photo_png,
        "My-cat",
        "magenta",
        None,
        [],
    )
    assert ([style.id for style in form.styles], form.options.size) == (["mosaic"], 64)
    fields = {"content": b64(photo_png), "style": b64(painting_png), "method": "gatys", "start": b64(photo_png)}
    refinement = StylizeRequest.parse(fields, caller).read()
    assert (refinement.method, refinement.start, refinement.content_name) == ("gatys", photo_png, "photo")
    assert [style.source for style in refinement.styles] == [painting_png]


def test_json_is_not_loaded_before_its_turn(client, app, photo_png, monkeypatch):
    """Its objects take memory, which only the number of turns bounds."""
    loaded, engine = [], app.extensions["engine"]
    monkeypatch.setattr(JsonBody, "load", lambda body: loaded.append(body) or {})

    def run(work):
        assert not loaded
        return work()

    monkeypatch.setattr(engine, "run", run)
    for door in (URL, "/api/v1/sheet"):
        loaded.clear()
        assert refusal(client.post(door, json={"content": b64(photo_png)})) == (422, "invalid_option", "content")
        assert loaded
