"""A fake of the library: it paints negatives, without TensorFlow, and a test can slow it down, hold it or break it."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.jobs.painter import LibraryPainter
from model import style_file
from model.imaging import color, image_files, masking, pixel_ops
from model.imaging.image_files import ImageSource
from model.imaging.masking import Mask
from model.imaging.pixel_ops import Picture
from model.options import DEFAULT_DPI, RefineOptions, SheetOptions, StylizeOptions, TrainOptions
from model.pipelines import contact_sheets, recipe_builder, stylization
from model.pipelines.contact_sheets import ContactSheet
from model.pipelines.forecast import Forecast
from model.pipelines.refine import postprocess
from model.pipelines.style_training import TrainedStyle
from model.pipelines.stylization import Pastiche, StylizeReport
from model.progress import Cancelled, Checkpoint, OnStep, Step
from tests.support.fake_training import DEFAULT_STEPS, FEWER_STEPS, run_training
from tests.support.requests import NEGATIVE, NEGATIVE_SHA256, b64

METHODS = (
    *("warm_up", "weights_identity", "style_vector", "stylize", "stylize_file", "refine"),
    *("make_contact_sheet", "train", "estimate"),
)
HOLD_SECONDS = 60  # that a test may hold the painter at most


class Call(NamedTuple):
    """One call of the painter; `steps`: the numbers of those that it told."""

    method: str
    arguments: dict[str, Any]
    steps: list[int]


@dataclass
class Hold:
    """Stops the painter at a step, where it tells that step again and again, until the test lets it go on."""

    step: int = 1
    repeat_seconds: float | None = 0.05  # between two tellings; None: it tells it once, and so cannot be cancelled
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def wait(self, tell: Callable[[], object] = lambda: None) -> None:
        self.reached.set()
        deadline = time.monotonic() + HOLD_SECONDS
        while not self.released.wait(self.repeat_seconds or HOLD_SECONDS):
            assert time.monotonic() < deadline, "the test never let the painter go on"
            tell()


class Stroke(NamedTuple):
    """What one step of a refinement has to work with. rgb: (H, W, 3), the picture so far; colour: the styles' mean."""

    rgb: np.ndarray
    first: np.ndarray
    photo: np.ndarray
    colour: np.ndarray
    share: float  # of all steps, with this one


def invert(stroke: Stroke) -> np.ndarray:
    """Return the photo's negative, at every step."""
    return 1 - stroke.photo


def fade(stroke: Stroke) -> np.ndarray:
    """Return a blend, which ends with the mean colour of the styles."""
    return ((1 - stroke.share) * stroke.first + stroke.share * stroke.colour).astype("float32")


def darken(stroke: Stroke) -> np.ndarray:
    """Return the picture so far, a tenth darker."""
    return (stroke.rgb * 0.9).astype("float32")


