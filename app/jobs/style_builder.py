"""Paintings and style files -> styles in the library. Knows no Flask: the pages and the API both add styles here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.jobs.engine import RenderEngine
from app.storage import gallery
from app.storage.library import Library
from app.storage.records import Style
from app.storage.tables import CREDIT_LENGTH
from model.errors import InvalidOption
from model.imaging import image_files
from model.imaging.image_files import ImageSource
from model.options import MAX_STYLES, StylizeOptions
from model.pipelines import stylization
from model.style_file import StyleFile

THUMBNAIL_SIDE = 360
_PICTURE_QUALITY, _THUMBNAIL_QUALITY = 95, 85


@dataclass(frozen=True)
class _Appearance:
    """What a style looks like: to the networks as a vector or a picture, to people as a thumbnail."""

    thumbnail: bytes
    picture: bytes | None = None
    vector: np.ndarray | None = None
    weights: str | None = None
    weights_sha256: str | None = None


def add_painting(
    library: Library,
    engine: RenderEngine,
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
        look = _picture_appearance(
            pictures[0]
        )  # without a turn: it needs no network, and who calls bounds how many there are
    else:
        look = engine.run(lambda: _vector_appearance([_predict_vector(picture) for picture in pictures]))
    return _add_to_library(library, owner, look, name, credit, licence)


def add_average(
    library: Library,
    engine: RenderEngine,
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
    look = engine.run(lambda: _vector_appearance([_style_vector(library, style) for style in styles]))
    return _add_to_library(library, owner, look, name, credit.strip() or _average_credit(styles), licence)


def add_file(library: Library, engine: RenderEngine, owner: str, data: bytes) -> Style:
    file = StyleFile.from_bytes(data, "vector")

    def look() -> _Appearance:
        _check_weights(file.name, file.weights, file.weights_sha256)
        return _vector_appearance([file.vector])

    return _add_to_library(library, owner, engine.run(look), file.name, file.credit, file.licence)


def export_file(library: Library, engine: RenderEngine, style: Style) -> StyleFile:
    """What is exported; a style that is kept as a picture is looked at for it."""
    if style.vector is not None:
        vector, weights, sha256 = style.vector, style.weights, style.weights_sha256
    else:
        vector, weights, sha256 = engine.run(lambda: (_style_vector(library, style), *stylization.weights_identity()))
    words = {"name": style.name, "credit": style.credit, "licence": style.licence}
    return StyleFile.parse(**words, vector=vector, weights=weights, weights_sha256=sha256)


def _add_to_library(library: Library, owner: str, look: _Appearance, name: str, credit: str, licence: str) -> Style:
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


def _picture_appearance(data: bytes) -> _Appearance:
    """JPEG files with nothing in them but what is seen, and no larger than the networks look at."""
    picture = image_files.read(data, field="picture", limit=stylization.MAX_STYLE_SIDE)
    small = image_files.read(image_files.encode(picture), field="picture", limit=THUMBNAIL_SIDE)
    thumbnail = image_files.encode(small, "jpeg", _THUMBNAIL_QUALITY)
    return _Appearance(thumbnail, picture=image_files.encode(picture, "jpeg", _PICTURE_QUALITY))


def _vector_appearance(vectors: Sequence[np.ndarray]) -> _Appearance:
    """Numbers cannot be looked at: what they make of the cat can. This is also where wrong ones are found out."""
    weights, sha256 = stylization.weights_identity()
    vector = np.mean(vectors, axis=0, dtype="float32")
    painted = stylization.stylize(gallery.SAMPLE_PHOTO, [vector], StylizeOptions(size=THUMBNAIL_SIDE))
    thumbnail = image_files.encode(painted.picture, "jpeg", _THUMBNAIL_QUALITY)
    return _Appearance(thumbnail, vector=vector, weights=weights, weights_sha256=sha256)


def _predict_vector(data: bytes) -> np.ndarray:
    return stylization.style_vector(image_files.read(data, field="picture", limit=stylization.MAX_STYLE_SIDE).rgb)


def _style_vector(library: Library, style: Style) -> np.ndarray:
    if style.vector is None:
        return stylization.style_vector(_style_picture(library, style))
    _check_weights(style.name, style.weights, style.weights_sha256)
    return style.vector


def _style_picture(library: Library, style: Style) -> ImageSource:
    return style.file or library.picture(style.picture or "")


def _check_weights(name: str, weights: str | None, sha256: str | None) -> None:
    here, here_sha256 = stylization.weights_identity()
    if sha256 != here_sha256:
        raise InvalidOption(
            f"The style '{name}' was made with the weights '{weights}' and fits no others; this server paints with "
            f"'{here}'. Add the painting itself instead.",
            "vector",
        )


def _check_count(given: int, field: str) -> None:
    if not 1 <= given <= MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} paintings, not {given}.", field)


def _average_credit(styles: Sequence[Style]) -> str:
    text = "The average of " + ", ".join(style.name for style in styles)
    return text if len(text) <= CREDIT_LENGTH else text[: CREDIT_LENGTH - 1] + "…"
