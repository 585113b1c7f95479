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
from app.records import Style
from model import images
from model.errors import InvalidOption
from model.options import DEFAULT_SIDE, MAX_STYLES, StylizeOptions

_MISSING = {
    "content": "There is no photo: add one as 'content'.",
    "style": "There is no painting: add at least one as 'style'.",
}
_WEIGHT, _OWN = "weight-", "weight-own"  # the page's sliders: weight-<style's id>, and one for what is uploaded
_TWICE = "Give the weights once: in 'weights' or with each style."


@dataclass(frozen=True)
class Upload:
    content: bytes
    content_name: str
    styles: list[StyleChoice]
    options: StylizeOptions
    pixels: int  # of the result


# A slow client costs a thread and room on the disk, and nothing that others wait for: the body is received before it
# has a place in the queue, and what is large comes into memory once it has a turn. So the number of renders bounds the
# memory, however many send. With no place free it is still read to its end: a server that answers and hangs up while a
# browser sends is taken for one that cannot be reached.
@contextmanager
def received(request: Request) -> Iterator[Callable[[], Upload]]:
    """Until the end of the block, a function that reads what was sent; the pictures are not decoded here."""
    with bodies.received(request) as body:
        if isinstance(body, Form):
            yield _read_form(request, body)  # its mistakes are told without a wait
        else:
            yield lambda: _from_json(request, body())


def _upload(content: bytes, name: str, styles: Iterator[StyleChoice], options: StylizeOptions) -> Upload:
    width, height = images.peek(content, "content")  # before the styles are looked at
    scale = (options.size or min(max(width, height), DEFAULT_SIDE)) / max(width, height)
    return Upload(content, name or "photo", list(styles), options, round(width * scale) * round(height * scale))


def _options(request: Request, fields: dict[str, Any], styles: int) -> StylizeOptions:
    for name in request.args:
        raise InvalidOption("Options are sent in the body, not in the address.", name)
    options = StylizeOptions.parse(fields)
    options.blend_weights(styles)
    return options


def _read_form(request: Request, form: Form) -> Callable[[], Upload]:
    texts = {name: [text for text in values if text or name not in _MISSING] for name, values in form.texts.items()}
    photo = _photo(form.files.get("content", []), texts.pop("content", []))
    named = [choices.named_style(name) for name in texts.pop("style", [])[: MAX_STYLES + 1]]
    sent = form.files.get("style", [])
    if not named and not sent:
        _missing("style")
    for name in form.files.keys() - _MISSING.keys():
        raise InvalidOption("Files are sent as 'content' and 'style', and as nothing else.", name)
    fields = {name: values if len(values) > 1 else values[0] for name, values in _weighed(texts, named, sent).items()}
    options = _options(request, fields, len(named) + len(sent))

    def read() -> Upload:
        content, name = (photo.read(), photo.name) if isinstance(photo, Photo) else _content(photo)
        uploaded = (choices.of_file(bodies.contents(file), file.filename or "") for file in sent)
        return _upload(content, name, chain(map(choices.of_library, named), uploaded), options)

    return read


def _photo(files: list[FileStorage], texts: list[str]) -> FileStorage | Photo:
    """A file takes the place of the result's photo: a form that offers that one still has room for another."""
    for text in texts:
        if not text.startswith(RESULT):
            raise InvalidOption("'content' must be sent as a file, or as result: and the id of a result.", "content")
    if len(files) > 1 or len(texts) > 1:
        raise InvalidOption("Send one photo at a time as 'content'.", "content")
    return files[0] if files else choices.photo_of(texts[0]) if texts else _missing("content")


def _content(file: FileStorage) -> tuple[bytes, str]:
    return bodies.contents(file), choices.cleaned(file.filename or "")


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


def _from_json(request: Request, fields: dict[str, Any]) -> Upload:
    content = fields.pop("content", None) or _missing("content")
    styles, weights = _styles(fields.pop("style", None) or _missing("style"))
    if weights is not None:
        if fields.get("weights") is not None:
            raise InvalidOption(_TWICE, "weights")
        fields["weights"] = weights
    options = _options(request, fields, len(styles))
    photo, name = _json_photo(content)
    return _upload(photo, name, map(_json_style, styles), options)


def _json_photo(content: Any) -> tuple[bytes, str]:
    if isinstance(content, str) and content.startswith(RESULT):
        photo = choices.photo_of(content)
        return photo.read(), photo.name
    return bodies.picture(content, "content"), ""


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


def _missing(name: str) -> NoReturn:
    raise InvalidOption(_MISSING[name], name)
