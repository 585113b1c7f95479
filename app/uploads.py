"""Request -> pictures and options: the only reader of the forms and JSON that ask for a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn

from flask import Request
from werkzeug.datastructures import FileStorage

from app import bodies, choices
from app.bodies import Form
from app.choices import RESULT, Photo, StyleChoice
from app.orders import OPTIONS, Method, Options
from app.records import Style
from model import images
from model.errors import InvalidOption, StyleTransferError
from model.options import DEFAULT_SIDE, MAX_STYLES, START_WORDS, RefineOptions, StylizeOptions
from model.refine import check_shape, check_start, checked

_MISSING = {
    "content": "There is no photo: add one as 'content'.",
    "style": "There is no painting: add at least one as 'style'.",
}
_WEIGHT, _OWN = "weight-", "weight-own"  # the page's sliders: weight-<style's id>, and one for what is uploaded
_TWICE = "Give the weights once: in 'weights' or with each style."
_LAYERS = {"content_layers": "content-layer-", "style_layers": "style-layer-"}  # before each layer's name: its weight
_START = (
    "'start' must be 'pastiche', 'content' or 'noise'; or a picture: as a file, in JSON as base64 or a data URL, as "
    "result: and the id of a result, or as job: and the id of a job that began with one."
)
_NO_PICTURE = 40  # characters of base64: too few for one, so that a misspelled word is not taken for it


@dataclass(frozen=True)
class Upload:
    """`start`: the picture that a refinement begins with, where it is none of those that its options name."""

    content: bytes
    content_name: str
    styles: list[StyleChoice]
    options: Options
    pixels: int  # of the result
    start: bytes | None = None

    @property
    def method(self) -> Method:
        return "gatys" if isinstance(self.options, RefineOptions) else "magenta"


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
        if isinstance(body, Form):
            yield _read_form(request, body, no_refinement)  # its mistakes are told without a wait
        else:
            yield lambda: _from_json(request, body(), no_refinement)


def _upload(
    photo: tuple[bytes, str], styles: Iterator[StyleChoice], options: Options, start: bytes | None = None
) -> Upload:
    content, name = photo
    width, height = images.peek(content, "content")  # before the styles are looked at
    scale = (options.size or min(max(width, height), DEFAULT_SIDE)) / max(width, height)
    pixels = round(width * scale) * round(height * scale)
    upload = Upload(content, name or "photo", list(styles), options, pixels, start)
    if isinstance(options, RefineOptions):
        choices.check_paintings(style.source for style in upload.styles)
        check_shape(height, width, options)
    if start is not None:
        check_start(images.peek(start, "start"), (width, height))
    return upload


def _method(values: list[Any], no_refinement: StyleTransferError | None) -> Method:
    for method in OPTIONS:
        if values == [method]:
            if method == "gatys" and no_refinement:
                raise no_refinement
            return method
    raise InvalidOption("'method' must be 'magenta' or 'gatys'.", "method")


def _options(request: Request, method: Method, fields: dict[str, Any], styles: int) -> Options:
    for name in request.args:
        raise InvalidOption("Options are sent in the body, not in the address.", name)
    options = StylizeOptions.parse(fields) if method == "magenta" else checked(RefineOptions.parse(fields))
    options.blend_weights(styles)
    return options


def _read_form(request: Request, form: Form, no_refinement: StyleTransferError | None) -> Callable[[], Upload]:
    texts = {name: [text for text in values if text or name not in _MISSING] for name, values in form.texts.items()}
    method = _method(texts.pop("method", ["magenta"]), no_refinement)
    photo = _photo(form.files.get("content", []), texts.pop("content", []))
    named = [choices.named_style(name) for name in texts.pop("style", [])[: MAX_STYLES + 1]]
    sent = form.files.get("style", [])
    if not named and not sent:
        _missing("style")
    _check_files(form, method)
    start = _form_start(form.files.get("start", []), texts) if method == "gatys" else None
    fields = {name: values if len(values) > 1 else values[0] for name, values in _weighed(texts, named, sent).items()}
    options = _options(request, method, _refining(fields) if method == "gatys" else fields, len(named) + len(sent))

    def read() -> Upload:
        content = (photo.read(), photo.name) if isinstance(photo, Photo) else _content(photo)
        uploaded = (choices.of_file(bodies.contents(file), file.filename or "") for file in sent)
        return _upload(content, chain(map(choices.of_library, named), uploaded), options, start() if start else None)

    return read


def _check_files(form: Form, method: Method) -> None:
    known = ["content", "style", *(["start"] if method == "gatys" else [])]
    for name in form.files.keys() - known:
        *others, last = map(repr, known)
        raise InvalidOption(f"Files are sent as {', '.join(others)} and {last}, and as nothing else.", name)


def _photo(files: list[FileStorage], texts: list[str]) -> FileStorage | Photo:
    """A file takes the place of the result's photo: a form that offers that one still has room for another."""
    for text in texts:
        if not text.startswith(RESULT):
            raise InvalidOption("'content' must be sent as a file, or as result: and the id of a result.", "content")
    if len(files) > 1 or len(texts) > 1:
        raise InvalidOption("Send one photo at a time as 'content'.", "content")
    if files:
        return files[0]
    return choices.photo_of(choices.result_of(texts[0], "content")) if texts else _missing("content")


