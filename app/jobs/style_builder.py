"""Styles of the library, made from paintings and style files while the caller waits: they are no jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.failures import shorten
from app.jobs.painter import Painter
from app.jobs.render_engine import RenderEngine
from app.jobs.rendering import THUMBNAIL_SIDE
from app.storage import gallery
from app.storage.library import Library
from app.storage.records import Style
from model.errors import InvalidOption
from model.imaging import image_files
from model.imaging.image_files import ImageSource
from model.options import MAX_STYLES, StylizeOptions
from model.pipelines.recipe_builder import pixels_sha256
from model.pipelines.stylization import MAX_STYLE_SIDE
from model.style_file import CREDIT_LENGTH, StyleFile
from model.weights import style_networks

_PICTURE_QUALITY, _THUMBNAIL_QUALITY = 95, 85


@dataclass(frozen=True)
class _Appearance:
    """The data of a style: a picture or a vector for the network, a thumbnail for people."""

    thumbnail: bytes
    picture: bytes | None = None
    vector: np.ndarray | None = None
    network: bytes | None = None
    weights: str | None = None
    weights_sha256: str | None = None


def check_painting_count(count: int) -> None:
    if not 1 <= count <= MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} paintings as 'picture', or a 'vector'.", "picture")


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
    """Add a style: of one painting its picture or its vector, of several the average of their vectors."""
    check_painting_count(len(pictures))
    if len(pictures) == 1 and keep == "picture":
        # Without a turn, as it needs no network; callers limit how many are decoded at once.
        appearance = _picture_appearance(pictures[0])
    else:
        painter = engine.painter
        appearance = engine.run(
            lambda: _vector_appearance(painter, [_predict_vector(painter, picture) for picture in pictures])
        )
    return _add_to_library(library, owner, appearance, name, credit, licence)


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
    """Add the average of several styles."""
    if not 2 <= len(styles) <= MAX_STYLES:
        raise InvalidOption(f"Choose between 2 and {MAX_STYLES} styles to average.", "styles")
    painter = engine.painter
    appearance = engine.run(
        lambda: _vector_appearance(painter, [_style_vector(library, painter, style) for style in styles])
    )
    return _add_to_library(library, owner, appearance, name, credit.strip() or _average_credit(styles), licence)


def add_file(library: Library, engine: RenderEngine, owner: str, data: bytes) -> Style:
    file = StyleFile.from_bytes(data, "vector")

    def appearance() -> _Appearance:
        if not file.is_imported:
            _check_weights(engine.painter, file.name, file.weights, file.weights_sha256)
        return _file_appearance(engine.painter, file)

    return _add_to_library(library, owner, engine.run(appearance), file.name, file.credit, file.licence)


def export_file(library: Library, engine: RenderEngine, style: Style) -> StyleFile:
    """Return a style as a style file, with its own network; the vector of one that is a picture is computed."""
    if style.vector is not None:
        vector, weights, sha256 = style.vector, style.weights, style.weights_sha256
    else:
        painter = engine.painter
        vector, weights, sha256 = engine.run(
            lambda: (_style_vector(library, painter, style), *painter.weights_identity())
        )
    words = {"name": style.name, "credit": style.credit, "licence": style.licence}
    fields = words | {"vector": vector, "weights": weights, "weights_sha256": sha256}
    network = _own_network(library, style, sha256 or "")
    return StyleFile.with_network(network, **fields) if network else StyleFile.parse(**fields)


def _own_network(library: Library, style: Style, weights_sha256: str) -> bytes | None:
    """Return the file of a style's own network: a stored one, or the one that ships for these weights."""
    if style.network:
        return library.picture(style.network)
    if style.file is None:
        return None
    pixels = image_files.read(style.file, field="style", limit=MAX_STYLE_SIDE).rgb
    return style_networks.for_painting(pixels_sha256(pixels), weights_sha256)


def _add_to_library(
    library: Library, owner: str, appearance: _Appearance, name: str, credit: str, licence: str
) -> Style:
    return library.add_style(
        owner,
        name=name,
        credit=credit,
        licence=licence,
        picture=appearance.picture,
        thumbnail=appearance.thumbnail,
        vector=appearance.vector,
        network=appearance.network,
        weights=appearance.weights,
        weights_sha256=appearance.weights_sha256,
    )


def _picture_appearance(data: bytes) -> _Appearance:
    """Encode without metadata, and no larger than the networks need."""
    picture = image_files.read(data, field="picture", limit=MAX_STYLE_SIDE)
    small = image_files.read(image_files.encode(picture), field="picture", limit=THUMBNAIL_SIDE)
    thumbnail = image_files.encode(small, "jpeg", _THUMBNAIL_QUALITY)
    return _Appearance(thumbnail, picture=image_files.encode(picture, "jpeg", _PICTURE_QUALITY))


def _vector_appearance(painter: Painter, vectors: Sequence[np.ndarray]) -> _Appearance:
    """Paint the sample photo as the thumbnail, which also refuses vectors that do not fit the weights."""
    weights, sha256 = painter.weights_identity()
    vector = np.mean(vectors, axis=0, dtype="float32")
    return _Appearance(_painted_sample(painter, vector), vector=vector, weights=weights, weights_sha256=sha256)


def _file_appearance(painter: Painter, file: StyleFile) -> _Appearance:
    """Take over a style file; painting the thumbnail refuses vectors and networks that do not fit the weights."""
    thumbnail = _painted_sample(painter, file.to_bytes())
    return _Appearance(
        thumbnail,
        vector=file.vector,
        network=file.network,
        weights=file.weights,
        weights_sha256=file.weights_sha256,
    )


def _painted_sample(painter: Painter, style: ImageSource) -> bytes:
    sample = painter.stylize(gallery.SAMPLE_PHOTO, [style], StylizeOptions(size=THUMBNAIL_SIDE))
    return image_files.encode(sample.picture, "jpeg", _THUMBNAIL_QUALITY)


def _predict_vector(painter: Painter, data: bytes) -> np.ndarray:
    return painter.style_vector(image_files.read(data, field="picture", limit=MAX_STYLE_SIDE).rgb)


def _style_vector(library: Library, painter: Painter, style: Style) -> np.ndarray:
    if style.vector is None or style.picture:
        return painter.style_vector(_style_picture(library, style))
    if not style.vector.size:
        sentence = f"The style '{style.name}' is an imported network, which has no numbers to average: leave it out."
        raise InvalidOption(sentence, "styles")
    _check_weights(painter, style.name, style.weights, style.weights_sha256)
    return style.vector


def _style_picture(library: Library, style: Style) -> ImageSource:
    return style.file or library.picture(style.picture or "")


def _check_weights(painter: Painter, name: str, weights: str | None, sha256: str | None) -> None:
    here, here_sha256 = painter.weights_identity()
    if sha256 != here_sha256:
        raise InvalidOption(
            f"The style '{name}' was made with the weights '{weights}' and fits no others; this server paints with "
            f"'{here}'. Add the painting itself instead.",
            "vector",
        )


def _average_credit(styles: Sequence[Style]) -> str:
    return shorten("The average of " + ", ".join(style.name for style in styles), CREDIT_LENGTH)
