"""Every refusal: status, code, field at fault, one shape, nothing from inside the server."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from app.inputs import bodies
from app.settings import Settings
from model.errors import DeviceUnavailable, WeightsMissing
from model.refinement import encoder_registry
from model.refinement.encoder_registry import SLIM
from tests.support.requests import URL, b64, error_of, refusal, upload, wait_until
from tests.support.stored_results import add_result, sign_in

DOORS = [URL, "/api/v1/jobs"]
NOT_A_PICTURE = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def copied(value):
    """The test client closes what it sends."""
    if isinstance(value, list):
        return [copied(each) for each in value]
    return upload(value[0].getvalue(), value[1]) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strength", "1.5"),
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


MANY = "1" * 400  # digits


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


def flat(shape):
    file = io.BytesIO()
    Image.new("RGB", shape, "teal").save(file, "PNG")
    return upload(file.getvalue())


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


def test_an_encoder_that_cannot_be_fetched(new_app, painter, form):
    """The same order would fail the same way, so it is tried once."""
    painter.fail("refine", WeightsMissing("Put xception.h5 into /secret/folder.", "encoder"))
    client = new_app(worker=True).test_client()
    job = client.post(DOORS[1], data=form(method="gatys", encoder="xception")).json
    wait_until(lambda: client.get(f"{DOORS[1]}/{job['id']}").json["state"] == "failed")
    assert client.get(f"{DOORS[1]}/{job['id']}").json["error"] == {
        "code": "encoder_unavailable",
        "message": "The weights of the encoder that was asked for could not be fetched. Choose another one, such as "
        "vgg19-slim.",
        "field": "encoder",
    }
    assert len(painter.calls_of("refine")) == 1


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


def test_a_start_that_is_no_picture(client, form, photo_png):
    def sent(start):
        return client.post(DOORS[1], data=form(method="gatys", start=start))

    assert refusal(sent(upload(NOT_A_PICTURE))) == (415, "unsupported_image", "start")
    assert refusal(sent([upload(photo_png), upload(photo_png)])) == (422, "invalid_option", "start")
    assert refusal(client.post(DOORS[1], data=form(start=upload(photo_png)))) == (422, "invalid_option", "start")


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (None, 422),
        (7, 422),
        (["noise"], 422),
        ({"image": "AAAA"}, 422),
        ("", 422),
        ("photo", 422),
        ("AAAA", 422),
        ("result:" + "0" * 32, 422),
        ("http://127.0.0.1/picture-that-is-nowhere-to-be-found.png", 422),
        ("data:image/png;base64,A", 400),
        ("A" * 400, 415),
    ],
)
def test_starts_in_json(client, photo_png, start, status):
    answer = client.post(
        DOORS[1], json={"content": b64(photo_png), "style": "mosaic", "method": "gatys", "start": start}
    )
    assert (answer.status_code, error_of(answer)["field"]) == (status, "start")


def test_anothers_result_is_no_start(app, client, form, photo_png):
    id = add_result(app, sign_in(app.test_client(), "ann"), photo_png)
    body = {"content": b64(photo_png), "style": "mosaic", "method": "gatys", "start": f"result:{id}"}
    sign_in(client, "bob")
    for stranger in (client, app.test_client()):
        for sent in ({"data": form(method="gatys", start=f"result:{id}")}, {"json": body}):
            answer = stranger.post(DOORS[1], **sent)
            assert refusal(answer) == (422, "invalid_option", "start")


@pytest.mark.parametrize("method", [None, 1, "", "gatys ", ["gatys"], {"a": 1}])
def test_methods_in_json(client, photo_png, method):
    answer = client.post(DOORS[1], json={"content": b64(photo_png), "style": "mosaic", "method": method})
    assert refusal(answer) == (422, "invalid_option", "method")


@pytest.mark.parametrize("field", ["content", "style"])
def test_missing_and_empty_pictures(client, form, field):
    for value in (None, upload(b"", "")):
        assert refusal(client.post(URL, data=form(**{field: value}))) == (422, "invalid_option", field)


def test_only_one_photo_and_no_other_files(client, form, photo_png):
    two = form(content=[upload(photo_png), upload(photo_png)])
    assert refusal(client.post(URL, data=two)) == (422, "invalid_option", "content")
    assert refusal(client.post(URL, data=form(depth=upload(photo_png)))) == (422, "invalid_option", "depth")


def test_too_many_styles(client, form, photo_png, painting_png):
    assert refusal(client.post(URL, data=form(style=[upload(painting_png) for _ in range(9)])))[2] == "style"
    body = {"content": b64(photo_png), "style": [b64(painting_png)] * 9}
    assert refusal(client.post(URL, json=body)) == (422, "invalid_option", "style")


@pytest.mark.parametrize("field", ["content", "style"])
def test_what_is_not_a_picture(client, form, field, photo_png):
    assert refusal(client.post(URL, data=form(**{field: upload(NOT_A_PICTURE)}))) == (415, "unsupported_image", field)
    cut = upload(photo_png[: len(photo_png) // 2])
    assert refusal(client.post(URL, data=form(**{field: cut}))) == (422, "broken_image", field)


def test_file_too_large(new_app, form):
    client = new_app(upload_megabytes=0.0001).test_client()
    client.application.config["MAX_CONTENT_LENGTH"] = 1_000_000
    assert refusal(client.post(URL, data=form())) == (413, "image_too_large", "content")


def test_too_many_pixels(new_app, form):
    client = new_app(upload_megapixels=0.01).test_client()
    assert refusal(client.post(URL, data=form())) == (413, "image_too_large", "content")


@pytest.mark.parametrize(
    ("door", "field", "more"),
    [
        (URL, "style", {}),
        (URL, "mask", {}),
        ("/api/v1/jobs", "start", {"method": "gatys"}),
        ("/api/v1/sheet", "content", {}),
        ("/api/v1/styles", "picture", {"content": None, "style": None, "name": "Vast"}),
        ("/api/styles/", "image", {"content": None, "style": None, "name": "Vast"}),
        ("/api/uploads/", "image", {"content": None, "style": "mosaic"}),
    ],
)
def test_every_door_has_the_limits_of_uploads(new_app, form, photo_png, door, field, more):
    """The photo has 12288 pixels, and a corner of it fewer."""
    client, file = new_app(upload_megapixels=0.012).test_client(), io.BytesIO()
    Image.open(io.BytesIO(photo_png)).crop((0, 0, 64, 48)).save(file, "PNG")
    small = {name: upload(file.getvalue()) for name in ("content", "style")}
    fields = form(**(small | more | {field: upload(photo_png)}))
    assert refusal(client.post(door, data=fields)) == (413, "image_too_large", field)


def test_body_too_large(client, form):
    client.application.config["MAX_CONTENT_LENGTH"] = 1000
    assert refusal(client.post(URL, data=form())) == (413, "request_entity_too_large", None)
    assert refusal(client.post(URL, json={"content": "A" * 2000})) == (413, "request_entity_too_large", None)


def test_chunked_body_too_large(client):
    client.application.config["MAX_CONTENT_LENGTH"] = 1000
    body, _ = upload(b"A" * 2000)
    answer = client.post(
        URL, input_stream=body, content_type="application/json", environ_base={"wsgi.input_terminated": True}
    )
    assert refusal(answer) == (413, "request_entity_too_large", None)


def test_body_shorter_than_it_says(client):
    body, _ = upload(b"{}")
    cut = {"wsgi.input": body, "CONTENT_LENGTH": "500"}
    answer = client.post(URL, content_type="application/json", environ_overrides=cut)
    assert refusal(answer) == (400, "bad_request", None)


def test_too_much_text_and_too_many_parts(client, form):
    assert client.post(URL, data=form(strength="1" * 200_000)).status_code == 413
    assert client.post(URL, data=form(weights=["1"] * 600)).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png", None])
def test_other_kinds_of_body(client, kind):
    assert refusal(client.post(URL, data=b"x", content_type=kind)) == (415, "unsupported_body", None)


def test_encoded_body(client):
    answer = client.post(URL, data=b"x", content_type="application/json", headers={"Content-Encoding": "gzip"})
    assert refusal(answer) == (415, "unsupported_body", None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"size": NaN}',
        b'{"size": -Infinity}',
        b'{"size": 64, "size": 64}',
        b'{"size": ' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"content": "\xff"}',
        json.dumps({"content": "x"}).encode("utf-16"),
        b'{"style": [' + b"{}," * 201 + b"{}]}",
    ],
    ids=range(12),
)
def test_malformed_json(client, body):
    assert refusal(client.post(URL, data=body, content_type="application/json")) == (400, "malformed_request", None)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (None, 422),
        ("", 422),
        (7, 422),
        ({"image": "x"}, 422),
        ("candy", 422),
        ("!!!!", 422),
        ("\ud800", 422),
        ("http://127.0.0.1/picture.png", 422),
        ("file:///etc/passwd", 422),
        ("data:image/png;base64,", 400),
        ("data:image/png;base64,A", 400),
        ("data:image/svg+xml,<svg/>", 400),
        ("result:", 422),
        ("result:../../etc/passwd", 422),
        ("result:" + "0" * 32, 422),
        ("result:\0", 422),
        ("AAAA", 415),
        ("data:text/html;base64,AAAA", 415),
    ],
)
def test_pictures_in_json(client, painting_png, value, status):
    answer = client.post(URL, json={"content": value, "style": b64(painting_png)})
    assert (answer.status_code, error_of(answer)["field"]) == (status, "content")


@pytest.mark.parametrize(
    ("style", "field"),
    [
        ([], "style"),
        ([{}], "style"),
        ([{"image": "AAAA", "wait": 1}], "style"),
        ([{"name": "no such style"}], "style"),
        ([{"name": 7}], "style"),
        ([{"name": "Flow", "image": "AAAA"}], "style"),
        ("\0", "style"),
        ("result:1", "style"),
        ([{"image": "AAAA", "weight": "much"}], "weights"),
        ([{"image": "AAAA", "weight": -1}], "weights"),
        ([["AAAA"]], "style"),
    ],
)
def test_styles_in_json(client, photo_png, style, field):
    answer = client.post(URL, json={"content": b64(photo_png), "style": style})
    assert refusal(answer) == (422, "invalid_option", field)


def test_weights_given_twice(client, form, photo_png):
    both = form(weights="1", **{"weight-own": "1"})
    assert refusal(client.post(URL, data=both)) == (422, "invalid_option", "weights")
    body = {"content": b64(photo_png), "style": [{"image": "AAAA", "weight": 1}], "weights": [1]}
    assert refusal(client.post(URL, json=body)) == (422, "invalid_option", "weights")


def test_options_in_the_address(client, form, photo_png, painting_png):
    body = {"content": b64(photo_png), "style": b64(painting_png)}
    for sent in ({"data": form()}, {"json": body}):
        assert refusal(client.post(f"{URL}?size=64&strength=1", **sent)) == (422, "invalid_option", "size")


def test_parameters_are_refused_before_a_picture_is_decoded(client, form, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    assert refusal(client.post(URL, data=form(size="0")))[2] == "size"


def test_what_was_sent_is_not_echoed_at_length(client):
    answer = client.post(URL, json={"content": "AAAA", "style": "AAAA", "x" * 50_000: 1})
    assert answer.status_code == 422
    assert len(answer.data) < 1000


@pytest.mark.parametrize(("method", "path", "status"), [("GET", URL, 405), ("POST", "/api/v1/nothing", 404)])
def test_wrong_method_and_address(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    error_of(answer)
    assert ("POST" in answer.headers.get("Allow", "")) == (status == 405)


@pytest.mark.parametrize(
    "error",
    [
        WeightsMissing("put it in /home/somebody/weights", "model_path"),
        DeviceUnavailable("install it in /home/somebody", "STYLE_DEVICE"),
    ],
)
def test_missing_model_is_told_without_its_path(client, painter, form, error):
    painter.fail("stylize", error)
    answer = client.post(URL, data=form())
    assert refusal(answer) == (503, "model_unavailable", None)
    assert "/home" not in answer.text
    assert answer.headers["Retry-After"]


def test_a_fault_of_ours_goes_to_the_log_only(client, painter, form, caplog):
    painter.fail("stylize", RuntimeError("secret detail"))
    answer = client.post(URL, data=form())
    assert refusal(answer) == (500, "internal_error", None)
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_the_body_holds_a_photo_and_a_painting_of_the_largest_size():
    settings = Settings()
    assert bodies.size_limits(settings)["MAX_CONTENT_LENGTH"] > 2 * settings.upload_bytes * 4 / 3
