"""Stylization: a photo in the blend of some styles, by one pass of the network."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

import numpy as np
from PIL import Image

from model import style_file
from model.errors import InvalidOption, WeightsBroken
from model.hardware.device import gc_disabled
from model.imaging import color, image_files, masking, pixel_ops, scratch, vips_writer
from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import EightBitPicture, Picture, Resolution
from model.imaging.scratch import DiskArray
from model.options import DEFAULT_DPI, StylizeOptions
from model.pipelines import gallery, recipe_builder, style_mixing
from model.pipelines.coarse_to_fine import BRUSH_SIDE
from model.pipelines.style_mixing import PaintableStyle, StylePoint
from model.progress import Cancelled, OnStage, OnStep, Step
from model.style_file import StyleFile
from model.weights import johnson_files, registry, style_networks

if TYPE_CHECKING:
    from model.inference.magenta import Magenta
    from model.pipelines.compositing import StyleLayer, WritableRows

NetworkT = TypeVar("NetworkT")
ModelPath = str | os.PathLike[str] | None
PREVIEW_SIDE = BRUSH_SIDE  # pixels, long side of the preview that on_step gets first: as the result will look
STOPPED_EARLY = "It was stopped early: this is the small picture that was painted first."
SHARED_PAINTED = (
    "A style's own network has strokes and colours of its own: with another brush size, or the photo's colours, the "
    "network for all styles painted."
)
FULL_AT_MOST = "An imported network has one look: above strength 1 it paints as at 1."
NOTHING_SHARED = "An imported network has no style vector, so it painted by itself, not the network for all styles."
NEVER_IN_PIECES = "An imported network paints a picture as a whole, never in pieces."
MAX_STYLE_SIDE = 1024  # pixels, of a painting; the predictor sees 256 of them
COLOUR_MATCH_SIDE = 256  # pixels, of the copy of the photo that a painting's colours are matched to
MAX_VECTOR_VALUE = 1e6  # of a style vector's numbers, which seldom pass 10; enormous ones would give pixels of NaN
_WARMUP_SIDE = 64  # pixels


@dataclass(frozen=True)
class Pastiche:
    """A result: the picture, the weights that made it, the seconds that took, and the recipe to make it again."""

    picture: Picture
    weights: str
    seconds: float
    recipe: dict[str, Any]
    complete: bool = True  # False: the best picture there was when it was cancelled
    notes: list[str] = field(default_factory=list)  # sentences on what was done otherwise than asked for


def stylize(
    content: ImageSource,
    styles: Sequence[ImageSource],
    options: StylizeOptions | None = None,
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
    masks: Sequence[ImageSource] = (),
) -> Pastiche:
    """Paint `content` in the blend of `styles`: each a picture, a style file, or a style vector as a 1-D array.

    masks: where each layer of paint goes, white for paint; pictures, or the words "alpha" (what is opaque in the photo)
    and "everywhere". Later ones lie on top, and where none reaches, the photo stays to the bit.
    on_step: called with the progress, first with a small preview. If it raises Cancelled, the best picture so far is
    returned.

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
    """The layers of paint for a photo, and the recipe so far: everything but the photo itself."""

    network: Magenta
    options: StylizeOptions
    layers: list[StyleLayer]
    recipe: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def paint(self, photo: Picture, on_stage: OnStage | None = None) -> Pastiche:
        start, canvas = time.perf_counter(), np.empty_like(photo.rgb)
        notes = self.paint_into(photo, canvas, on_stage)
        picture = Picture(canvas, photo.alpha, self.dpi(photo.dpi))
        recipe = self.recipe | recipe_builder.photo_fields(photo.rgb)
        return Pastiche(picture, self.network.name, time.perf_counter() - start, recipe, notes=notes)

    def paint_into(
        self, photo: Picture | EightBitPicture, canvas: WritableRows, on_stage: OnStage | None = None
    ) -> list[str]:
        """Fill `canvas`, as large as the photo, and return the notes on it."""
        from model.pipelines import compositing  # loads TensorFlow

        alpha = None if photo.alpha is None else pixel_ops.as_uint8(photo.alpha)
        layers = self.layers
        painted = compositing.paint_layers(self.network, layers, photo.rgb, alpha, canvas, self.options, on_stage)
        return [*self.notes, *painted]

    def dpi(self, own: Resolution | None) -> Resolution | None:
        """Return the result's resolution for the photo's own."""
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
    """Read styles and masks, load the network, and embed the styles; raises as `stylize` does."""
    originals = [read_style(style, limit=style_limit(options)) for style in styles]
    _check_painting_options(originals, options)
    read_masks = masking.read_masks(masks, photo)
    network = load_network(model_path)

    from model.pipelines import compositing  # loads TensorFlow

    matched = [_match_style_colours(style, photo.rgb, options) for style in originals]
    points = [_style_point(network, *style, options) for style in zip(originals, matched, strict=True)]
    layers = compositing.build_layers(network, photo.rgb, points, shares, options, read_masks)
    recipe = recipe_builder.stylize_recipe(network, options, shares, originals, points, layers)
    notes = [*_own_network_notes(network, originals, points, options), *_imported_notes(layers, options)]
    return StylizePlan(network, options, layers, recipe, notes)


