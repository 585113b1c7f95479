"""Request -> pictures and options: the only reader of the forms and JSON that ask for a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import Request
from werkzeug.datastructures import FileStorage

from app import bodies, choices, current, sent
from app.bodies import Form
from app.choices import StyleChoice
from app.orders import OPTIONS, Method, Options
from app.sent import Mask, Pictures
from model import images
from model.errors import InvalidOption, ResultTooLarge, StyleTransferError
from model.options import START_WORDS, RefineOptions, SheetOptions, StylizeOptions
from model.refine import check_shape, check_start, checked
from model.regions import ALPHA
from model.regions import check_shape as check_mask

_LAYERS = {"content_layers": "content-layer-", "style_layers": "style-layer-"}  # before each layer's name: its weight
_START = (
    "'start' must be 'pastiche', 'content' or 'noise'; or a picture: as a file, in JSON as base64 or a data URL, as "
    "result: and the id of a result, or as job: and the id of a job that began with one."
)
_NO_PICTURE = 40  # characters of base64: too few for one, so that a misspelled word is not taken for it
_NO_ALPHA = "This photo has no clear parts that could be its mask: send one as a picture."


@dataclass(frozen=True)
class Upload:
    """`start`: the picture that a refinement begins with, where it is none of those that its options name."""

    content: bytes
    content_name: str
    styles: list[StyleChoice]
    options: Options
    pixels: int  # of the result
    start: bytes | None = None
    masks: Sequence[Mask] = ()

    @property
    def method(self) -> Method:
        return "gatys" if isinstance(self.options, RefineOptions) else "magenta"


@dataclass(frozen=True)
class SheetUpload:
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
def received(request: Request, no_refinement: StyleTransferError | None = None) -> Iterator[Callable[[], Upload]]:
    """Until the end of the block, a function that reads what was sent; the pictures are not decoded here.

    no_refinement: what one is refused with, where nobody can wait for it.
    """
    with bodies.received(request) as body:
        _check_address(request)
        if isinstance(body, Form):
            yield _read_form(body, no_refinement)  # its mistakes are told without a wait
        else:
            yield lambda: _from_json(body(), no_refinement)


@contextmanager
def received_sheet(request: Request) -> Iterator[Callable[[], SheetUpload]]:
    """Likewise, for a contact sheet."""
    with bodies.received(request) as body:
        _check_address(request)
        if isinstance(body, Form):
            sent.check_files(body.files, sent.NEEDED)
            texts = dict(body.texts)
            sent.take_sliders(texts)  # the page's own, which say nothing here
            yield _sheet(sent.of_form(texts, body.files), _single(texts))
        else:
            yield lambda: _json_sheet(body())


def _json_sheet(fields: dict[str, Any]) -> SheetUpload:
    return _sheet(sent.of_json(fields), fields)()


def _sheet(pictures: Pictures, fields: dict[str, Any]) -> Callable[[], SheetUpload]:
    if pictures.masks:
        raise InvalidOption("A contact sheet is painted everywhere: leave out 'mask'.", "mask")
    options = SheetOptions.parse(fields)
    cells = options.cells(len(pictures.styles))

    def read() -> SheetUpload:
        content, _ = pictures.photo()
        pixels = cells * _scaled(options.size, choices.peek(content, "content"))
        return SheetUpload(content, pictures.read_styles(), options, pixels)

    return read


def _upload(pictures: Pictures, options: Options, read_start: Callable[[], bytes] | None = None) -> Upload:
    content, name = pictures.photo()
    size = choices.peek(content, "content")  # before the styles are looked at
    pixels = result_pixels(options, size)
    masks = pictures.read_masks()
    _check_masks(masks, content, size)
    start = read_start() if read_start else None
    upload = Upload(content, name or "photo", pictures.read_styles(), options, pixels, start, masks)
    if isinstance(options, RefineOptions):
        choices.check_paintings(style.source for style in upload.styles)
        check_shape(size[1], size[0], options)
    else:
        choices.check_numbers((style.source for style in upload.styles), options)
    if start is not None:
        check_start(images.peek(start, "start"), size)
    return upload


def result_pixels(options: Options, size: tuple[int, int]) -> int:
    """size: (width, height) of the photo. ResultTooLarge where the result has more than this server makes.

    ImageTooLarge where the kind of file that was asked for cannot hold it.
    """
    most = current.settings().result_pixels
    if isinstance(options, StylizeOptions):
        width, height = options.result_size(*size, most)
        images.check_sides((height, width), options.format)
        return width * height
    pixels = _scaled(options.size, size)
    if pixels > most:
        raise ResultTooLarge(
            f"A result has at most {most / 1e6:.4g} million pixels here: ask for a smaller one.", "size"
        )
    return pixels


def _scaled(side: int, size: tuple[int, int]) -> int:
    """Pixels of a picture of that size, once its longer side is `side`."""
    return side * round(side * min(size) / max(size))


def _check_masks(masks: Sequence[Mask], photo: bytes, size: tuple[int, int]) -> None:
    """From the headers alone."""
    for mask in masks:
        if isinstance(mask, bytes):
            check_mask(choices.peek(mask, "mask"), size)
        elif mask == ALPHA and not images.has_alpha(photo):
            raise InvalidOption(_NO_ALPHA, "mask")


def _method(values: list[Any], no_refinement: StyleTransferError | None) -> Method:
    for method in OPTIONS:
        if values == [method]:
            if method == "gatys" and no_refinement:
                raise no_refinement
            return method
    raise InvalidOption("'method' must be 'magenta' or 'gatys'.", "method")


def _check_address(request: Request) -> None:
    for name in request.args:
        raise InvalidOption("Options are sent in the body, not in the address.", name)


def _options(method: Method, fields: dict[str, Any], pictures: Pictures) -> Options:
    if method == "gatys":
        refining = checked(RefineOptions.parse(fields))
        refining.blend_weights(len(pictures.styles))
        _check_edges(refining, pictures)
        return refining
    options = StylizeOptions.parse(fields)
    options.blend_weights(len(pictures.styles))
    options.regions(len(pictures.masks), len(pictures.styles))
    _check_edges(options, pictures)
    return options


def _check_edges(options: Options, pictures: Pictures) -> None:
    """Raises InvalidOption for a wish about masks where there are none."""
    for name in () if pictures.masks else ("feather", "paint"):
        if getattr(options, name) != type(options).model_fields[name].default:
            sentence = f"'{name}' is about a mask, and there is none: add one as 'mask', or leave '{name}' out."
            raise InvalidOption(sentence, name)


def _read_form(form: Form, no_refinement: StyleTransferError | None) -> Callable[[], Upload]:
    texts = dict(form.texts)
    method = _method(texts.pop("method", ["magenta"]), no_refinement)
    refining = method == "gatys"
    sent.check_files(form.files, ("content", "style", "mask", *(["start"] if refining else [])))
    pictures = sent.of_form(texts, form.files)
    start = _form_start(form.files.get("start", []), texts) if refining else None
    fields = _single(texts)
    options = _options(method, _refining(fields) if refining else fields, pictures)
    return lambda: _upload(pictures, options, start)


def _single(texts: sent.Texts) -> dict[str, Any]:
    return {name: values if len(values) > 1 else values[0] for name, values in texts.items()}


def _form_start(files: list[FileStorage], texts: sent.Texts) -> Callable[[], bytes] | None:
    """None where a word says it, which is an option like the others. A file takes the place of all else."""
    said = [text for text in texts.pop("start", []) if text]
    if len(files) > 1 or len(said) > 1:
        raise InvalidOption("Give one 'start' at a time.", "start")
    if files:
        return lambda: _uploaded_start(bodies.contents(files[0]))
    if not said:
        return None
    if said[0] in START_WORDS:
        texts["start"] = said
        return None
    return choices.beginning(said[0]) or _no_start()


def _uploaded_start(data: bytes) -> bytes:
    """The limits of uploads are not those of our own results, which may be begun with as well."""
    choices.peek(data, "start")
    return data


def _refining(fields: dict[str, Any]) -> dict[str, Any]:
    """What a form leaves empty, the preset decides; and each layer may have a field of its own."""
    fields = {name: value for name, value in fields.items() if value != "" or name not in RefineOptions.model_fields}
    for option, prefix in _LAYERS.items():
        names = [name for name in fields if name.startswith(prefix)]
        if names and option in fields:
            raise InvalidOption(f"Give the layers once: in '{option}' or each by itself.", option)
        weights = {name.removeprefix(prefix): fields.pop(name) for name in names}
        if weights:
            fields[option] = {layer: weight for layer, weight in weights.items() if _counts(weight)}
    return fields


def _counts(weight: Any) -> bool:
    """What is no number is for the options to refuse."""
    try:
        return float(weight) != 0
    except (TypeError, ValueError):
        return bool(weight)


def _from_json(fields: dict[str, Any], no_refinement: StyleTransferError | None) -> Upload:
    method = _method([fields.pop("method", "magenta")], no_refinement)
    pictures = sent.of_json(fields)
    given = method == "gatys" and "start" in fields and fields["start"] not in START_WORDS
    start = fields.pop("start") if given else None
    options = _options(method, fields, pictures)
    return _upload(pictures, options, (lambda: _json_start(start)) if given else None)


def _json_start(value: Any) -> bytes:
    if not isinstance(value, str):
        _no_start()
    if named := choices.beginning(value):
        return named()
    if value.startswith("data:") or len(value) >= _NO_PICTURE:
        return _uploaded_start(bodies.picture(value, "start"))
    _no_start()


def _no_start() -> NoReturn:
    raise InvalidOption(_START, "start")
