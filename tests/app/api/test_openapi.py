"""The OpenAPI document says what the server does: the same addresses, fields, examples and statuses, and no more."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api import events
from app.api.openapi import document
from app.api.operations import OPERATIONS
from app.failures import Busy
from app.http import rate_limits
from app.inputs.bodies import UploadSlots
from app.jobs.queue import QueueFull
from model.options import MAX_STRENGTH, RefineOptions, StylizeOptions
from tests.support.requests import URL, b64, error_of, upload

SERVER = "http://localhost"
DOCUMENT = document(SERVER)
OPERATION = {operation.id: operation for operation in OPERATIONS}
SENDING = {"stylize": "content", "add_job": "content", "sheet": "content", "add_style": "picture"} | {
    "old_add_style": "image",
    "old_add_upload": "image",
    "recipe": "picture",
}
BESIDE = {"add_style": {"name": "Vast"}, "old_add_style": {"name": "Vast"}, "recipe": {}}
QUERY = {"forecast": {"width": 400, "height": 300}}
OF_A_JOB = ("job", "job_events", "job_preview", "job_result", "cancel_job", "pause_job", "resume_job")
OF_A_REFINEMENT = ("pause_job", "resume_job")
OF_A_STYLE = (
    *("style", "change_style", "delete_style", "style_vector", "style_thumbnail"),
    *("train_network", "forget_network"),
)
LISTS = ("styles", "encoders", "forecast", "old_styles", "old_uploads")
KEY = {"X-API-Key": "secret"}


def schema(answer: dict) -> dict:
    return answer["content"]["application/json"]["schema"] | {"components": DOCUMENT["components"]}


def call(client, id: str, name: str = "nothing", **more):
    operation = OPERATION[id]
    asked = {"query_string": QUERY[id]} if id in QUERY else {}
    return client.open(operation.path.replace("{id}", name), method=operation.method.upper(), **(asked | more))


def add_style(client, painting: bytes) -> str:
    return client.post("/api/v1/styles", json={"picture": b64(painting), "name": "Own"}).json["id"]


def test_the_document_is_valid():
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_it_is_served(client):
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json == DOCUMENT


def test_its_addresses_and_methods_are_the_routes(app):
    routes = {
        (method.lower(), rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") or rule.endpoint.startswith(("health.", "metrics."))
    }
    described = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described == routes
    assert len(described) == len(OPERATIONS)


@pytest.mark.parametrize(
    ("body", "options", "needed"),
    [("Stylize", StylizeOptions, {"content", "style"}), ("Refine", RefineOptions, {"content", "style", "method"})],
)
def test_every_option_is_described_as_it_is_validated(body, options, needed):
    for kind in ("Form", "Json"):
        described = DOCUMENT["components"]["schemas"][body + kind]
        assert described["properties"].keys() == {"content", "style", "mask", "method"} | options.model_fields.keys()
        assert set(described["required"]) == needed
        assert described["additionalProperties"] is False
    assert described["properties"]["strength"] == {
        "default": 1.0,
        "description": options.model_fields["strength"].description,
        "maximum": MAX_STRENGTH if options is StylizeOptions else 1,
        "minimum": 0,
        "type": "number",
    }


@pytest.mark.parametrize("body", ["Stylize", "Refine"])
@pytest.mark.parametrize(("field", "value"), [("size", 31), ("size", 40_000), ("quality", 0), ("weights", [-1])])
def test_what_is_refused_is_not_described_as_taken(body, field, value):
    for kind in ("Form", "Json"):
        described = DOCUMENT["components"]["schemas"][body + kind]["properties"]
        assert not Draft202012Validator(described[field]).is_valid(value)
    if body == "Refine":
        assert not Draft202012Validator(described["seconds"]).is_valid(0)


@pytest.mark.parametrize("size", ["own", 32, 4096])
def test_a_described_size_is_taken(client, form, size):
    assert Draft202012Validator(DOCUMENT["components"]["schemas"]["StylizeJson"]["properties"]["size"]).is_valid(size)
    assert client.post("/api/v1/jobs", data=form(size=str(size))).status_code == 202


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seconds", "unlimited"),
        ("seconds", 60),
        ("start", "noise"),
        ("start", "result:1"),
        ("content_layers", {"block4_conv2": 1}),
        ("content_layers", ["block4_conv2"]),
        ("content_layers", "block4_conv2:0.5"),
    ],
)
def test_a_described_value_of_a_refinement_is_taken(client, photo_png, field, value):
    assert Draft202012Validator(DOCUMENT["components"]["schemas"]["RefineJson"]["properties"][field]).is_valid(value)
    sent = {"content": b64(photo_png), "style": "mosaic", "method": "gatys", field: value}
    assert client.post("/api/v1/jobs", json=sent).status_code == (202 if value != "result:1" else 422)


EXAMPLES = [
    pytest.param(operation, value, id=f"{operation.id}: {summary}")
    for operation in OPERATIONS
    if operation.body
    for summary, value in operation.body.examples.items()
]


@pytest.mark.parametrize(("operation", "example"), EXAMPLES)
def test_every_example_is_answered_as_said(client, painting_png, operation, example):
    own = add_style(client, painting_png) if "{id}" in operation.path else ""
    described = DOCUMENT["paths"][operation.path][operation.method]
    sent = schema(described["requestBody"])
    assert Draft202012Validator(sent).is_valid(example)
    answer = call(client, operation.id, own, json=example, headers={"Accept": "application/json"})
    assert answer.status_code == operation.status, answer.text
    Draft202012Validator(schema(described["responses"][str(operation.status)])).validate(answer.json)
    assert set(operation.response.headers) <= set(answer.headers.keys())


def test_every_body_has_an_example():
    assert [operation.id for operation in OPERATIONS if operation.body and not operation.body.examples] == []


def test_every_answer_without_a_body_is_as_said(new_app, form, painting_png):
    client = new_app(worker=True, api_keys="tester:secret:1000 per day").test_client()
    client.environ_base["HTTP_X_API_KEY"] = "secret"
    job, style = finished_job(client, form(format="png")), add_style(client, painting_png)
    refined = finished_job(client, form(method="gatys", steps="2"))
    client.get("/readyz")
    client.application.extensions["engine"].run(lambda: None)
    for operation in OPERATIONS:
        if operation.body or operation.id == "job_preview":
            continue
        name = refined if operation.id in OF_A_REFINEMENT else job if "/jobs/" in operation.path else style
        answer = call(client, operation.id, name)
        answer.get_data()  # to the stream's end
        assert answer.status_code == operation.status, (operation.id, answer.text)
        if operation.response.json:
            described = DOCUMENT["paths"][operation.path][operation.method]["responses"][str(operation.status)]
            Draft202012Validator(schema(described)).validate(answer.json)
        elif operation.response.media:
            assert answer.mimetype in operation.response.media


def finished_job(client, fields) -> str:
    id = client.post("/api/v1/jobs", data=fields).json["id"]
    deadline = time.monotonic() + 20
    while (job := client.get(f"/api/v1/jobs/{id}").json)["state"] != "done" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert job["state"] == "done"
    return id


def test_every_error_that_is_described_can_happen(new_app, form, painting_png, monkeypatch):
    """And every error that is provoked here is described. (schemathesis looks for others.)"""
    app = new_app(worker=True, api_keys="tester:secret:1000 per day")
    seen = {*wrong_bodies(app), *wrong_keys(app), *unknown_ids(app), *busy(app, form, painting_png, monkeypatch)}
    seen |= {*wrong_questions(app), *heavy_pictures(new_app)}
    seen |= {*too_many(new_app, form, painting_png, monkeypatch), *wrong_changes(app, painting_png)}
    seen |= {*wrong_trainings(new_app(api_keys="tester:secret:1000 per day"), painting_png)}
    described = {(operation.id, status) for operation in OPERATIONS for status in operation.errors}
    assert seen == described


def status_of(id: str, answer) -> tuple[str, int]:
    assert error_of(answer)
    assert (answer.status_code in (429, 503)) == ("Retry-After" in answer.headers), id
    return id, answer.status_code


def wrong_bodies(app):
    client = app.test_client()
    for id, field in SENDING.items():
        yield status_of(id, call(client, id, data="{", content_type="application/json"))
        yield status_of(id, call(client, id, data={field: upload(vast_png())} | BESIDE.get(id, {"style": "mosaic"})))
        yield status_of(id, call(client, id, data="a photo", content_type="text/plain"))
        yield status_of(id, call(client, id, json={}))


def wrong_questions(app):
    yield status_of("forecast", call(app.test_client(), "forecast", query_string={"width": 400}))


def heavy_pictures(new_app):
    """What is not decoded may have any number of pixels, and not of bytes."""
    client = new_app(upload_megabytes=0.0001).test_client()
    yield status_of("recipe", call(client, "recipe", data={"picture": upload(bytes(1000))}))


def vast_png() -> bytes:
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b""), b"IEND")
    lengths_and_sums = [(struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(n + c + s for c, (n, s) in zip(chunks, lengths_and_sums, strict=True))


def wrong_keys(app):
    client = app.test_client()
    for id in (*SENDING, *OF_A_JOB, *OF_A_STYLE, *LISTS):
        body = OPERATION[id].body
        example = next(iter(body.examples.values())) if body else None
        yield status_of(id, call(client, id, json=example, headers={"X-API-Key": "guess"}))


def unknown_ids(app):
    client = app.test_client()
    for id in (*OF_A_JOB, *OF_A_STYLE):
        yield status_of(id, call(client, id, "nothing"))


def wrong_changes(app, painting):
    client = app.test_client()
    own = add_style(client, painting)
    for body in ({"data": "{", "content_type": "application/json"}, {"json": {"name": "x" * 30_000}}, {"data": "x"}):
        yield status_of("change_style", call(client, "change_style", own, **body))
    yield status_of("change_style", call(client, "change_style", own, json={"colour": "red"}))


def wrong_trainings(app, painting):
    client = app.test_client()
    own = add_style(client, painting)
    malformed, large = {"data": "{", "content_type": "application/json"}, {"json": {"minutes": "x" * 30_000}}
    for body in (malformed, large, {"data": "x", "content_type": "text/plain"}, {"json": {"minutes": 9}}):
        yield status_of("train_network", call(client, "train_network", own, **body))
    assert call(client, "train_network", own).status_code == 202
    yield status_of("train_network", call(client, "train_network", own))
    numbers = client.post("/api/v1/styles", json={"picture": b64(painting), "name": "Numbers", "keep": "vector"}).json
    yield status_of("forget_network", call(client, "forget_network", numbers["id"]))


def too_many(new_app, form, painting, monkeypatch):
    app = new_app(rate_limit="2 per minute", worker=True)
    client = app.test_client()
    own = add_style(client, painting)
    done = finished_job(client, form(format="jpeg"))
    for id in (*SENDING, "change_style", "train_network"):
        yield status_of(id, call(client, id, own, json=next(iter(OPERATION[id].body.examples.values()))))
    monkeypatch.setattr(rate_limits, "_VIEW_RATE", "1 per minute")
    monkeypatch.setattr(rate_limits, "_FORECAST_RATE", "1 per minute")
    assert call(client, "style_vector", "mosaic").status_code == 200
    assert call(client, "forecast").status_code == 200
    yield status_of("forecast", call(client, "forecast"))
    for id, name in (("job_result", done), ("style_vector", own)):
        yield status_of(id, call(client, id, name))


def busy(app, form, painting, monkeypatch):
    client = app.test_client()
    yield status_of("ready", client.get("/readyz"))
    done, own = finished_job(client, form(format="jpeg")), add_style(client, painting)
    for id in OF_A_REFINEMENT:
        yield status_of(id, call(client, id, done))

    def refuse(*_, **__):
        raise Busy("Busy.")

    def full(*_, **__):
        raise QueueFull("Full.")

    with monkeypatch.context() as patch:
        patch.setattr(app.extensions["engine"], "run", refuse)
        patch.setattr(UploadSlots, "slot", refuse)
        patch.setattr(app.extensions["jobs"], "submit", full)
        patch.setattr(app.extensions["jobs"], "resume", full)
        patch.setattr(events, "_MAX_STREAMS", 0)
        for id in SENDING:
            yield status_of(id, call(client, id, json=next(iter(OPERATION[id].body.examples.values()))))
        yield status_of("train_network", call(client, "train_network", own))
        of_jobs = ("job_events", "job_result", "resume_job")
        for id, name in (*((id, done) for id in of_jobs), ("style_vector", "mosaic")):
            yield status_of(id, call(client, id, name))


def test_a_link_leads_from_each_thing_made_to_all_that_can_be_done_with_it():
    for id, linked in (("add_job", OF_A_JOB), ("add_style", OF_A_STYLE)):
        assert OPERATION[id].response.links.keys() == set(linked)
    for operation in OPERATIONS:
        assert operation.response.links.keys() <= OPERATION.keys()


def test_the_answer_is_the_picture_or_json(client, form):
    picture = client.post(URL, data=form(format="webp"))
    assert picture.mimetype in OPERATION["stylize"].response.media
    assert io.BytesIO(picture.data).read(4) == b"RIFF"
