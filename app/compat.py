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

from app import accepting, bodies, choices, current, owners, styling
from app.bodies import Form
from app.choices import StyleChoice
from app.compat_schemas import OldStyle, OldUpload
from app.jobs import Job
from app.records import Style
from app.room import Room
from app.schemas import Answer, Error, NewStyle, moment
from app.style_uploads import parse
from app.uploads import Upload, result_pixels
from model import vectors
from model.errors import InvalidOption
from model.options import StylizeOptions
from model.vectors import StyleFile

compat = Blueprint("compat", __name__, url_prefix="/api")
_ROOM = Room(2)
_NO_LINK = "must be the name of a stored style or a picture as a data URL; addresses are not fetched"


@compat.get("/styles/")
def styles() -> Response:
    owner = owners.owner()
    return _array([_style(style) for style in current.library().styles(owner.id if owner else None)])


@compat.post("/styles/")
def add_style() -> Response:
    with bodies.received(request) as body, _ROOM.place():
        owner, sent = owners.owner_or_new().id, _fields(body)
        name = parse(NewStyle, {"name": sent.get("name") or sent.get("title") or ""}).name
        painting = _painting(sent)
        with choices.still_there("image" if sent.get("image") else "link"):
            added = _add(owner, name, painting)
    return _created(_style(added), url_for("api_styles.style", id=added.id))


@compat.get("/uploads/")
def uploads() -> Response:
    owner = owners.owner()
    return _array(_uploads(owner.id) if owner else [])


@compat.post("/uploads/")
def add_upload() -> Response:
    with bodies.received(request) as body:
        job = accepting.accept(lambda: _upload(_fields(body)), owners.owner_or_new(), photo="image")
    return _created(_job(job, has_result=False), url_for("api.job", id=job.id))


def _fields(body: Form | Callable[[], bodies.Json]) -> bodies.Json:
    """Text as str, files as bytes; the first of each name."""
    if not isinstance(body, Form):
        return body()
    texts: bodies.Json = {name: values[0] for name, values in body.texts.items()}
    return texts | {name: bodies.contents(files[0]) for name, files in body.files.items() if files}


def _painting(sent: dict[str, Any]) -> StyleChoice:
    if image := sent.get("image"):
        return _choice(_picture(image, "image"), "image")
    return _linked(sent.get("link"))


def _upload(sent: dict[str, Any]) -> Upload:
    if not sent.get("image"):
        raise InvalidOption("There is no photo: add one as 'image'.", "image")
    photo = _picture(sent["image"], "image")
    size = choices.peek(photo, "image")
    named = sent.get("style")
    if named and not isinstance(named, str):
        raise InvalidOption("'style' must be the name or id of a stored style.", "style")
    style = choices.of_library(choices.named_style(named)) if named else _linked(sent.get("link"))
    options = StylizeOptions()
    return Upload(photo, "photo", [style], options, result_pixels(options, size))


def _linked(link: Any) -> StyleChoice:
    if not link:
        raise InvalidOption("There is no style: name a stored one, or send a picture.", "link")
    if not isinstance(link, str):
        raise InvalidOption(f"'link' {_NO_LINK}.", "link")
    if link.startswith("data:"):
        return _choice(bodies.picture(link, "link"), "link")
    if style := choices.known_style(link):
        return choices.of_library(style, "link")
    raise InvalidOption(f"'link' {_NO_LINK}.", "link")


def _choice(data: bytes, field: str) -> StyleChoice:
    """Looked at first by its own name, so that what is wrong is said of this field and not of 'style'."""
    if vectors.looks_like_one(data):
        StyleFile.from_bytes(data, field)
    else:
        choices.peek(data, field)
    return choices.of_file(data)


def _picture(value: Any, field: str) -> bytes:
    return value if isinstance(value, bytes) else bodies.picture(value, field)


def _add(owner: str, name: str, painting: StyleChoice) -> Style:
    library, engine = current.library(), current.engine()
    data = painting.source.read_bytes() if isinstance(painting.source, Path) else painting.source
    if vectors.looks_like_one(data):
        file = StyleFile.from_bytes(data).model_copy(update={"name": name})
        return styling.add_file(library, engine, owner, file.to_bytes())
    return styling.add_painting(library, engine, owner, [data], name=name)


def _uploads(owner: str) -> list[OldUpload]:
    """Newest first."""
    painted = {result.id for result in current.library().results(owner)}
    return [_job(job, job.id in painted) for job in current.jobs().of_owner(owner)]


def _job(job: Job, has_result: bool) -> OldUpload:
    style = job.order.styles[0]
    return OldUpload(
        id=job.id,
        image=url_for("results.before", id=job.id) if has_result else None,
        style=style.id,
        link=style.name,
        result=url_for("api.job_result", id=job.id) if has_result else None,
        state=job.state,
        error=Error(**job.error) if job.error else None,
        created_at=moment(job.created),
    )


def _style(style: Style) -> OldStyle:
    picture = url_for("api_styles.thumbnail", id=style.id)
    created = moment(style.created) if style.created is not None else None
    return OldStyle(id=style.id, name=style.name, title=style.name, link=picture, image=picture, created_at=created)


def _created(answer: Answer, location: str) -> Response:
    response = answer.response(201)
    response.headers["Location"] = location
    return response


def _array(answers: Sequence[Answer]) -> Response:
    return Response(
        TypeAdapter(Sequence[Answer]).dump_json(answers, serialize_as_any=True), mimetype="application/json"
    )