def _content(file: FileStorage) -> tuple[bytes, str]:
    return bodies.contents(file), choices.cleaned(file.filename or "")


def _form_start(files: list[FileStorage], texts: dict[str, list[str]]) -> Callable[[], bytes] | None:
    """None where a word says it, which is an option like the others. A file takes the place of all else."""
    said = [text for text in texts.pop("start", []) if text]
    if len(files) > 1 or len(said) > 1:
        raise InvalidOption("Give one 'start' at a time.", "start")
    if files:
        return lambda: bodies.contents(files[0])
    if not said:
        return None
    if said[0] in START_WORDS:
        texts["start"] = said
        return None
    return choices.beginning(said[0]) or _no_start()


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


def _weighed(texts: dict[str, list[str]], named: list[Style], sent: list[FileStorage]) -> dict[str, list[str]]:
    """The sliders of the chosen styles as 'weights'; those of the others, which a form sends as well, are left out."""
    sliders = {name: values for name, values in texts.items() if name.startswith(_WEIGHT)}
    rest = {name: values for name, values in texts.items() if name not in sliders}
    names = [f"{_WEIGHT}{style.id}" for style in named] + [_OWN] * bool(sent)
    if sliders.keys().isdisjoint(names):
        return rest
    if "weights" in rest:
        raise InvalidOption(_TWICE, "weights")
    own = sliders.get(_OWN, ["1"])
    each = own if len(own) == len(sent) else own[:1] * len(sent)
    return rest | {"weights": [sliders.get(f"{_WEIGHT}{style.id}", ["1"])[0] for style in named] + each}


def _from_json(request: Request, fields: dict[str, Any], no_refinement: StyleTransferError | None) -> Upload:
    method = _method([fields.pop("method", "magenta")], no_refinement)
    content = fields.pop("content", None) or _missing("content")
    styles, weights = _styles(fields.pop("style", None) or _missing("style"))
    if weights is not None:
        if fields.get("weights") is not None:
            raise InvalidOption(_TWICE, "weights")
        fields["weights"] = weights
    given = method == "gatys" and "start" in fields and fields["start"] not in START_WORDS
    start = fields.pop("start") if given else None
    options = _options(request, method, fields, len(styles))
    return _upload(_json_photo(content), map(_json_style, styles), options, _json_start(start) if given else None)


def _json_photo(content: Any) -> tuple[bytes, str]:
    if isinstance(content, str) and content.startswith(RESULT):
        photo = choices.photo_of(choices.result_of(content, "content"))
        return photo.read(), photo.name
    return bodies.picture(content, "content"), ""


def _json_start(value: Any) -> bytes:
    if not isinstance(value, str):
        _no_start()
    if named := choices.beginning(value):
        return named()
    if value.startswith("data:") or len(value) >= _NO_PICTURE:
        return bodies.picture(value, "start")
    _no_start()


def _json_style(value: Any) -> StyleChoice:
    """The name or id of a style, else a picture."""
    if isinstance(value, Style):
        return choices.of_library(value)
    if isinstance(value, str) and (known := choices.known_style(value)):
        return choices.of_library(known)
    return choices.of_file(bodies.picture(value, "style"))


def _styles(value: Any) -> tuple[list[Any], list[Any] | None]:
    """`value`: one style or a list of them -> the pictures and styles, their weights if any."""
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} styles, not {len(entries)}.", "style")
    pairs = [_entry(entry) for entry in entries]
    weighted = any(isinstance(entry, dict) for entry in entries)
    return [style for style, _ in pairs], [weight for _, weight in pairs] if weighted else None


def _entry(entry: Any) -> tuple[Any, Any]:
    """A style as it is, or {"image": …} or {"name": …} with or without its weight."""
    if not isinstance(entry, dict):
        return entry, 1.0
    kind, weight = entry.keys() - {"weight"}, entry.get("weight", 1.0)
    if kind == {"image"}:
        return entry["image"], weight
    if kind == {"name"} and isinstance(entry["name"], str):
        return choices.named_style(entry["name"]), weight
    raise InvalidOption("Each entry of 'style' has an 'image' or a 'name' and may have a 'weight', no more.", "style")


def _no_start() -> NoReturn:
    raise InvalidOption(_START, "start")


def _missing(name: str) -> NoReturn:
    raise InvalidOption(_MISSING[name], name)
