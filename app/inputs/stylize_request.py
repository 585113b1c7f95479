"""Request -> pictures and options: the only reader of the forms and JSON that ask for a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import Request
from werkzeug.datastructures import FileStorage

from app.http import context
from app.inputs import bodies, picture_fields, references
from app.inputs.bodies import FormBody
from app.inputs.picture_fields import MaskSource, PictureReaders
from app.inputs.references import StyleChoice
from app.jobs.order import OPTIONS_BY_METHOD, Method, Options
from model.errors import InvalidOption, ResultTooLarge, StyleTransferError
from model.imaging import image_files
from model.imaging.masking import ALPHA
from model.imaging.masking import check_mask_size as check_mask
from model.options import START_WORDS, RefineOptions, SheetOptions, StylizeOptions
from model.pipelines.refine import check_photo_size, check_start_size, resolve_options

_LAYER_PREFIXES = {
    "content_layers": "content-layer-",
    "style_layers": "style-layer-",
}  # before each layer's name: its weight
_START_MESSAGE = (
    "'start' must be 'pastiche', 'content' or 'noise'; or a picture: as a file, in JSON as base64 or a data URL, as "
    "result: and the id of a result, or as job: and the id of a job that began with one."
)
_MIN_BASE64_LENGTH = 40  # characters of base64: too few for one, so that a misspelled word is not taken for it
_NO_ALPHA_MESSAGE = "This photo has no clear parts that could be its mask: send one as a picture."


@dataclass(frozen=True)
class StylizeRequest:
    """`start`: the picture that a refinement begins with, where it is none of those that its options name."""

    content: bytes
    content_name: str
    styles: list[StyleChoice]
    options: Options
    pixels: int  # of the result
    start: bytes | None = None
    masks: Sequence[MaskSource] = ()

    @property
    def method(self) -> Method:
        return "gatys" if isinstance(self.options, RefineOptions) else "magenta"


@dataclass(frozen=True)
class SheetRequest:
    """What a contact sheet is made of."""

    content: bytes
    styles: list[StyleChoice]
    options: SheetOptions
    pixels: int  # of its pictures together


# A slow client costs a thread and room on the disk, and nothing that others wait for: the body is received before it
# has a place in the queue, and what is large comes into memory once it has a turn. So the number of renders bounds the
# memory, however many send. With no place free it is still read to its end: a server that answers and hangs up while a
# browser sends is taken for one that cannot be reached.
@contextmanager
def receive(
    request: Request, no_refinement: StyleTransferError | None = None
) -> Iterator[Callable[[], StylizeRequest]]:
    """Until the end of the block, a function that reads what was sent; the pictures are not decoded here.

    no_refinement: what one is refused with, where nobody can wait for it.
    """
    with bodies.receive(request) as body:
        _check_query(request)
        if isinstance(body, FormBody):
            yield _form_reader(body, no_refinement)  # its mistakes are told without a wait
        else:
            yield lambda: _read_json(body(), no_refinement)


@contextmanager
def receive_sheet(request: Request) -> Iterator[Callable[[], SheetRequest]]:
    """Likewise, for a contact sheet."""
    with bodies.receive(request) as body:
        _check_query(request)
        if isinstance(body, FormBody):
            picture_fields.check_file_names(body.files, picture_fields.REQUIRED)
            texts = dict(body.texts)
            picture_fields.take_sliders(texts)  # the page's own, which say nothing here
            yield _sheet_reader(picture_fields.from_form(texts, body.files), _unwrap_single_values(texts))
        else:
            yield lambda: _read_json_sheet(body())


def _read_json_sheet(fields: dict[str, Any]) -> SheetRequest:
    return _sheet_reader(picture_fields.from_json(fields), fields)()


def _sheet_reader(pictures: PictureReaders, fields: dict[str, Any]) -> Callable[[], SheetRequest]:
    if pictures.masks:
        raise InvalidOption("A contact sheet is painted everywhere: leave out 'mask'.", "mask")
    options = SheetOptions.parse(fields)
    cells = options.cells(len(pictures.styles))

    def read() -> SheetRequest:
        content, _ = pictures.photo()
        pixels = cells * _count_scaled_pixels(options.size, references.peek_size(content, "content"))
        return SheetRequest(content, pictures.read_styles(), options, pixels)

    return read


def _read_request(
    pictures: PictureReaders, options: Options, read_start: Callable[[], bytes] | None = None
) -> StylizeRequest:
    content, name = pictures.photo()
    size = references.peek_size(content, "content")  # before the styles are looked at
    pixels = result_pixels(options, size)
    masks = pictures.read_masks()
    _check_masks(masks, content, size)
    start = read_start() if read_start else None
    upload = StylizeRequest(content, name or "photo", pictures.read_styles(), options, pixels, start, masks)
    if isinstance(options, RefineOptions):
        references.check_refine_styles(style.source for style in upload.styles)
        check_photo_size(size[1], size[0], options)
    else:
        references.check_stylize_styles((style.source for style in upload.styles), options)
    if start is not None:
        check_start_size(image_files.peek_size(start, "start"), size)
    return upload


def result_pixels(options: Options, size: tuple[int, int]) -> int:
    """size: (width, height) of the photo. ResultTooLarge where the result has more than this server makes.

    ImageTooLarge where the kind of file that was asked for cannot hold it.
    """
    most = context.settings().result_pixels
    if isinstance(options, StylizeOptions):
        width, height = options.result_size(*size, most)
        image_files.check_format_sides((height, width), options.format)
        return width * height
    pixels = _count_scaled_pixels(options.size, size)
    if pixels > most:
        raise ResultTooLarge(
            f"A result has at most {most / 1e6:.4g} million pixels here: ask for a smaller one.", "size"
        )
    return pixels


def _count_scaled_pixels(side: int, size: tuple[int, int]) -> int:
    """Pixels of a picture of that size, once its longer side is `side`."""
    return side * round(side * min(size) / max(size))


def _check_masks(masks: Sequence[MaskSource], photo: bytes, size: tuple[int, int]) -> None:
    """From the headers alone."""
    for mask in masks:
        if isinstance(mask, bytes):
            check_mask(references.peek_size(mask, "mask"), size)
        elif mask == ALPHA and not image_files.has_alpha(photo):
            raise InvalidOption(_NO_ALPHA_MESSAGE, "mask")


def _parse_method(values: list[Any], no_refinement: StyleTransferError | None) -> Method:
    for method in OPTIONS_BY_METHOD:
        if values == [method]:
            if method == "gatys" and no_refinement:
                raise no_refinement
            return method
    raise InvalidOption("'method' must be 'magenta' or 'gatys'.", "method")


def _check_query(request: Request) -> None:
    for name in request.args:
        raise InvalidOption("Options are sent in the body, not in the address.", name)


def _parse_options(method: Method, fields: dict[str, Any], pictures: PictureReaders) -> Options:
    if method == "gatys":
        refining = resolve_options(RefineOptions.parse(fields))
        refining.blend_weights(len(pictures.styles))
        _check_mask_options(refining, pictures)
        return refining
    options = StylizeOptions.parse(fields)
    options.blend_weights(len(pictures.styles))
    options.resolve_regions(len(pictures.masks), len(pictures.styles))
    _check_mask_options(options, pictures)
    return options


def _check_mask_options(options: Options, pictures: PictureReaders) -> None:
    """Raises InvalidOption for a wish about masks where there are none."""
    for name in () if pictures.masks else ("feather", "paint"):
        if getattr(options, name) != type(options).model_fields[name].default:
            sentence = f"'{name}' is about a mask, and there is none: add one as 'mask', or leave '{name}' out."
            raise InvalidOption(sentence, name)


def _form_reader(form: FormBody, no_refinement: StyleTransferError | None) -> Callable[[], StylizeRequest]:
    texts = dict(form.texts)
    method = _parse_method(texts.pop("method", ["magenta"]), no_refinement)
    refining = method == "gatys"
    picture_fields.check_file_names(form.files, ("content", "style", "mask", *(["start"] if refining else [])))
    pictures = picture_fields.from_form(texts, form.files)
    start = _form_start_reader(form.files.get("start", []), texts) if refining else None
    fields = _unwrap_single_values(texts)
    options = _parse_options(method, _refine_fields(fields) if refining else fields, pictures)
    return lambda: _read_request(pictures, options, start)


def _unwrap_single_values(texts: picture_fields.FormTexts) -> dict[str, Any]:
    return {name: values if len(values) > 1 else values[0] for name, values in texts.items()}


def _form_start_reader(files: list[FileStorage], texts: picture_fields.FormTexts) -> Callable[[], bytes] | None:
    """None where a word says it, which is an option like the others. A file takes the place of all else."""
    said = [text for text in texts.pop("start", []) if text]
    if len(files) > 1 or len(said) > 1:
        raise InvalidOption("Give one 'start' at a time.", "start")
    if files:
        return lambda: _check_uploaded_start(bodies.read_file(files[0]))
    if not said:
        return None
    if said[0] in START_WORDS:
        texts["start"] = said
        return None
    return references.start_reader(said[0]) or _refuse_start()


def _check_uploaded_start(data: bytes) -> bytes:
    """The limits of uploads are not those of our own results, which may be begun with as well."""
    references.peek_size(data, "start")
    return data


def _refine_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """What a form leaves empty, the preset decides; and each layer may have a field of its own."""
    fields = {name: value for name, value in fields.items() if value != "" or name not in RefineOptions.model_fields}
    for option, prefix in _LAYER_PREFIXES.items():
        names = [name for name in fields if name.startswith(prefix)]
        if names and option in fields:
            raise InvalidOption(f"Give the layers once: in '{option}' or each by itself.", option)
        weights = {name.removeprefix(prefix): fields.pop(name) for name in names}
        if weights:
            fields[option] = {layer: weight for layer, weight in weights.items() if _is_nonzero(weight)}
    return fields


def _is_nonzero(weight: Any) -> bool:
    """What is no number is for the options to refuse."""
    try:
        return float(weight) != 0
    except (TypeError, ValueError):
        return bool(weight)


def _read_json(fields: dict[str, Any], no_refinement: StyleTransferError | None) -> StylizeRequest:
    method = _parse_method([fields.pop("method", "magenta")], no_refinement)
    pictures = picture_fields.from_json(fields)
    given = method == "gatys" and "start" in fields and fields["start"] not in START_WORDS
    start = fields.pop("start") if given else None
    options = _parse_options(method, fields, pictures)
    return _read_request(pictures, options, (lambda: _read_json_start(start)) if given else None)


def _read_json_start(value: Any) -> bytes:
    if not isinstance(value, str):
        _refuse_start()
    if named := references.start_reader(value):
        return named()
    if value.startswith("data:") or len(value) >= _MIN_BASE64_LENGTH:
        return _check_uploaded_start(bodies.decode_picture(value, "start"))
    _refuse_start()


def _refuse_start() -> NoReturn:
    raise InvalidOption(_START_MESSAGE, "start")