@dataclass
class FakePainter:
    """A Painter that paints the negative of the photo; its attributes say how, also while it paints."""

    steps: int | None = None  # None: `pastiche_steps`, and as many of a refinement as its options ask for
    pastiche_steps: int = 3
    settles_after: int | None = None  # refinements end after so many steps
    pause: float = 0.0  # seconds a step
    seconds_at_once: float = 0.0  # for a pastiche without steps, which a request waits for
    tinted: bool = False  # by the mean colour of the styles, and as the strength, brush size and colours' options say
    fades_in: bool = False  # each step's picture is another
    stroke: Callable[[Stroke], np.ndarray] = invert  # a step of a refinement
    job_error: Exception | None = None  # raised where steps are told, which only jobs ask for
    cancel_error: Exception | None = None  # raised by a refinement that is cancelled
    seconds: float = 0.01  # that pastiches say they took
    ended: str | None = None  # why, as the recipe of a refinement says
    notes: Sequence[str] = ()  # of refinements
    seconds_per_megapixel: float = 1.0  # as it forecasts
    real: frozenset[str] = frozenset()  # methods that the library answers
    on_call: Callable[[Call], object] | None = None  # hears of each call as it begins
    calls: list[Call] = field(default_factory=list)
    _errors: dict[str, deque[Exception]] = field(default_factory=dict, init=False)
    _lasting_errors: dict[str, Exception] = field(default_factory=dict, init=False)
    _holds: dict[str, Hold] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._given = {one.name: getattr(self, one.name) for one in fields(self) if one.init and one.name != "calls"}

    def reset(self) -> None:
        """Paint again as when it was made."""
        for hold in self._holds.values():
            hold.released.set()
        self.__init__(**self._given)  # type: ignore[misc]

    def use_library(self, *methods: str) -> None:
        """Pass these calls on to the library; all of them, unless some are named."""
        self.real = frozenset(methods or METHODS)

    def fail(self, method: str, error: Exception) -> None:
        """Raise `error` in every call from now on."""
        self._lasting_errors[method] = error

    def fail_once(self, method: str, *errors: Exception) -> None:
        """Raise each in one call, before any of them paints again."""
        self._errors.setdefault(method, deque()).extend(errors)

    def hold(self, method: str, step: int = 1, repeat_seconds: float | None = 0.05) -> Hold:
        """Stop at that step of `method`; where it has no steps, at once."""
        self._holds[method] = Hold(step, repeat_seconds)
        return self._holds[method]

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in tuple(self.calls) if call.method == method]

    def steps_taken(self, method: str) -> int:
        """Count the different steps that its calls have told, without those that they began with."""
        begun = [call.steps for call in self.calls_of(method) if call.steps]
        return sum(len(steps) - (method == "refine") for steps in begun)

    def warm_up(self) -> str:
        self._begin("warm_up")
        if hold := self._holds.get("warm_up"):
            hold.wait()
        return LibraryPainter().warm_up() if "warm_up" in self.real else NEGATIVE

    def weights_identity(self) -> tuple[str, str]:
        self._begin("weights_identity")
        return LibraryPainter().weights_identity() if "weights_identity" in self.real else (NEGATIVE, NEGATIVE_SHA256)

    def style_vector(self, style: ImageSource) -> np.ndarray:
        self._begin("style_vector", style=style)
        return LibraryPainter().style_vector(style) if "style_vector" in self.real else mean_vector(style)

    def stylize(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: StylizeOptions,
        *,
        on_step: OnStep | None = None,
        masks: Sequence[ImageSource] = (),
    ) -> Pastiche:
        call = self._begin("stylize", content=content, styles=styles, options=options, on_step=on_step, masks=masks)
        if "stylize" in self.real:
            return LibraryPainter().stylize(content, styles, options, on_step=on_step, masks=masks)
        pastiche = self._stylize(content, styles, options, masks)
        if on_step is None:
            time.sleep(self.seconds_at_once)
            return pastiche
        if self.job_error:
            raise self.job_error
        try:
            for number in range(1, self._steps + 1):
                time.sleep(self.pause)
                self._tell(call, on_step, partial(self._step, number, pastiche.picture))
        except Cancelled:
            pastiche = Pastiche(pastiche.picture, NEGATIVE, self.seconds, pastiche.recipe, complete=False)
        return pastiche

    def stylize_file(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        output: Path,
        options: StylizeOptions,
        *,
        on_step: OnStep | None = None,
        masks: Sequence[ImageSource] = (),
        edit_recipe: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> StylizeReport:
        call = self._begin("stylize_file", content=content, styles=styles, options=options, masks=masks)
        if "stylize_file" in self.real:
            more = {"on_step": on_step, "masks": masks, "edit_recipe": edit_recipe}
            return LibraryPainter().stylize_file(content, styles, output, options, **more)
        if self.job_error:
            raise self.job_error
        pastiche = self._stylize(content, styles, options, masks)
        for number in range(1, self._steps + 1) if on_step else ():
            time.sleep(self.pause)
            self._tell(call, on_step, partial(self._step, number, None))
        recipe = edit_recipe(pastiche.recipe)
        output.write_bytes(image_files.encode(pastiche.picture, options.format, options.quality, recipe))
        height, width = pastiche.picture.rgb.shape[:2]
        return StylizeReport(width, height, NEGATIVE, self.seconds, recipe)

    def refine(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: RefineOptions,
        *,
        start: ImageSource | None = None,
        on_step: OnStep | None = None,
        resume: Checkpoint | None = None,
        masks: Sequence[ImageSource] = (),
    ) -> Pastiche:
        more = {"start": start, "on_step": on_step, "resume": resume, "masks": masks}
        call = self._begin("refine", content=content, styles=styles, options=options, **more)
        if "refine" in self.real:
            return LibraryPainter().refine(content, styles, options, **more)
        return _Refinement(self, call).run()

    def make_contact_sheet(
        self, content: ImageSource, styles: Sequence[ImageSource], options: SheetOptions, names: Sequence[str] = ()
    ) -> ContactSheet:
        self._begin("make_contact_sheet", content=content, styles=styles, options=options, names=names)
        if "make_contact_sheet" in self.real:
            return LibraryPainter().make_contact_sheet(content, styles, options, names)
        return contact_sheets.make_contact_sheet(content, styles, options, names, paint=self.stylize)

    def train(
        self, painting: ImageSource, options: TrainOptions, *, name: str, folder: Path, on_step: OnStep
    ) -> TrainedStyle:
        more = {"name": name, "folder": folder, "on_step": on_step}
        call = self._begin("train", painting=painting, options=options, **more)
        if "train" in self.real:
            return LibraryPainter().train(painting, options, **more)
        steps = self.steps or (options.steps if options.steps < DEFAULT_STEPS else FEWER_STEPS)

        def tell(step: Step) -> None:
            time.sleep(self.pause)
            if self.job_error:
                raise self.job_error
            self._tell(call, on_step, lambda: step)

        return run_training(painting, steps, name, mean_vector(painting), folder, tell)

    def estimate(self, width: int, height: int, options: StylizeOptions, masks: int = 0) -> Forecast:
        self._begin("estimate", width=width, height=height, options=options, masks=masks)
        if "estimate" in self.real:
            return LibraryPainter().estimate(width, height, options, masks)
        width, height = options.result_size(width, height)
        seconds = self.seconds_per_megapixel * max(1, masks) * width * height / 1e6
        return Forecast(width, height, seconds, 10**9, 0, options.tiles == "always" or width * height > 4_000_000)

    @property
    def _steps(self) -> int:
        return self.steps or self.pastiche_steps

    def _begin(self, method: str, **arguments: Any) -> Call:
        call = Call(method, arguments, [])
        self.calls.append(call)
        if self.on_call:
            self.on_call(call)
        errors = self._errors.get(method)
        if errors:
            raise errors.popleft()
        if method in self._lasting_errors:
            raise self._lasting_errors[method]
        return call

    def _tell(self, call: Call, on_step: OnStep, step: Callable[[], Step]) -> None:
        told = step()
        call.steps.append(told.step)
        on_step(told)
        hold = self._holds.get(call.method)
        if hold and hold.step == told.step and not hold.released.is_set():
            hold.wait(lambda: on_step(step()))

    def _step(self, number: int, picture: Picture | None) -> Step:
        """Step `number` of a pastiche."""
        share = np.float32(number / self._steps if self.fades_in else 1)
        preview = picture and Picture(picture.rgb * share, picture.alpha)
        return Step(number, self._steps, (self._steps - number + 1) * self.pause, preview)

    def _stylize(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: StylizeOptions,
        masks: Sequence[ImageSource],
    ) -> Pastiche:
        shares = options.blend_weights(len(styles))
        photo = image_files.read(content, target=options.result_size)
        vectors = [mean_vector(style) for style in styles]
        drawn = masking.read_masks(masks, photo)
        paint = _paint_tinted if self.tinted else _paint_negative
        dpi = options.dpi or (DEFAULT_DPI if options.print else None)
        picture = Picture(paint(photo, vectors, shares, options, drawn), photo.alpha, (dpi, dpi) if dpi else None)
        recipe = {"method": "magenta", "weights": NEGATIVE, "weights_sha256": NEGATIVE_SHA256}
        recipe |= options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
        recipe |= recipe_builder.photo_fields(photo.rgb) | recipe_builder.mask_fields(drawn)
        recipe |= {"styles": list(map(_recorded_style, styles, vectors, shares)), "shares": shares}
        return Pastiche(picture, NEGATIVE, self.seconds, recipe)


class _Refinement:
    """One call of FakePainter.refine."""

    def __init__(self, painter: FakePainter, call: Call) -> None:
        self._painter, self._call = painter, call
        self._content, self._styles, self._options, start, self._on_step, self._resume, masks = call.arguments.values()
        self._photo = image_files.read(self._content, long_side=self._options.size)
        self._masks = masking.read_masks(masks, self._photo)
        self._has_start = start is not None
        self._first = self._photo.rgb if start is None else self._read(start, "start")
        self._colour = np.mean([mean_vector(style)[:3] for style in self._styles], axis=0)
        self._rgb = self._first
        if self._resume:
            self._rgb = self._read(self._resume.picture, "resume")

    def run(self) -> Pastiche:
        painter, complete = self._painter, True
        begun = step = self._resume.step if self._resume else 0
        steps = self._steps
        if painter.stroke is not darken:
            self._paint(begun)
        try:
            self._tell(begun, begun)
            for step in range(begun + 1, min(steps, painter.settles_after or steps) + 1):
                if painter.pause:
                    time.sleep(painter.pause)
                self._paint(step)
                self._tell(step, begun)
        except Cancelled:
            complete = False
        if painter.cancel_error and not complete:
            raise painter.cancel_error
        picture = postprocess(self._rgb, self._photo, self._options, self._masks)
        notes = list(painter.notes)
        if self._resume:
            stopped = "paused" if self._resume.paused else "interrupted"
            notes.insert(0, f"It was {stopped} after step {begun} and went on from there.")
        recipe = self._recipe() | {"taken": step - begun}
        return Pastiche(picture, self._options.encoder, painter.seconds, recipe, complete, notes)

    @property
    def _steps(self) -> int:
        return self._painter.steps or self._options.steps

    def _read(self, picture: ImageSource, name: str) -> np.ndarray:
        rgb = image_files.read(picture, field=name).rgb
        return pixel_ops.resize(rgb, self._photo.rgb.shape[:2])

    def _paint(self, step: int) -> None:
        stroke = Stroke(self._rgb, self._first, self._photo.rgb, self._colour, step / self._steps)
        self._rgb = self._painter.stroke(stroke)

    def _tell(self, number: int, begun: int) -> None:
        if self._painter.job_error:
            raise self._painter.job_error
        if self._on_step is None:
            return
        losses = falling_losses(number) if number > begun else {}
        left = (self._steps - number) * self._painter.pause
        picture = Picture(self._rgb, self._photo.alpha)
        self._painter._tell(self._call, self._on_step, lambda: Step(number, self._steps, left, picture, losses))

    def _recipe(self) -> dict[str, Any]:
        options = self._options
        shares = options.blend_weights(len(self._styles))
        styles = [
            {"weight": share, "sha256": recipe_builder.pixels_sha256(stylization.read_style(style, options.size))}
            for style, share in zip(self._styles, shares, strict=True)
        ]
        recipe = options.model_dump(mode="json", exclude_none=True) | {"method": "gatys", "weights": options.encoder}
        recipe |= recipe_builder.photo_fields(self._photo.rgb) | recipe_builder.mask_fields(self._masks)
        recipe |= {"styles": styles, "shares": shares} | ({"start": "given"} if self._has_start else {})
        return recipe | ({"ended": self._painter.ended} if self._painter.ended else {})


def mean_vector(style: ImageSource) -> np.ndarray:
    """Return four numbers for a picture, its mean colour and a one; those of a style file or a vector as they are."""
    if isinstance(style, np.ndarray) and style.ndim == 1:
        return style
    data = style if isinstance(style, np.ndarray) else image_files.read_bytes(style, "style")
    if isinstance(data, bytes) and style_file.is_style_file(data):
        return style_file.StyleFile.from_bytes(data).vector
    return np.append(image_files.read(data, field="style").rgb.mean((0, 1)), 1).astype("float32")


def falling_losses(step: int) -> dict[str, float]:
    """Return losses after so many steps: that of the style falls, that of the content rises a little."""
    style, content = 0.03 + 0.4 * math.exp(-step / 8), 0.5 - 0.4 * math.exp(-step / 4)
    return {"loss": style + 0.02 * content, "content": content, "style": style, "variation": 0.05}


def _paint_negative(
    photo: Picture, vectors: list[np.ndarray], shares: list[float], options: StylizeOptions, masks: Sequence[Mask]
) -> np.ndarray:
    """Of the options, only those about masks count."""
    if not masks:
        return 1 - photo.rgb
    rgb = photo.rgb
    for mask, (_, strength) in zip(masks, options.resolve_regions(len(masks), len(vectors)), strict=True):
        rgb = masking.blend(photo.rgb + strength * (1 - 2 * photo.rgb), rgb, _mask_array(mask, photo, options))
    return rgb


def _paint_tinted(
    photo: Picture, vectors: list[np.ndarray], shares: list[float], options: StylizeOptions, masks: Sequence[Mask]
) -> np.ndarray:
    """A layer for each mask; the broader the brush, the darker it is."""
    mixed = sum(share * vector[:3] for share, vector in zip(shares, vectors, strict=True))
    layers = options.resolve_regions(len(masks), len(vectors)) if masks else [(0, options.strength)]
    whole, fitted = photo.rgb, [_mask_array(mask, photo, options) for mask in masks] or [None]
    for (number, strength), mask in zip(layers, fitted, strict=True):
        colour = vectors[number - 1][:3] if number else mixed
        tinted = ((1 - photo.rgb) * 0.5 + colour * 0.5) / max(1.0, options.style_scale)
        paint = (1 - strength) * photo.rgb + strength * tinted
        whole = paint if mask is None else masking.blend(paint, whole, mask)
    finished = color.preserve_colours(whole.astype("float32"), photo.rgb, options.keep_colours, options.keep_light)
    return finished.astype("float32")


def _mask_array(mask: Mask, photo: Picture, options: StylizeOptions) -> np.ndarray:
    alpha = None if photo.alpha is None else (photo.alpha * 255).astype("uint8")
    return mask.to_array(*photo.rgb.shape[:2], alpha, options.feather, options.paint)


def _recorded_style(style: ImageSource, vector: np.ndarray, share: float) -> dict[str, Any]:
    """Return a style as the recipe of a pastiche has it."""
    data = vector.astype("<f4").tobytes()
    recorded = {"weight": share, "vector": b64(data), "vector_sha256": hashlib.sha256(data).hexdigest()}
    read = style if isinstance(style, np.ndarray) else stylization.read_style(style)
    is_painting = isinstance(read, np.ndarray) and read.ndim == 3
    return recorded | ({"sha256": recipe_builder.pixels_sha256(read)} if is_painting else {})
