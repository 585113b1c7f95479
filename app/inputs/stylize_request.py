"""Requests for a picture: their fields are parsed first, and their pictures read once there is a place for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

from flask import Request

from app.http.context import Caller
from app.inputs import bodies
from app.inputs.bodies import FormBody, JsonObject
from app.inputs.picture_fields import (
    REFINE_FIELDS,
    SHEET_FIELDS,
    STYLIZE_FIELDS,
    FormTexts,
    MaskInput,
    PictureSources,
    take_sliders,
)
from app.inputs.references import StyleChoice
from app.jobs.order import REFINEMENT_METHODS
from app.settings import PictureLimits
from model import style_file
from model.errors import InvalidOption, ResultTooLarge, StyleTransferError
from model.imaging import image_files
from model.options import OPTIONS_BY_METHOD, Method, Options, RefineOptions, SheetOptions, StylizeOptions, join_words
from model.pipelines.refine import check_photo_size, check_start_size, resolve_options

_PICTURE_FIELDS: dict[Method, tuple[str, ...]] = {"magenta": STYLIZE_FIELDS, "gatys": REFINE_FIELDS}
LAYER_PREFIXES = {"content": "content-layer-", "style": "style-layer-"}  # before a layer's name: its weight


@dataclass(frozen=True)
class SyncLimitErrors:
    """The errors for a request whose caller waits for the picture, where it asks for more than that allows."""

    too_large: StyleTransferError  # for more pixels than `PictureLimits.sync_pixels`
    refinement: StyleTransferError | None = None  # for REFINEMENT_METHODS


@dataclass(frozen=True)
class StylizeInputs:
    content: bytes
    content_name: str
    styles: list[StyleChoice]
    options: Options
    start: bytes | None = None  # the picture that a refinement begins with, where its options name none
    masks: Sequence[MaskInput] = ()

    @property
    def method(self) -> Method:
        return next(method for method, options in OPTIONS_BY_METHOD.items() if isinstance(self.options, options))


@dataclass(frozen=True)
class SheetInputs:
    content: bytes
    styles: list[StyleChoice]
    options: SheetOptions


# A slow client costs a thread and room on the disk, and nothing that others wait for: the body is received before it
# has a place in the queue, and what is large comes into memory once it has a turn. So the number of renders bounds the
# memory, however many send. With no place free it is still read to its end: a server that answers and hangs up while a
# browser sends is taken for one that cannot be reached.
@contextmanager
def receive(
    request: Request, caller: Caller, sync_errors: SyncLimitErrors | None = None
) -> Iterator[Callable[[], StylizeInputs]]:
    """Receive the body, refuse what a form shows at once, and yield the function that reads the pictures.

    That function works until the end of the block. sync_errors: for a caller who waits for the picture.
    """
    with bodies.receive(request) as body:
        _check_query(request)
        if isinstance(body, FormBody):
            yield StylizeRequest.parse(body, caller, sync_errors).read
        else:
            yield lambda: StylizeRequest.parse(body.load(), caller, sync_errors).read()


@contextmanager
def receive_sheet(
    request: Request, caller: Caller, sync_errors: SyncLimitErrors
) -> Iterator[Callable[[], SheetInputs]]:
    """Receive a contact sheet's photo, styles and options, as `receive` does."""
    with bodies.receive(request) as body:
        _check_query(request)
        if isinstance(body, FormBody):
            yield SheetRequest.parse(body, caller, sync_errors).read
        else:
            yield lambda: SheetRequest.parse(body.load(), caller, sync_errors).read()