@dataclass(frozen=True)
class StylizeReport:
    """The report on a pastiche that was written into a file."""

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
    edit_recipe: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> StylizeReport:
    """Stylize into a file of the kind that the options name; a large result is never in memory as a whole.

    edit_recipe: returns the recipe to embed in place of the one it is given. An exception of on_step is passed on, and
    no file is written then.
    """
    start = time.perf_counter()
    options = options or StylizeOptions()
    shares = options.blend_weights(len(styles))
    options.resolve_regions(len(masks), len(styles))
    photo = image_files.read_eight_bit(content, field="content", target=options.result_size)
    masking.check_alpha(masks, content)
    image_files.check_format_sides(photo.rgb.shape, options.format)
    output.parent.mkdir(parents=True, exist_ok=True)  # fails now rather than after minutes
    plan = build_plan(photo, styles, shares, options, masks, model_path)
    recipe = edit_recipe(plan.recipe | recipe_builder.photo_fields(photo.rgb))
    with scratch.temporary_folder() as folder, scratch.DiskArray(folder, photo.rgb.shape, "uint8") as rgb:
        notes = plan.paint_into(photo, rgb, None if on_step is None else _stage_callback(on_step))
        with _append_alpha(rgb, photo.alpha, folder) as pixels:
            dpi = plan.dpi(photo.dpi)
            vips_writer.save(pixels, output, options.format, options.quality, dpi=dpi, recipe=recipe)
    height, width = photo.rgb.shape[:2]
    return StylizeReport(width, height, plan.network.name, time.perf_counter() - start, recipe, notes)


def _stage_callback(on_step: OnStep) -> OnStage:
    """Turn stages into steps, with the time left estimated as if all stages took alike."""
    start = time.perf_counter()

    def on_stage(done: int, stages: int) -> None:
        left = (time.perf_counter() - start) * (stages - done) / done if done else None
        on_step(Step(done, stages, left))

    return on_stage


@contextmanager
def _append_alpha(rgb: DiskArray, alpha: np.ndarray | None, folder: Path) -> Iterator[DiskArray]:
    if alpha is None:
        yield rgb
        return
    height, width = alpha.shape
    with scratch.DiskArray(folder, (height, width, 4), "uint8") as rgba:
        for rows in pixel_ops.row_bands(height):
            rgba[rows] = np.dstack([rgb[rows], alpha[rows]])
        yield rgba


def _check_painting_options(styles: Sequence[np.ndarray | StyleFile], options: StylizeOptions) -> None:
    """Raise InvalidOption for an option that needs the painting where a style is a vector or style file."""
    name = options.option_needing_painting()
    if name and not all(is_painting(style) for style in styles):
        sentence = f"'{name}' needs the painting itself: of a style vector or style file only the strokes are left."
        raise InvalidOption(sentence, name)


