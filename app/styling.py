"""Paintings and style files -> styles in the library. Knows no Flask: the pages and the API both add styles here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app import gallery
from app.engine import Engine
from app.library import Library
from app.records import Style
from app.tables import CREDIT_LENGTH
from model import images, transfer
from model.errors import InvalidOption
from model.images import ImageSource
from model.options import MAX_STYLES, StylizeOptions
from model.vectors import StyleFile

THUMBNAIL_SIDE = 360
_KEPT_QUALITY, _THUMBNAIL_QUALITY = 95, 85


@dataclass(frozen=True)
class _Look:
    """What a style looks like: to the networks as a vector or a picture, to people as a thumbnail."""

    thumbnail: bytes
    picture: bytes | None = None
    vector: np.ndarray | None = None
    weights: str | None = None
    weights_sha256: str | None = None


def add_painting(
    library: Library,
    engine: Engine,
    owner: str,
    pictures: Sequence[bytes],
    *,
    name: str,
    credit: str = "",
    licence: str = "",
    keep: Literal["picture", "vector"] = "picture",
) -> Style:
    """One painting, kept as it is or as its vector alone; several become one style, the average of their vectors."""
    _check_count(len(pictures), "picture")
    if len(pictures) == 1 and keep == "picture":
        look = _of_picture(pictures[0])  # without a turn: it needs no network, and who calls bounds how many there are
    else:
        look = engine.run(lambda: _of_vectors([_embedded(picture) for picture in pictures]))
    return _add(library, owner, look, name, credit, licence)


def add_average(
    library: Library,
    engine: Engine,
    owner: str,
    styles: Sequence[Style],
    *,
    name: str,
    credit: str = "",
    licence: str = "",
) -> Style:
    """Several styles of the library as one."""
    if not 2 <= len(styles) <= MAX_STYLES:
        raise InvalidOption(f"Choose between 2 and {MAX_STYLES} styles to average.", "styles")
    look = engine.run(lambda: _of_vectors([_vector(library, style) for style in styles]))
    return _add(library, owner, look, name, credit.strip() or _credit(styles), licence)


def add_file(library: Library, engine: Engine, owner: str, data: bytes) -> Style:
    file = StyleFile.from_bytes(data, "vector")

    def look() -> _Look:
        _check_weights(file.name, file.weights, file.weights_sha256)
        return _of_vectors([file.vector])

    return _add(library, owner, engine.run(look), file.name, file.credit, file.licence)


def style_file(library: Library, engine: Engine, style: Style) -> StyleFile:
    """What is exported; a style that is kept as a picture is looked at for it."""
    if style.vector is not None:
        vector, weights, sha256 = style.vector, style.weights, style.weights_sha256
    else:
        vector, weights, sha256 = engine.run(lambda: (_vector(library, style), *transfer.identity()))
    words = {"name": style.name, "credit": style.credit, "licence": style.licence}
    return StyleFile.parse(**words, vector=vector, weights=weights, weights_sha256=sha256)


def _add(library: Library, owner: str, look: _Look, name: str, credit: str, licence: str) -> Style:
    return library.add_style(
        owner,
        name=name,
        credit=credit,
        licence=licence,
        picture=look.picture,
        thumbnail=look.thumbnail,
        vector=look.vector,
        weights=look.weights,
        weights_sha256=look.weights_sha256,
    )


def _of_picture(data: bytes) -> _Look:
    """JPEG files with nothing in them but what is seen, and no larger than the networks look at."""
    picture = images.read(data, field="picture", limit=transfer.STYLE_LIMIT)
    small = images.read(images.encode(picture), field="picture", limit=THUMBNAIL_SIDE)
    thumbnail = images.encode(small, "jpeg", _THUMBNAIL_QUALITY)
    return _Look(thumbnail, picture=images.encode(picture, "jpeg", _KEPT_QUALITY))


def _of_vectors(vectors: Sequence[np.ndarray]) -> _Look:
    """Numbers cannot be looked at: what they make of the cat can. This is also where wrong ones are found out."""
    weights, sha256 = transfer.identity()
    vector = np.mean(vectors, axis=0, dtype="float32")
    painted = transfer.stylize(gallery.SAMPLE, [vector], StylizeOptions(size=THUMBNAIL_SIDE))
    thumbnail = images.encode(painted.picture, "jpeg", _THUMBNAIL_QUALITY)
    return _Look(thumbnail, vector=vector, weights=weights, weights_sha256=sha256)


def _embedded(data: bytes) -> np.ndarray:
    return transfer.style_vector(images.read(data, field="picture", limit=transfer.STYLE_LIMIT).rgb)


def _vector(library: Library, style: Style) -> np.ndarray:
    if style.vector is None:
        return transfer.style_vector(_painting(library, style))
    _check_weights(style.name, style.weights, style.weights_sha256)
    return style.vector


def _painting(library: Library, style: Style) -> ImageSource:
    return style.file or library.picture(style.picture or "")


def _check_weights(name: str, weights: str | None, sha256: str | None) -> None:
    here, here_sha256 = transfer.identity()
    if sha256 != here_sha256:
        raise InvalidOption(
            f"The style '{name}' was made with the weights '{weights}' and fits no others; this server paints with "
            f"'{here}'. Add the painting itself instead.",
            "vector",
        )


def _check_count(given: int, field: str) -> None:
    if not 1 <= given <= MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} paintings, not {given}.", field)


def _credit(styles: Sequence[Style]) -> str:
    text = "The average of " + ", ".join(style.name for style in styles)
    return text if len(text) <= CREDIT_LENGTH else text[: CREDIT_LENGTH - 1] + "…"
