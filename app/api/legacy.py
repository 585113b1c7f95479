"""/api/styles/ and /api/uploads/, as front ends of the older Django site use them: its fields, 201, lists as arrays.

Three things differ from it on purpose. Everybody sees their own uploads only, a `link` is never fetched, and errors are
shaped as everywhere else here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request, url_for
from pydantic import TypeAdapter

from app.api.response_schemas import Answer, Error, OldStyle, OldUpload, utc_datetime
from app.http import context, identity
from app.inputs import bodies, references, submission
from app.inputs.bodies import FormBody, UploadSlots
from app.inputs.references import StyleChoice
from app.inputs.style_requests import NewStyle, parse_fields
from app.inputs.stylize_request import StylizeRequest, result_pixels
from app.jobs import style_builder
from app.jobs.queue import Job
from app.storage.records import Style
from model import style_file
from model.errors import InvalidOption
from model.options import StylizeOptions
from model.style_file import StyleFile

blueprint = Blueprint("compat", __name__, url_prefix="/api")
_SLOTS = UploadSlots(2)
_INVALID_LINK = "must be the name of a stored style or a picture as a data URL; addresses are not fetched"


@blueprint.get("/styles/")
def styles() -> Response:
    owner = identity.owner()
    return _array_response([_style_answer(style) for style in context.library().styles(owner.id if owner else None)])


@blueprint.post("/styles/")
def add_style() -> Response:
    with bodies.receive(request) as body, _SLOTS.slot():
        owner, sent = identity.owner_or_new().id, _fields(body)
        name = parse_fields(NewStyle, {"name": sent.get("name") or sent.get("title") or ""}).name
        painting = _sent_style(sent)
        with references.invalid_if_deleted("image" if sent.get("image") else "link"):
            added = _store_style(owner, name, painting)
    return _created_response(_style_answer(added), url_for("api_styles.style", id=added.id))


@blueprint.get("/uploads/")
def uploads() -> Response:
    owner = identity.owner()
    return _array_response(_upload_answers(owner.id) if owner else [])


@blueprint.post("/uploads/")
def add_upload() -> Response:
    with bodies.receive(request) as body:
        job = submission.submit(lambda: _parse_upload(_fields(body)), identity.owner_or_new(), photo="image")
    return _created_response(_upload_answer(job, has_result=False), url_for("api.job", id=job.id))


def _fields(body: FormBody | Callable[[], bodies.JsonBody]) -> bodies.JsonBody:
    """Text as str, files as bytes; the first of each name."""
    if not isinstance(body, FormBody):
        return body()
    texts: bodies.JsonBody = {name: values[0] for name, values in body.texts.items()}
    return texts | {name: bodies.read_file(files[0]) for name, files in body.files.items() if files}


def _sent_style(sent: dict[str, Any]) -> StyleChoice:
    if image := sent.get("image"):
        return _style_from_picture(_picture_bytes(image, "image"), "image")
    return _style_from_link(sent.get("link"))


def _parse_upload(sent: dict[str, Any]) -> StylizeRequest:
    if not sent.get("image"):
        raise InvalidOption("There is no photo: add one as 'image'.", "image")
    photo = _picture_bytes(sent["image"], "image")
    size = references.peek_size(photo, "image")
    named = sent.get("style")
    if named and not isinstance(named, str):
        raise InvalidOption("'style' must be the name or id of a stored style.", "style")
    style = (
        references.style_from_library(references.require_style(named)) if named else _style_from_link(sent.get("link"))
    )
    options = StylizeOptions()
    return StylizeRequest(photo, "photo", [style], options, result_pixels(options, size))


def _style_from_link(link: Any) -> StyleChoice:
    if not link:
        raise InvalidOption("There is no style: name a stored one, or send a picture.", "link")
    if not isinstance(link, str):
        raise InvalidOption(f"'link' {_INVALID_LINK}.", "link")
    if link.startswith("data:"):
        return _style_from_picture(bodies.decode_picture(link, "link"), "link")
    if style := references.find_style(link):
        return references.style_from_library(style, "link")
    raise InvalidOption(f"'link' {_INVALID_LINK}.", "link")


def _style_from_picture(data: bytes, field: str) -> StyleChoice:
    """Looked at first by its own name, so that what is wrong is said of this field and not of 'style'."""
    if style_file.is_style_file(data):
        StyleFile.from_bytes(data, field)
    else:
        references.peek_size(data, field)
    return references.style_from_file(data)


def _picture_bytes(value: Any, field: str) -> bytes:
    return value if isinstance(value, bytes) else bodies.decode_picture(value, field)


def _store_style(owner: str, name: str, painting: StyleChoice) -> Style:
    library, engine = context.library(), context.engine()
    data = painting.source.read_bytes() if isinstance(painting.source, Path) else painting.source
    if style_file.is_style_file(data):
        file = StyleFile.from_bytes(data).model_copy(update={"name": name})
        return style_builder.add_file(library, engine, owner, file.to_bytes())
    return style_builder.add_painting(library, engine, owner, [data], name=name)


def _upload_answers(owner: str) -> list[OldUpload]:
    """Newest first."""
    painted = {result.id for result in context.library().results(owner)}
    return [_upload_answer(job, job.id in painted) for job in context.jobs().of_owner(owner)]


def _upload_answer(job: Job, has_result: bool) -> OldUpload:
    style = job.order.styles[0]
    return OldUpload(
        id=job.id,
        image=url_for("results.before", id=job.id) if has_result else None,
        style=style.id,
        link=style.name,
        result=url_for("api.job_result", id=job.id) if has_result else None,
        state=job.state,
        error=Error(**job.error) if job.error else None,
        created_at=utc_datetime(job.created),
    )


def _style_answer(style: Style) -> OldStyle:
    picture = url_for("api_styles.thumbnail", id=style.id)
    created = utc_datetime(style.created) if style.created is not None else None
    return OldStyle(id=style.id, name=style.name, title=style.name, link=picture, image=picture, created_at=created)


def _created_response(answer: Answer, location: str) -> Response:
    response = answer.response(201)
    response.headers["Location"] = location
    return response


def _array_response(answers: Sequence[Answer]) -> Response:
    return Response(
        TypeAdapter(Sequence[Answer]).dump_json(answers, serialize_as_any=True), mimetype="application/json"
    )