def _match_style_colours(
    style: np.ndarray | StyleFile, photo: np.ndarray, options: StylizeOptions
) -> np.ndarray | StyleFile:
    if isinstance(style, StyleFile) or style.ndim == 1:
        return style
    return color.match_colours(style, pixel_ops.thumbnail_float(photo, COLOUR_MATCH_SIDE), options.match_colours)


def _style_point(
    network: Magenta, original: np.ndarray | StyleFile, matched: np.ndarray | StyleFile, options: StylizeOptions
) -> PaintableStyle:
    """Return where a style lies: at the network of its own, if it has one and that is wanted, else at its vector.

    An imported network lies nowhere: it is returned itself.
    """
    if isinstance(original, StyleFile) and original.is_imported:
        return _decode_network(johnson_files.decode, original.network or b"")
    vector = _embed_style(network, matched, options.style_scale)
    own = _own_network_file(network, original) if options.network == "auto" else None
    if own is None or matched is not original or options.style_scale != 1:
        return StylePoint(vector)
    return StylePoint(vector, ((_decode_network(style_networks.decode, own).network, 1.0),))


def _decode_network(decode: Callable[[bytes], NetworkT], data: bytes) -> NetworkT:
    """Decode the network of a style; raise InvalidOption where it is none, as whoever gave the style is at fault."""
    try:
        return decode(data)
    except WeightsBroken as error:
        raise InvalidOption(str(error), "style") from error


def _own_network_notes(
    network: Magenta,
    styles: Sequence[np.ndarray | StyleFile],
    points: Sequence[PaintableStyle],
    options: StylizeOptions,
) -> list[str]:
    """Say where a style's own network was wanted but could not paint."""
    pairs = zip(styles, points, strict=True)
    painted_by_shared = [style for style, point in pairs if isinstance(point, StylePoint) and not point.networks]
    if options.network == "shared" or not any(_own_network_file(network, style) for style in painted_by_shared):
        return []
    return [SHARED_PAINTED]


def _imported_notes(layers: Sequence[StyleLayer], options: StylizeOptions) -> list[str]:
    """Say which options an imported network could not follow."""
    strengths = [layer.strength for layer in layers if style_mixing.imported_share(layer.parts)]
    if not strengths:
        return []
    notes = {
        FULL_AT_MOST: max(strengths) > 1 and not options.steady,
        NOTHING_SHARED: options.network == "shared",
        NEVER_IN_PIECES: options.tiles == "always",
    }
    return [note for note, applies in notes.items() if applies]


def _own_network_file(network: Magenta, style: np.ndarray | StyleFile) -> bytes | None:
    """Return the file of a style's own network: that of its file, or the one that ships for a painting."""
    if isinstance(style, StyleFile):
        return style.network
    if not is_painting(style):
        return None
    return style_networks.for_painting(recipe_builder.pixels_sha256(style), network.sha256)


def _paint_with_preview(plan: StylizePlan, photo: Picture, on_step: OnStep) -> Pastiche:
    """Paint a small copy first, as a preview and to measure how long the rest will take."""
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
    """Return the preview as the result of a cancelled pastiche of the shape `asked`."""
    smaller = max(preview.picture.rgb.shape) < max(asked)
    return replace(preview, complete=False, notes=[*preview.notes, *([STOPPED_EARLY] if smaller else [])])


