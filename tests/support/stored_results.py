"""Results as a worker stores them, put straight into the library."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence

from flask import Flask
from PIL import Image

from app.jobs.order import Order, OrderStyle
from app.storage.tables import JobRow
from model.imaging import image_files
from model.imaging.masking import MASK_WORDS
from model.options import OPTIONS_BY_METHOD, Method

SESSION_KEY = "owner"  # in the session's cookie


def sign_in(client, owner: str) -> str:
    """Give a test client the cookie of `owner`."""
    with client.session_transaction() as session:
        session[SESSION_KEY] = owner
    return owner


def add_result(
    app: Flask,
    owner: str,
    photo: bytes,
    painted: bytes | None = None,
    *,
    styles: Sequence[OrderStyle] = (OrderStyle(name="Flow", id="flow", shipped="flow"),),
    name: str = "My-photo",
    complete: bool = True,
    age: float = 0,
    method: Method = "magenta",
    losses: Sequence[Sequence[float]] = (),
    notes: Sequence[str] = (),
    masks: Sequence[str] = (),
    **options,
) -> str:
    """Store a result and return its id, which is also that of its job. age: seconds since it was painted.

    losses: (step, loss, content, style, variation) of a refinement.
    """
    library, jobs = app.extensions["library"], app.extensions["jobs"]
    picture = image_files.read(painted or photo)
    size = picture.rgb.shape[1::-1]
    order = Order(
        masks=[mask if mask in MASK_WORDS else library.put_picture(owner, mask.encode()) for mask in masks],
        content=library.put_picture(owner, photo),
        content_name=name,
        styles=list(styles),
        method=method,
        options=OPTIONS_BY_METHOD[method].parse(options),
    )
    job = jobs.submit(owner, order)
    keys = {
        "picture": library.put_picture(owner, image_files.encode(picture)),
        "before": library.put_picture(owner, jpeg(photo, 1024)),
        "thumbnail": library.put_picture(owner, jpeg(painted or photo, 360)),
    }
    with library.begin() as session:
        row = session.get_one(JobRow, job.id)
        recipe = _recipe(order, notes)
        facts = {"width": size[0], "height": size[1], "seconds": 3.21, "weights": recipe["weights"], "recipe": recipe}
        library.add_result(session, row, **keys, **facts, complete=complete)
        row.state, row.finished = ("done" if complete else "cancelled"), time.time()
        if method == "gatys":
            row.losses = [list(one) for one in losses]
    if age:
        make_older(app, job.id, age)
    return job.id


def _recipe(order: Order, notes: Sequence[str]) -> dict:
    noted = {"notes": list(notes)} if notes else {}
    if order.method == "magenta":
        return {"method": "magenta", "weights": "negative", "strength": order.options.strength} | noted
    used = order.options.model_dump(mode="json", exclude={"weights", "format", "quality", "size"}, exclude_none=True)
    return {"method": "gatys", "weights": order.options.encoder} | used | noted


def make_older(app: Flask, id: str, seconds: float) -> None:
    from app.storage.tables import ResultRow

    with app.extensions["library"].begin() as session:
        row = session.get_one(ResultRow, id)
        row.created -= seconds
        row.expires -= seconds


def jpeg(data: bytes, side: int) -> bytes:
    return image_files.encode(image_files.read(data, limit=side), "jpeg", 85)


def with_place(photo: bytes) -> bytes:
    """Return `photo` with the metadata of a camera: its model, and where the photo was taken."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Leica", "M6-of-Ann"  # make and model
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)})  # GPS
    Image.open(io.BytesIO(photo)).convert("RGB").save(file, "JPEG", exif=exif, quality=95)
    return file.getvalue()


def files_of(app: Flask) -> set[str]:
    """Return the names of the files in the folder of pictures."""
    folder = app.extensions["settings"].data_dir / "pictures"
    return {path.name for path in folder.rglob("*") if path.is_file()}
