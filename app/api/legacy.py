"""/api/styles/ and /api/uploads/, as front ends of the older Django site use them: its fields, 201, lists as arrays.

Three things differ from it on purpose. Everybody sees their own uploads only, a `link` is never fetched, and errors are
shaped as everywhere else here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request, url_for
from pydantic import TypeAdapter

from app.api.response_schemas import Answer, Error, OldStyle, OldUpload, utc_datetime
from app.http import context, identity
from app.http.context import Caller
from app.inputs import bodies, picture_fields, references, submission
from app.inputs.bodies import FormBody, JsonBody, JsonObject, UploadSlots
from app.inputs.references import StyleChoice
from app.inputs.style_requests import NewStyle, parse_fields
from app.inputs.stylize_request import StylizeInputs, count_result_pixels
from app.jobs import style_builder
from app.jobs.queue import Job
from app.storage.records import Style
from model import style_file
from model.errors import InvalidOption
from model.options import StylizeOptions
from model.style_file import StyleFile

blueprint = Blueprint("api_legacy", __name__, url_prefix="/api")
_SLOTS = UploadSlots(2)
_INVALID_LINK = "must be the name of a stored style or a picture as a data URL; addresses are not fetched"


@blueprint.get("/styles/")
def styles() -> Response:
    owner = identity.owner()
    return _array_response([OldStyle.of(style) for style in context.library().styles(owner.id if owner else None)])


@blueprint.post("/styles/")
def add_style() -> Response:
    with bodies.receive(request) as body:
        caller = context.for_owner(identity.owner_or_new())
        with _SLOTS.slot(caller.patience):
            added = _add_style(caller, _fields(caller, body))
    return _created_response(OldStyle.of(added), url_for("api_styles.style", id=added.id))


@blueprint.get("/uploads/")
def uploads() -> Response:
    owner = identity.owner()
    return _array_response(_upload_answers(owner.id) if owner else [])


@blueprint.post("/uploads/")
def add_upload() -> Response:
    with bodies.receive(request) as body:
        caller = context.for_owner(identity.owner_or_new())
        job = submission.submit(caller, lambda: _read_upload(caller, _fields(caller, body)), photo="image")
    return _created_response(_upload_answer(job, has_result=False), url_for("api_jobs.job", id=job.id))


def _fields(caller: Caller, body: FormBody | JsonBody) -> JsonObject:
    """Return the first value of each field: text as str, files as bytes."""
    if isinstance(body, JsonBody):
        return body.load()
    files = {name: files[0] for name, files in body.files.items() if files}
    texts: JsonObject = {name: values[0] for name, values in body.texts.items()}
    return texts | {name: picture_fields.read_file(file, caller.limits) for name, file in files.items()}


def _add_style(caller: Caller, fields: JsonObject) -> Style:
    name = parse_fields(NewStyle, {"name": fields.get("name") or fields.get("title") or ""}).name
    painting = _style_from_fields(caller, fields)
    with references.invalid_if_deleted("image" if fields.get("image") else "link"):
        return _store_style(caller, name, painting)


def _style_from_fields(caller: Caller, fields: JsonObject) -> StyleChoice:
    if image := fields.get("image"):
        return _style_from_picture(caller, _picture_bytes(image, "image"), "image")
    return _style_from_link(caller, fields.get("link"))


def _read_upload(caller: Caller, fields: JsonObject) -> StylizeInputs:
    if not fields.get("image"):
        raise InvalidOption("There is no photo: add one as 'image'.", "image")
    photo, options = _picture_bytes(fields["image"], "image"), StylizeOptions()
    size = picture_fields.peek_size(photo, "image", caller.limits)
    name = fields.get("style")
    if name and not isinstance(name, str):
        raise InvalidOption("'style' must be the name or id of a stored style.", "style")
    if name:
        style = references.style_from_library(caller.library, references.require_style(caller, name))
    else:
        style = _style_from_link(caller, fields.get("link"))
    count_result_pixels(options, size, caller.limits.result_pixels)
    return StylizeInputs(photo, "photo", [style], options)


def _style_from_link(caller: Caller, link: Any) -> StyleChoice:
    if not link:
        raise InvalidOption("There is no style: name a stored one, or send a picture.", "link")
    if not isinstance(link, str):
        raise InvalidOption(f"'link' {_INVALID_LINK}.", "link")
    if link.startswith("data:"):
        return _style_from_picture(caller, picture_fields.decode_picture(link, "link"), "link")
    if style := references.find_style(caller, link):
        return references.style_from_library(caller.library, style, "link")
    raise InvalidOption(f"'link' {_INVALID_LINK}.", "link")


def _style_from_picture(caller: Caller, data: bytes, field: str) -> StyleChoice:
    """Check the style by its own field first, so that a refusal names that field and not 'style'."""
    if style_file.is_style_file(data):
        StyleFile.from_bytes(data, field)
    else:
        picture_fields.peek_size(data, field, caller.limits)
    return picture_fields.style_from_file(data, caller.limits)


def _picture_bytes(value: Any, field: str) -> bytes:
    return value if isinstance(value, bytes) else picture_fields.decode_picture(value, field)


def _store_style(caller: Caller, name: str, painting: StyleChoice) -> Style:
    library, engine, owner = caller.library, caller.engine, caller.require_owner()
    data = painting.source.read_bytes() if isinstance(painting.source, Path) else painting.source
    if style_file.is_style_file(data):
        file = StyleFile.from_bytes(data).model_copy(update={"name": name})
        return style_builder.add_file(library, engine, owner, file.to_bytes())
    return style_builder.add_painting(library, engine, owner, [data], name=name)


def _upload_answers(owner: str) -> list[OldUpload]:
    """Return the owner's uploads, newest first."""
    result_ids = {result.id for result in context.library().results(owner)}
    return [_upload_answer(job, job.id in result_ids) for job in context.jobs().of_owner(owner)]


def _upload_answer(job: Job, has_result: bool) -> OldUpload:
    style = job.order.styles[0]
    return OldUpload(
        id=job.id,
        image=url_for("results.before", id=job.id) if has_result else None,
        style=style.id,
        link=style.name,
        result=url_for("api_jobs.job_result", id=job.id) if has_result else None,
        state=job.state,
        error=Error(**job.error) if job.error else None,
        created_at=utc_datetime(job.created),
    )


def _created_response(answer: Answer, location: str) -> Response:
    response = answer.response(201)
    response.headers["Location"] = location
    return response


def _array_response(answers: Sequence[Answer]) -> Response:
    return Response(
        TypeAdapter(Sequence[Answer]).dump_json(answers, serialize_as_any=True), mimetype="application/json"
    )
