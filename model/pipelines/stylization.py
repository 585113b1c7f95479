"""A photo and some paintings in, a pastiche out: what every door calls."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from model import style_file
from model.errors import InvalidOption
from model.hardware.device import gc_disabled
from model.imaging import color, image_files, large_files, masking, pixel_ops, scratch
from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import EightBitPicture, Picture
from model.imaging.scratch import DiskArray
from model.options import DEFAULT_DPI, StylizeOptions
from model.pipelines import recipe_builder
from model.progress import Cancelled, OnStage, OnStep, Step
from model.style_file import StyleFile
from model.weights import registry

if TYPE_CHECKING:
    from model.inference.magenta import Magenta
    from model.pipelines.compositing import StyleLayer, WritableRows

ModelPath = str | os.PathLike[str] | None
PREVIEW_SIDE = 384  # pixels, long side of what on_step is shown first
STOPPED_EARLY = "It was stopped early: this is the small picture that was painted first."
MAX_STYLE_SIDE = 1024  # pixels; the predictor looks at 256, more would only be carried around
COLOUR_MATCH_SIDE = 256  # pixels, of the copy of the photo whose colours a painting is given
_BAND_ROWS = 256  # rows
_WARMUP_SIDE = 64  # pixels
MAX_VECTOR_VALUE = (
    1e6  # of a style vector's numbers, which seldom pass 10; enormous ones would overflow into a picture of NaN
)


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
    masks: Sequence[ImageSource] = (),
) -> Pastiche:
    """`content` in the blend of `styles`: each a picture, a style file, or a style vector as a 1-D array.

    masks: where each layer of paint goes, white for there; pictures, or the words "alpha" (what is opaque in the photo)
    and "everywhere". Later ones lie on top, and where none reaches, the photo stays to the last bit.
    on_step hears of the progress, with a small preview first. If it raises Cancelled, the best so far comes back.

    Raises InvalidOption, ImageError or WeightsError; all pictures are read before the network is loaded.
    """
    start = time.perf_counter()
    options = options or StylizeOptions()
    shares = options.blend_weights(len(styles))
    options.resolve_regions(len(masks), len(styles))
    photo = image_files.read(content, field="content", target=options.result_size)
    masking.check_alpha(masks, content)
    plan = build_plan(photo, styles, shares, options, masks, model_path)
    pastiche = plan.paint(photo) if on_step is None else _paint_with_preview(plan, photo, on_step)
    return replace(pastiche, seconds=time.perf_counter() - start)


@dataclass(frozen=True)
class StylizePlan:
    """What is laid on a photo; `recipe` is all of it but the photo."""

    network: Magenta
    options: StylizeOptions
    layers: list[StyleLayer]
    recipe: dict[str, Any]

    def paint(self, photo: Picture, on_stage: OnStage | None = None) -> Pastiche:
        start, painted = time.perf_counter(), np.empty_like(photo.rgb)
        notes = self.paint_into(photo, painted, on_stage)
        picture = Picture(painted, photo.alpha, self.dpi(photo.dpi))
        seconds = time.perf_counter() - start
        return Pastiche(
            picture, self.network.name, seconds, self.recipe | recipe_builder.photo_fields(photo.rgb), notes=notes
        )

    def paint_into(
        self, photo: Picture | EightBitPicture, painted: WritableRows, on_stage: OnStage | None = None
    ) -> list[str]:
        """Fills `painted`, as large as the photo; the notes on it come back."""
        from model.pipelines import compositing  # loads TensorFlow

        alpha = None if photo.alpha is None else pixel_ops.as_uint8(photo.alpha)
        return compositing.paint_layers(self.network, self.layers, photo.rgb, alpha, painted, self.options, on_stage)

    def dpi(self, own: tuple[float, float] | None) -> tuple[float, float] | None:
        wanted = self.options.dpi or (DEFAULT_DPI if self.options.print else None)
        return (wanted, wanted) if wanted else own


def build_plan(
    photo: Picture | EightBitPicture,
    styles: Sequence[ImageSource],
    shares: Sequence[float],
    options: StylizeOptions,
    masks: Sequence[ImageSource],
    model_path: ModelPath,
) -> StylizePlan:
    readied = [read_style(style, limit=round(MAX_STYLE_SIDE * max(1.0, options.style_scale))) for style in styles]
    _check_painting_options(readied, options)
    drawn = masking.read_masks(masks, photo)
    network = _load_network(model_path)

    from model.pipelines import compositing

    looked_at = [_match_style_colours(style, photo.rgb, options) for style in readied]
    vectors = [_embed_style(network, style, options.style_scale) for style in looked_at]
    layers = compositing.build_layers(network, photo.rgb, vectors, shares, options, drawn)
    return StylizePlan(
        network, options, layers, recipe_builder.stylize_recipe(network, options, shares, readied, vectors, layers)
    )


@dataclass(frozen=True)
class StylizeReport:
    """What became of a pastiche that was written into a file."""

    width: int
    height: int
    weights: str
    seconds: float
    recipe: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def stylize_file(
    content: ImageSource,
    styles: Sequence[ImageSource],
    output: Path,
    options: StylizeOptions | None = None,
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
    masks: Sequence[ImageSource] = (),
    retold: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> StylizeReport:
    """As `stylize`, into a file of the kind that the options say; a large result is never in memory as a whole.

    retold: what the recipe is to say instead of what it would. What on_step raises comes through, and there is no file
    then.
    """
    start = time.perf_counter()
    options = options or StylizeOptions()
    shares = options.blend_weights(len(styles))
    options.resolve_regions(len(masks), len(styles))
    photo = image_files.read_eight_bit(content, field="content", target=options.result_size)
    masking.check_alpha(masks, content)
    image_files.check_format_sides(photo.rgb.shape, options.format)
    output.parent.mkdir(parents=True, exist_ok=True)  # better now than after minutes
    plan = build_plan(photo, styles, shares, options, masks, model_path)
    recipe = retold(plan.recipe | recipe_builder.photo_fields(photo.rgb))
    with scratch.temporary_folder() as folder, scratch.DiskArray(folder, photo.rgb.shape, "uint8") as plane:
        notes = plan.paint_into(photo, plane, None if on_step is None else _stage_callback(on_step))
        with _append_alpha(plane, photo.alpha, folder) as whole:
            dpi = plan.dpi(photo.dpi)
            large_files.save(whole, output, options.format, options.quality, dpi=dpi, recipe=recipe)
    height, width = photo.rgb.shape[:2]
    return StylizeReport(width, height, plan.network.name, time.perf_counter() - start, recipe, notes)


def _stage_callback(on_step: OnStep) -> OnStage:
    """Pieces count alike."""
    start = time.perf_counter()

    def on_stage(done: int, stages: int) -> None:
        left = (time.perf_counter() - start) * (stages - done) / done if done else None
        on_step(Step(done, stages, left))

    return on_stage


@contextmanager
def _append_alpha(plane: DiskArray, alpha: np.ndarray | None, folder: Path) -> Iterator[DiskArray]:
    if alpha is None:
        yield plane
        return
    height, width = alpha.shape
    with scratch.DiskArray(folder, (height, width, 4), "uint8") as whole:
        for top in range(0, height, _BAND_ROWS):
            rows = slice(top, top + _BAND_ROWS)
            whole[rows] = np.dstack([plane[rows], alpha[rows]])
        yield whole


def _check_painting_options(styles: Sequence[np.ndarray | StyleFile], options: StylizeOptions) -> None:
    """Raises InvalidOption for what can be done with a painting and not with its numbers."""
    if all(isinstance(style, np.ndarray) and style.ndim == 3 for style in styles):
        return
    for name, asked in ("match_colours", options.match_colours != "none"), ("style_scale", options.style_scale != 1):
        if asked:
            sentence = f"'{name}' needs the painting itself: of a style vector or style file only the strokes are left."
            raise InvalidOption(sentence, name)


def _match_style_colours(
    style: np.ndarray | StyleFile, photo: np.ndarray, options: StylizeOptions
) -> np.ndarray | StyleFile:
    if isinstance(style, StyleFile) or style.ndim == 1:
        return style
    return color.match_colours(style, pixel_ops.thumbnail_float(photo, COLOUR_MATCH_SIDE), options.match_colours)


def _paint_with_preview(plan: StylizePlan, photo: Picture, on_step: OnStep) -> Pastiche:
    """A small copy first: it is soon there to be seen, and tells how long the rest will take."""
    small = image_files.read(pixel_ops.stack_alpha(photo), limit=PREVIEW_SIDE)
    clock = _StageClock(photo.rgb.size / small.rgb.size)
    preview = plan.paint(small, clock.record)
    clock.start()

    def on_stage(done: int, stages: int) -> None:
        on_step(Step(done + 1, stages + 1, clock.seconds_left(done, stages), None if done else preview.picture))

    try:
        return plan.paint(photo, on_stage)
    except Cancelled:
        return incomplete_pastiche(preview, photo.rgb.shape)


def incomplete_pastiche(preview: Pastiche, asked: tuple[int, ...]) -> Pastiche:
    """The small picture as all there is to keep, where one of the shape `asked` was cancelled."""
    smaller = max(preview.picture.rgb.shape) < max(asked)
    return replace(preview, complete=False, notes=[*preview.notes, *([STOPPED_EARLY] if smaller else [])])


class _StageClock:
    """Stages take the shares of the time that they took for a small picture, `scale` times smaller."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._marks: list[float] = []

    def record(self, done: int, stages: int) -> None:
        self._marks.append(time.perf_counter())

    def start(self) -> None:
        self._started = time.perf_counter()

    def seconds_left(self, done: int, stages: int) -> float:
        """Seconds, after so many stages. Pieces of a large picture are other stages, and count alike."""
        whole = self._marks[-1] - self._marks[0]
        if not done:
            return whole * self._scale
        alike = len(self._marks) != stages + 1
        share = done / stages if alike else (self._marks[done] - self._marks[0]) / whole
        return (time.perf_counter() - self._started) * (1 - share) / share


