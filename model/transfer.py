"""A photo and some paintings in, a pastiche out: what every door calls."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from model import images, vectors, weights
from model.errors import InvalidOption
from model.images import ImageSource, Picture
from model.options import DEFAULT_SIDE, StylizeOptions
from model.progress import Cancelled, OnStep, Step
from model.vectors import StyleFile

if TYPE_CHECKING:
    from model.magenta import Magenta, OnStage

ModelPath = str | os.PathLike[str] | None
PREVIEW_SIDE = 384  # pixels, long side of what on_step is shown first
STYLE_LIMIT = 1024  # pixels; the predictor looks at 256, more would only be carried around
LARGEST = 1e6  # of a style vector's numbers, which seldom pass 10; enormous ones would overflow into a picture of NaN


@dataclass(frozen=True)
class Pastiche:
    """The result: the picture, which weights made it, how long that took, and all it takes to make it again."""

    picture: Picture
    weights: str
    seconds: float
    recipe: dict[str, Any]
    complete: bool = True  # False: the best there was when it was cancelled
    notes: list[str] = field(default_factory=list)  # sentences on what did not go as it was asked for


def stylize(
    content: ImageSource,
    styles: Sequence[ImageSource],
    options: StylizeOptions | None = None,
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
) -> Pastiche:
    """`content` in the blend of `styles`: each a picture, a style file, or a style vector as a 1-D array.

    on_step hears of the progress, with a small preview first. If it raises Cancelled, the best so far comes back.

    Raises InvalidOption, ImageError or WeightsError; all pictures are read before the network is loaded.
    """
    start = time.perf_counter()
    options = options or StylizeOptions()
    shares = options.blend_weights(len(styles))
    limit = None if options.size else DEFAULT_SIDE
    photo = images.read(content, field="content", long_side=options.size, limit=limit)
    readied = [read_style(style) for style in styles]
    network = _network(model_path)
    plan = _Plan(network, options.strength, shares, [_vector(network, style) for style in readied])
    pastiche = plan.paint(photo) if on_step is None else _paint_in_steps(plan, photo, on_step)
    return replace(pastiche, seconds=time.perf_counter() - start)


@dataclass(frozen=True)
class _Plan:
    network: Magenta
    strength: float
    shares: list[float]
    vectors: list[np.ndarray]

    def paint(self, photo: Picture, on_stage: OnStage | None = None) -> Pastiche:
        start = time.perf_counter()
        vector = np.average(self.vectors, axis=0, weights=self.shares).astype("float32")
        if self.strength < 1:
            own = self.network.embed(photo.rgb)
            vector = own + np.float32(self.strength) * (vector - own)
        rgb = self.network.render(photo.rgb, vector, on_stage)
        seconds = time.perf_counter() - start
        return Pastiche(Picture(rgb, photo.alpha), self.network.name, seconds, _recipe(self, photo))


def _paint_in_steps(plan: _Plan, photo: Picture, on_step: OnStep) -> Pastiche:
    """A small copy first: it is soon there to be seen, and tells how long the rest will take."""
    small = images.read(as_array(photo), limit=PREVIEW_SIDE)
    clock = _StageClock(photo.rgb.size / small.rgb.size)
    preview = plan.paint(small, clock.note)
    clock.start()

    def on_stage(done: int, stages: int) -> None:
        on_step(Step(done + 1, stages + 1, clock.left(done), None if done else preview.picture))

    try:
        return plan.paint(photo, on_stage)
    except Cancelled:
        return replace(preview, complete=False)


class _StageClock:
    """Stages take the shares of the time that they took for a small picture, `scale` times smaller."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._marks: list[float] = []

    def note(self, done: int, stages: int) -> None:
        self._marks.append(time.perf_counter())

    def start(self) -> None:
        self._started = time.perf_counter()

    def left(self, done: int) -> float:
        """Seconds, after so many stages."""
        whole = self._marks[-1] - self._marks[0]
        if not done:
            return whole * self._scale
        share = (self._marks[done] - self._marks[0]) / whole
        return (time.perf_counter() - self._started) * (1 - share) / share


def style_vector(style: ImageSource, model_path: ModelPath = None) -> np.ndarray:
    """The numbers the network sees in a painting, (n,) float32; give them back as a style at any time."""
    readied = read_style(style)
    return _vector(_network(model_path), readied).copy()


def style_file(
    styles: Sequence[ImageSource],
    shares: Sequence[float],
    model_path: ModelPath = None,
    *,
    name: str,
    credit: str = "",
    licence: str = "",
) -> StyleFile:
    """The average of `styles` in the proportions of `shares`, to keep; InvalidOption where a text is too long."""
    readied = [read_style(style) for style in styles]
    network = _network(model_path)
    vector = np.average([_vector(network, style) for style in readied], axis=0, weights=shares).astype("float32")
    about = {"name": name, "credit": credit, "licence": licence}
    return StyleFile.parse(**about, weights=network.name, weights_sha256=network.sha256, vector=vector)


def ready() -> str:
    """Loads the weights that `stylize` uses by default and returns their name."""
    return identity()[0]


def identity(model_path: ModelPath = None) -> tuple[str, str]:
    """Name and sha256 of the weights: style vectors belong to those that made them."""
    network = _network(model_path)
    return network.name, network.sha256


def _network(model_path: ModelPath) -> Magenta:
    from model import magenta  # loads TensorFlow

    return magenta.load(weights.choose(model_path))


def read_style(style: ImageSource, limit: int = STYLE_LIMIT) -> np.ndarray | StyleFile:
    """(H, W, 3) of a picture, its long side at most `limit` pixels; a style vector as it is."""
    if isinstance(style, np.ndarray) and style.ndim == 1:
        return style
    if isinstance(style, np.ndarray | Image.Image):
        return images.read(style, field="style", limit=limit).rgb
    data = images.contents(style, field="style")
    if vectors.looks_like_one(data):
        return StyleFile.from_bytes(data)
    return images.read(data, field="style", limit=limit).rgb


def _vector(network: Magenta, style: np.ndarray | StyleFile) -> np.ndarray:
    if isinstance(style, StyleFile):
        if style.weights_sha256 != network.sha256:
            raise InvalidOption(
                f"The style file '{style.name}' was made with the weights '{style.weights}' and fits no others; the "
                f"weights here are '{network.name}'. Use the painting itself, or those weights.",
                "style",
            )
        style = style.vector
    if style.ndim != 1:
        return network.embed(style)
    size = network.architecture.vector_size
    if style.shape != (size,) or style.dtype.kind != "f" or not np.abs(style).max() <= LARGEST:
        raise InvalidOption(
            f"A style vector for the weights '{network.name}' is {size} decimal numbers of ordinary size, not these "
            f"{style.size} of type {style.dtype}: make one from the painting with style_vector().",
            "style",
        )
    return style.astype("float32")


def _recipe(plan: _Plan, photo: Picture) -> dict[str, Any]:
    height, width = photo.rgb.shape[:2]
    digests = [hashlib.sha256(vector.tobytes()).hexdigest() for vector in plan.vectors]
    return {
        "method": "magenta",
        "weights": plan.network.name,
        "weights_sha256": plan.network.sha256,
        "strength": plan.strength,
        "width": width,
        "height": height,
        "styles": [{"weight": w, "vector_sha256": d} for w, d in zip(plan.shares, digests, strict=True)],
    }


def as_array(photo: Picture) -> np.ndarray:
    return photo.rgb if photo.alpha is None else np.dstack([photo.rgb, photo.alpha])