class _StageClock:
    """Estimates the time left from the stages of a small picture, `scale` times smaller."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._marks: list[float] = []

    def record(self, done: int, stages: int) -> None:
        self._marks.append(time.perf_counter())

    def start(self) -> None:
        self._started = time.perf_counter()

    def seconds_left(self, done: int, stages: int) -> float:
        """Return the seconds left after so many stages; other stages, the pieces of a large picture, count alike."""
        whole = self._marks[-1] - self._marks[0]
        if not done:
            return whole * self._scale
        alike = len(self._marks) != stages + 1
        share = done / stages if alike else (self._marks[done] - self._marks[0]) / whole
        return (time.perf_counter() - self._started) * (1 - share) / share


def style_vector(style: ImageSource, model_path: ModelPath = None) -> np.ndarray:
    """Return the numbers that the network sees in a painting, (n,) float32; they can stand for it as a style."""
    read = read_style(style)
    return _embed_style(load_network(model_path), read).copy()


def make_style_file(
    styles: Sequence[ImageSource],
    shares: Sequence[float],
    model_path: ModelPath = None,
    *,
    name: str,
    credit: str = "",
    licence: str = "",
) -> StyleFile:
    """Average `styles` in the proportions of `shares` into a style file; raise InvalidOption for texts too long.

    That of a single style holds its own network, if it has one.
    """
    read = [read_style(style) for style in styles]
    network = load_network(model_path)
    vector = np.average([_embed_style(network, style) for style in read], axis=0, weights=shares).astype("float32")
    fields = {"name": name, "credit": credit, "licence": licence, "vector": vector}
    fields |= {"weights": network.name, "weights_sha256": network.sha256}
    own = _own_network_file(network, read[0]) if len(read) == 1 else None
    return StyleFile.with_network(own, **fields) if own else StyleFile.parse(**fields)


def warm_up() -> str:
    """Load the default weights and return their name, so that the first picture takes no longer than others.

    A small picture is painted and dropped: much is loaded only when it is computed with.
    """
    network = load_network(None)
    grey = np.full((_WARMUP_SIDE, _WARMUP_SIDE, 3), 0.5, "float32")
    network.render(grey, network.embed(grey))
    return network.name


def weights_identity(model_path: ModelPath = None) -> tuple[str, str]:
    """Return name and sha256 of the weights; style vectors fit only the weights that made them."""
    network = load_network(model_path)
    return network.name, network.sha256


def load_network(model_path: ModelPath = None) -> Magenta:
    """Load the network of these weights, or of the best on this machine."""
    with gc_disabled():
        from model.inference import magenta  # loads TensorFlow

    return magenta.load(registry.choose(model_path))


def style_limit(options: StylizeOptions) -> int:
    """Return the long side, in pixels, up to which paintings are read."""
    return round(MAX_STYLE_SIDE * max(1.0, options.style_scale))


def is_painting(style: np.ndarray | StyleFile) -> TypeGuard[np.ndarray]:
    """Tell a painting, (H, W, 3), from a style vector or style file."""
    return isinstance(style, np.ndarray) and style.ndim == 3


def read_style(style: ImageSource, limit: int = MAX_STYLE_SIDE) -> np.ndarray | StyleFile:
    """Read a picture as (H, W, 3), its long side at most `limit` pixels; return a style vector as it is.

    The name of a style of the gallery, such as "flow", stands for its painting.
    """
    if isinstance(style, np.ndarray) and style.ndim == 1:
        return style
    if isinstance(style, np.ndarray | Image.Image):
        return image_files.read(style, field="style", limit=limit).rgb
    data = image_files.read_bytes(gallery.find(style) or style, field="style")
    if style_file.is_style_file(data):
        return StyleFile.from_bytes(data)
    return image_files.read(data, field="style", limit=limit).rgb


def _embed_style(network: Magenta, style: np.ndarray | StyleFile, style_scale: float = 1.0) -> np.ndarray:
    if isinstance(style, StyleFile):
        _check_has_vector(style)
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


def _check_has_vector(style: StyleFile) -> None:
    """Raise InvalidOption for an imported network, where numbers are needed."""
    if style.is_imported:
        raise InvalidOption(
            f"The style '{style.name}' is an imported network, which has no style vector: it can paint and be blended, "
            "not be averaged into a style. Give a painting, or a style file with a vector.",
            "style",
        )
