"""Jobs from requests: what is sent is stored and put in the queue."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.failures import Missing
from app.http.context import Caller
from app.http.identity import derive_owner_id
from app.inputs.bodies import UploadSlots
from app.inputs.references import ResultPhoto, StyleChoice, invalid_if_deleted
from app.inputs.stylize_request import StylizeInputs, check_refine_styles
from app.jobs.order import SHARED_PAINTING_OPTIONS, Order, OrderStyle
from app.jobs.queue import Job
from app.storage.library import Library
from app.storage.records import Result
from model.errors import InvalidOption, StyleTransferError
from model.imaging.metadata_removal import remove_metadata
from model.options import RefineOptions
from model.pipelines.refine import check_photo_size, resolve_options
from model.style_file import is_style_file

_IDEMPOTENCY_HEADER = "Idempotency-Key"
_SLOTS = UploadSlots(3)
_REGIONS_NOTE = (
    "Its regions had styles or strengths of their own. A refinement has one look for all of them: the blend of the "
    "styles, at the strength of the whole picture."
)


def submit(
    caller: Caller,
    read: Callable[[], StylizeInputs],
    idempotency_key: str | None = None,
    *,
    photo: str = "content",
) -> Job:
    """Store what `read` returns and queue it. The job of a caller without an owner is open: its id is all that it
    takes to read it. photo: the field that the photo was sent in."""
    check_idempotency_key(idempotency_key)
    jobs, library, is_open = caller.jobs, caller.library, caller.owner_id is None
    with _SLOTS.slot(caller.patience):
        inputs = read()
        owner = caller.owner_id or _anonymous_owner(inputs, idempotency_key)
        jobs.check_room(owner, idempotency_key)
        order = _store_order(library, owner, inputs)
    try:
        # Only an owner who deletes everything can get between, and the photo is part of that.
        with invalid_if_deleted(photo):
            job = jobs.submit(owner, order, open=is_open, idempotency_key=idempotency_key)
    except StyleTransferError:
        _release_unheld(library, order)
        raise
    if idempotency_key is not None:  # it may be an earlier job, which has all of this already
        _release_unheld(library, order)
    return job


def check_idempotency_key(key: str | None) -> None:
    if key is not None and not re.fullmatch(r"[!-~]{1,200}", key):
        raise InvalidOption(
            f"'{_IDEMPOTENCY_HEADER}' must be 1 to 200 letters, digits or signs, without spaces.", _IDEMPOTENCY_HEADER
        )


def submit_refinement(caller: Caller, result: Result, options: RefineOptions) -> Job:
    """Queue a refinement that begins with the result's picture.

    Styles, brush size, masks, colours and strength are those of the result; all else is as `options` say. What its
    regions had of their own is lost, as the job's notes then say. InvalidOption where one of the styles is no picture,
    or has been deleted.
    """
    with _SLOTS.slot(caller.patience):
        order = _refinement_order(caller.library, result, options)
    with invalid_if_deleted("content"):
        return caller.jobs.submit(result.owner, order)


def _release_unheld(library: Library, order: Order) -> None:
    """Delete what was stored for a job unless something needs it: a full queue must fill no disk."""
    holder = uuid.uuid4().hex
    with library.begin() as session:
        for key in sorted(order.keys()):
            with suppress(Missing):
                library.hold(session, holder, [key])
        library.release(session, holder)


def _anonymous_owner(inputs: StylizeInputs, idempotency_key: str | None) -> str:
    """Return a new owner's id. With a key it follows from all that was sent: who sends the same meets the job that it
    made, and nobody who knows less does."""
    if idempotency_key is None:
        return uuid.uuid4().hex
    styles = [f"{style.id} {_digest(_style_bytes(style))}" for style in inputs.styles]
    masks = [mask if isinstance(mask, str) else _digest(mask) for mask in inputs.masks]
    pictures = [_digest(inputs.content), *styles, *([_digest(inputs.start)] if inputs.start else []), *masks]
    return derive_owner_id("open", idempotency_key, *pictures, inputs.options.model_dump_json())


def _style_bytes(style: StyleChoice) -> bytes:
    return style.source.read_bytes() if isinstance(style.source, Path) else style.source


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _store_order(library: Library, owner: str, inputs: StylizeInputs) -> Order:
    return Order(
        content=_store_upload(library, owner, inputs.content, "content"),
        content_name=inputs.content_name,
        styles=[_store_style(library, owner, style) for style in inputs.styles],
        method=inputs.method,
        options=inputs.options,
        start=library.put_picture(owner, inputs.start) if inputs.start else None,
        masks=[mask if isinstance(mask, str) else _store_upload(library, owner, mask, "mask") for mask in inputs.masks],
    )


def _store_style(library: Library, owner: str, style: StyleChoice) -> OrderStyle:
    about = {"name": style.name, "id": style.id, "rights": style.credit_and_licence}
    if isinstance(style.source, Path):
        return OrderStyle(**about, shipped=style.id)
    network = library.put_picture(owner, style.trained) if style.trained else None
    if style.id is not None or is_style_file(style.source):
        return OrderStyle(**about, picture=library.put_picture(owner, style.source), network=network)
    return OrderStyle(**about, picture=_store_upload(library, owner, style.source, "style"))


def _store_upload(library: Library, owner: str, picture: bytes, field: str) -> str:
    """Store a picture without its metadata; one that has lost them already keeps its key."""
    return library.put_picture(owner, remove_metadata(picture, field))


def _refinement_order(library: Library, result: Result, options: RefineOptions) -> Order:
    before = Order.model_validate(result.order)
    with invalid_if_deleted("style"):
        check_refine_styles(library.head(style.picture, 1) for style in before.styles if style.picture)
    unchanged = {
        name: getattr(before.options, name) for name in ("weights", "strength", "style_scale", *SHARED_PAINTING_OPTIONS)
    }
    options = resolve_options(options.model_copy(update=unchanged))
    check_photo_size(result.height, result.width, options)
    return Order(
        content=ResultPhoto.of(result).available_key(library),
        content_name=before.content_name,
        styles=before.styles,
        method="gatys",
        options=options,
        start=result.picture,
        masks=before.masks,
        notes=[_REGIONS_NOTE] if _has_own_regions(before) else [],
    )


def _has_own_regions(order: Order) -> bool:
    """Return whether some regions are not painted in the blend of all styles, at the strength of the whole."""
    options, styles = order.options, len(order.styles)
    if isinstance(options, RefineOptions):
        return False
    regions = options.resolve_regions(len(order.masks), styles)
    return any((style and styles > 1) or strength != options.strength for style, strength in regions)
