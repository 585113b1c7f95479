"""Upload -> job: what is sent is stored and put in the queue, whoever sends it."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app import choices, current, owners
from app.choices import StyleChoice, still_there
from app.failures import Missing
from app.jobs import Job
from app.library import Library
from app.orders import FINISH, Order, OrderStyle
from app.owners import Owner
from app.records import Result
from app.room import Room
from app.uploads import Upload
from model.errors import InvalidOption, StyleTransferError
from model.options import RefineOptions
from model.refine import check_shape, checked

_KEY = "Idempotency-Key"
_ROOM = Room(3)
_ONE_LOOK = (
    "Its regions had styles or strengths of their own. A refinement has one look for all of them: the blend of the "
    "styles, at the strength of the whole picture."
)


def accept(
    read: Callable[[], Upload], owner: Owner | None, idempotency_key: str | None = None, *, photo: str = "content"
) -> Job:
    """Nobody's job is open: its id is all that it takes to read it. `photo`: the field that it was sent in."""
    if idempotency_key is not None and not re.fullmatch(r"[!-~]{1,200}", idempotency_key):
        raise InvalidOption(f"'{_KEY}' must be 1 to 200 letters, digits or signs, without spaces.", _KEY)
    jobs = current.jobs()
    with _ROOM.place():
        upload = read()
        name = owner.id if owner else _nobody(upload, idempotency_key)
        jobs.check_room(name, idempotency_key)
        order = _order(current.library(), name, upload)
    try:
        with still_there(photo):  # only an owner who deletes everything can get between, and the photo is part of that
            job = jobs.submit(name, order, open=owner is None, idempotency_key=idempotency_key)
    except StyleTransferError:
        _let_go(current.library(), order)
        raise
    if idempotency_key is not None:  # it may be an earlier job, which has all of this already
        _let_go(current.library(), order)
    return job


def accept_refinement(result: Result, owner: Owner, options: RefineOptions) -> Job:
    """The result goes on from its picture, with the styles, brush size, masks, colours and strength that it was made
    with; all else is as `options` say. What its regions had of their own is lost, as the job's notes then say.
    InvalidOption where one of the styles is no picture, or has been deleted."""
    with _ROOM.place():
        order = _refinement(current.library(), result, options)
    with still_there("content"):
        return current.jobs().submit(owner.id, order)


def _let_go(library: Library, order: Order) -> None:
    """What was stored for a job, unless that or something else needs it: a full queue must fill no disk."""
    holder = uuid.uuid4().hex
    with library.begin() as session:
        for key in sorted(order.keys()):
            with suppress(Missing):
                library.hold(session, holder, [key])
        library.release(session, holder)


def _nobody(upload: Upload, idempotency_key: str | None) -> str:
    """Without a key it is somebody new. With one it follows from all that was sent: who sends the same meets the job
    that it made, and nobody who knows less does."""
    if idempotency_key is None:
        return uuid.uuid4().hex
    styles = [f"{style.id} {_digest(_contents(style))}" for style in upload.styles]
    masks = [mask if isinstance(mask, str) else _digest(mask) for mask in upload.masks]
    pictures = [_digest(upload.content), *styles, *([_digest(upload.start)] if upload.start else []), *masks]
    return owners.derived("open", idempotency_key, *pictures, upload.options.model_dump_json())


def _contents(style: StyleChoice) -> bytes:
    return style.source.read_bytes() if isinstance(style.source, Path) else style.source


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _order(library: Library, owner: str, upload: Upload) -> Order:
    return Order(
        content=library.put_picture(owner, upload.content),
        content_name=upload.content_name,
        styles=[_ordered(library, owner, style) for style in upload.styles],
        method=upload.method,
        options=upload.options,
        start=library.put_picture(owner, upload.start) if upload.start else None,
        masks=[mask if isinstance(mask, str) else library.put_picture(owner, mask) for mask in upload.masks],
    )


def _ordered(library: Library, owner: str, style: StyleChoice) -> OrderStyle:
    about = {"name": style.name, "id": style.id, "rights": style.rights}
    if isinstance(style.source, Path):
        return OrderStyle(**about, shipped=style.id)
    return OrderStyle(**about, picture=library.put_picture(owner, style.source))


def _refinement(library: Library, result: Result, options: RefineOptions) -> Order:
    before = Order.model_validate(result.order)
    with still_there("style"):
        choices.check_paintings(library.head(style.picture, 1) for style in before.styles if style.picture)
    kept = {name: getattr(before.options, name) for name in ("weights", "strength", "style_scale", *FINISH)}
    options = checked(options.model_copy(update=kept))
    check_shape(result.height, result.width, options)
    return Order(
        content=choices.photo_of(result).there,
        content_name=before.content_name,
        styles=before.styles,
        method="gatys",
        options=options,
        start=result.picture,
        masks=before.masks,
        notes=[_ONE_LOOK] if _has_regions_of_their_own(before) else [],
    )


def _has_regions_of_their_own(order: Order) -> bool:
    """Some are not painted in the blend of all styles, at the strength of the whole."""
    options, styles = order.options, len(order.styles)
    if isinstance(options, RefineOptions):
        return False
    regions = options.regions(len(order.masks), styles)
    return any((style and styles > 1) or strength != options.strength for style, strength in regions)