@dataclass(frozen=True)
class StylizeRequest:
    """A request whose fields are checked and whose pictures are not read yet."""

    pictures: PictureSources
    options: Options
    limits: PictureLimits
    sync_errors: SyncLimitErrors | None

    @classmethod
    def parse(
        cls, body: FormBody | JsonObject, caller: Caller, sync_errors: SyncLimitErrors | None = None
    ) -> StylizeRequest:
        """Check names, options and counts, and what a form names; no picture is looked at."""
        if isinstance(body, FormBody):
            return cls(*_parse_form(body, caller, sync_errors), caller.limits, sync_errors)
        return cls(*_parse_json(body, caller, sync_errors), caller.limits, sync_errors)

    def read(self) -> StylizeInputs:
        """Read the pictures, and check from their headers what can be told before they are decoded."""
        photo = self.pictures.read_photo()
        pixels = count_result_pixels(self.options, photo.size, self.limits.result_pixels)
        masks = self.pictures.read_masks(photo)
        start = None if self.pictures.start is None else self.pictures.read_start()
        styles = self.pictures.read_styles()
        match self.options:
            case StylizeOptions():
                _check_stylize_styles(styles, self.options)
            case RefineOptions():
                check_refine_styles(style.source for style in styles)
                check_photo_size(photo.size[1], photo.size[0], self.options)
            case _:
                assert_never(self.options)
        if start is not None:
            check_start_size(image_files.peek_size(start, "start"), photo.size)
        if self.sync_errors and pixels > self.limits.sync_pixels:
            raise self.sync_errors.too_large
        return StylizeInputs(photo.data, photo.name or "photo", styles, self.options, start, masks)


@dataclass(frozen=True)
class SheetRequest:
    """A request for a contact sheet whose fields are checked and whose pictures are not read yet."""

    pictures: PictureSources
    options: SheetOptions
    limits: PictureLimits
    sync_errors: SyncLimitErrors

    @classmethod
    def parse(cls, body: FormBody | JsonObject, caller: Caller, sync_errors: SyncLimitErrors) -> SheetRequest:
        """Check names, options and counts, and what a form names; no picture is looked at."""
        if isinstance(body, FormBody):
            texts = dict(body.texts)
            take_sliders(texts)  # the page's own, which say nothing here
            pictures = PictureSources.from_form(caller, texts, body.files, SHEET_FIELDS)
            fields = _unwrap_single_values(texts)
        else:
            pictures, fields = PictureSources.from_json(caller, body, SHEET_FIELDS), body
        if pictures.masks:
            raise InvalidOption("A contact sheet is painted everywhere: leave out 'mask'.", "mask")
        options = SheetOptions.parse(fields)
        options.count_cells(len(pictures.styles))
        return cls(pictures, options, caller.limits, sync_errors)

    def read(self) -> SheetInputs:
        photo = self.pictures.read_photo()
        cells = self.options.count_cells(len(self.pictures.styles))
        pixels = cells * _count_scaled_pixels(self.options.size, photo.size)
        styles = self.pictures.read_styles()
        if pixels > self.limits.sync_pixels:
            raise self.sync_errors.too_large
        return SheetInputs(photo.data, styles, self.options)


def count_result_pixels(options: Options, size: tuple[int, int], most: int) -> int:
    """Return the pixels of the result. size: (width, height) of the photo. most: pixels that a result may have.

    Raises ResultTooLarge for more than `most`, ImageTooLarge where the format that was asked for cannot hold it.
    """
    match options:
        case StylizeOptions():
            width, height = options.result_size(*size, most)
            image_files.check_format_sides((height, width), options.format)
            return width * height
        case RefineOptions():
            pixels = _count_scaled_pixels(options.size, size)
            if pixels > most:
                millions = f"{most / 1e6:.4g} million pixels"
                raise ResultTooLarge(f"A result has at most {millions} here: ask for a smaller one.", "size")
            return pixels
        case _:
            assert_never(options)


def check_refine_styles(sources: Iterable[bytes | Path]) -> None:
    """Raise InvalidOption for a style file: to refine takes the pictures of all styles. What ships is a picture."""
    if any(_is_style_file(source) for source in sources):
        raise InvalidOption(
            "To refine, the painting itself is needed, and of this style there are only its numbers. Choose another "
            "one, or send the painting.",
            "style",
        )