def style_vector(style: ImageSource, model_path: ModelPath = None) -> np.ndarray:
    """The numbers the network sees in a painting, (n,) float32; give them back as a style at any time."""
    readied = read_style(style)
    return _embed_style(_load_network(model_path), readied).copy()


def make_style_file(
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
    network = _load_network(model_path)
    vector = np.average([_embed_style(network, style) for style in readied], axis=0, weights=shares).astype("float32")
    about = {"name": name, "credit": credit, "licence": licence}
    return StyleFile.parse(**about, weights=network.name, weights_sha256=network.sha256, vector=vector)


def warm_up() -> str:
    """Loads the weights that `stylize` uses by default and returns their name; the first picture is then as any other.

    A small one is painted for nobody: much is loaded only when it is computed with.
    """
    network = _load_network(None)
    grey = np.full((_WARMUP_SIDE, _WARMUP_SIDE, 3), 0.5, "float32")
    network.render(grey, network.embed(grey))
    return network.name


def weights_identity(model_path: ModelPath = None) -> tuple[str, str]:
    """Name and sha256 of the weights: style vectors belong to those that made them."""
    network = _load_network(model_path)
    return network.name, network.sha256


def _load_network(model_path: ModelPath) -> Magenta:
    with gc_disabled():
        from model.inference import magenta  # loads TensorFlow

    return magenta.load(registry.choose(model_path))


def read_style(style: ImageSource, limit: int = MAX_STYLE_SIDE) -> np.ndarray | StyleFile:
    """(H, W, 3) of a picture, its long side at most `limit` pixels; a style vector as it is."""
    if isinstance(style, np.ndarray) and style.ndim == 1:
        return style
    if isinstance(style, np.ndarray | Image.Image):
        return image_files.read(style, field="style", limit=limit).rgb
    data = image_files.read_bytes(style, field="style")
    if style_file.is_style_file(data):
        return StyleFile.from_bytes(data)
    return image_files.read(data, field="style", limit=limit).rgb


def _embed_style(network: Magenta, style: np.ndarray | StyleFile, style_scale: float = 1.0) -> np.ndarray:
    if isinstance(style, StyleFile):
        if style.weights_sha256 != network.sha256:
            raise InvalidOption(
                f"The style file '{style.name}' was made with the weights '{style.weights}' and fits no others; the "
                f"weights here are '{network.name}'. Use the painting itself, or those weights.",
                "style",
            )
        style = style.vector
    if style.ndim != 1:
        return network.embed(style, style_scale)
    size = network.architecture.vector_size
    if style.shape != (size,) or style.dtype.kind != "f" or not np.abs(style).max() <= MAX_VECTOR_VALUE:
        raise InvalidOption(
            f"A style vector for the weights '{network.name}' is {size} decimal numbers of ordinary size, not these "
            f"{style.size} of type {style.dtype}: make one from the painting with style_vector().",
            "style",
        )
    return style.astype("float32")