def _check_stylize_styles(styles: Sequence[StyleChoice], options: StylizeOptions) -> None:
    """Raise InvalidOption for an option that needs a painting where there is a style file."""
    name = options.option_needing_painting()
    if name and any(_is_style_file(style.source) for style in styles):
        raise InvalidOption(
            f"'{name}' needs the painting itself, and of this style there are only its numbers. Send the painting.",
            name,
        )


def _is_style_file(source: bytes | Path) -> bool:
    return isinstance(source, bytes) and style_file.is_style_file(source)


def _count_scaled_pixels(side: int, size: tuple[int, int]) -> int:
    """Count the pixels of a picture of that size, once its longer side is `side`."""
    return side * round(side * min(size) / max(size))


def _check_query(request: Request) -> None:
    for name in request.args:
        raise InvalidOption("Options are sent in the body, not in the address.", name)


def _parse_form(form: FormBody, caller: Caller, sync_errors: SyncLimitErrors | None) -> tuple[PictureSources, Options]:
    texts = dict(form.texts)
    method = _parse_method(texts.pop("method", ["magenta"]), sync_errors)
    pictures = PictureSources.from_form(caller, texts, form.files, _PICTURE_FIELDS[method])
    fields = _unwrap_single_values(texts)
    return pictures, _parse_options(method, _refine_fields(fields) if method == "gatys" else fields, pictures)


def _parse_json(
    fields: JsonObject, caller: Caller, sync_errors: SyncLimitErrors | None
) -> tuple[PictureSources, Options]:
    method = _parse_method([fields.pop("method", "magenta")], sync_errors)
    pictures = PictureSources.from_json(caller, fields, _PICTURE_FIELDS[method])
    return pictures, _parse_options(method, fields, pictures)


def _parse_method(values: list[Any], sync_errors: SyncLimitErrors | None) -> Method:
    for method in OPTIONS_BY_METHOD:
        if values == [method]:
            if method in REFINEMENT_METHODS and sync_errors and sync_errors.refinement:
                raise sync_errors.refinement
            return method
    names = join_words([f"'{method}'" for method in OPTIONS_BY_METHOD], "or")
    raise InvalidOption(f"'method' must be {names}.", "method")


def _parse_options(method: Method, fields: dict[str, Any], pictures: PictureSources) -> Options:
    options: Options
    match method:
        case "magenta":
            options = StylizeOptions.parse(fields)
            options.blend_weights(len(pictures.styles))
            options.resolve_regions(len(pictures.masks), len(pictures.styles))
        case "gatys":
            options = resolve_options(RefineOptions.parse(fields))
            options.blend_weights(len(pictures.styles))
        case _:
            assert_never(method)
    _check_mask_options(options, pictures)
    return options


def _check_mask_options(options: Options, pictures: PictureSources) -> None:
    """Raise InvalidOption for an option about masks where there are none."""
    for name in () if pictures.masks else ("feather", "paint"):
        if getattr(options, name) != type(options).model_fields[name].default:
            sentence = f"'{name}' is about a mask, and there is none: add one as 'mask', or leave '{name}' out."
            raise InvalidOption(sentence, name)


def _unwrap_single_values(texts: FormTexts) -> dict[str, Any]:
    return {name: values if len(values) > 1 else values[0] for name, values in texts.items()}


def _refine_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a form leaves empty, which the preset decides, and gather the fields of single layers."""
    fields = {name: value for name, value in fields.items() if value != "" or name not in RefineOptions.model_fields}
    for kind, prefix in LAYER_PREFIXES.items():
        option = f"{kind}_layers"
        names = [name for name in fields if name.startswith(prefix)]
        if names and option in fields:
            raise InvalidOption(f"Give the layers once: in '{option}' or each by itself.", option)
        weights = {name.removeprefix(prefix): fields.pop(name) for name in names}
        if weights:
            fields[option] = {layer: weight for layer, weight in weights.items() if _is_nonzero(weight)}
    return fields


def _is_nonzero(weight: Any) -> bool:
    """Return whether a layer counts; what is no number is for the options to refuse."""
    try:
        return float(weight) != 0
    except (TypeError, ValueError):
        return bool(weight)
