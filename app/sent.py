"""The photo, styles and masks of a request, out of a form or JSON: whatever is painted is sent in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeAlias

from werkzeug.datastructures import FileStorage

from app import bodies, choices
from app.choices import RESULT, Photo, StyleChoice
from app.records import Style
from model.errors import InvalidOption
from model.options import MAX_MASKS, MAX_STYLES
from model.regions import WORDS

Texts: TypeAlias = dict[str, list[str]]
Files: TypeAlias = Mapping[str, list[FileStorage]]
Mask: TypeAlias = bytes | str  # a picture, or one of WORDS

NEEDED = ("content", "style")
_MISSING = {
    "content": "There is no photo: add one as 'content'.",
    "style": "There is no painting: add at least one as 'style'.",
}
_WEIGHT, _OWN = "weight-", "weight-own"  # the page's sliders: weight-<style's id>, and one for what is uploaded
_TWICE = "Give the weights once: in 'weights' or with each style."
_MASK = "'mask' must be a picture as a file, or one of the words " + " and ".join(f"'{word}'" for word in WORDS) + "."


@dataclass(frozen=True)
class Pictures:
    """What a request paints with, none of it read or looked at before it is asked for."""

    photo: Callable[[], tuple[bytes, str]]  # and its name
    styles: Sequence[Callable[[], StyleChoice]]
    masks: Sequence[Callable[[], Mask]] = ()

    def read_styles(self) -> list[StyleChoice]:
        return [read() for read in self.styles]

    def read_masks(self) -> list[Mask]:
        return [read() for read in self.masks]


def of_form(texts: Texts, files: Files) -> Pictures:
    """Takes them out of `texts`, and puts the weights of the page's sliders there."""
    photo = _photo(files.get("content", []), _said(texts, "content"))
    named = [choices.named_style(name) for name in _said(texts, "style")[: MAX_STYLES + 1]]
    sent = files.get("style", [])
    if not named and not sent:
        _missing("style")
    _weigh(texts, named, sent)
    styles = [*(partial(choices.of_library, style) for style in named), *(partial(_uploaded, file) for file in sent)]
    return Pictures(photo, styles, _masks(_said(texts, "mask"), files.get("mask", [])))


def check_files(files: Iterable[str], known: Sequence[str]) -> None:
    for name in set(files) - set(known):
        *others, last = map(repr, known)
        raise InvalidOption(f"Files are sent as {', '.join(others)} and {last}, and as nothing else.", name)


def of_json(fields: dict[str, Any]) -> Pictures:
    """Takes them out of `fields`, and puts there the weights that the styles come with."""
    content = fields.pop("content", None) or _missing("content")
    styles, weights = _styles(fields.pop("style", None) or _missing("style"))
    if weights is not None:
        if fields.get("weights") is not None:
            raise InvalidOption(_TWICE, "weights")
        fields["weights"] = weights
    masks = _json_masks(fields.pop("mask")) if "mask" in fields else []
    return Pictures(partial(_json_photo, content), [partial(_json_style, style) for style in styles], masks)


def _said(texts: Texts, name: str) -> list[str]:
    """What a form leaves empty is nothing."""
    return [text for text in texts.pop(name, []) if text]


def _photo(files: list[FileStorage], texts: list[str]) -> Callable[[], tuple[bytes, str]]:
    """A file takes the place of the result's photo: a form that offers that one still has room for another."""
    for text in texts:
        if not text.startswith(RESULT):
            raise InvalidOption("'content' must be sent as a file, or as result: and the id of a result.", "content")
    if len(files) > 1 or len(texts) > 1:
        raise InvalidOption("Send one photo at a time as 'content'.", "content")
    if files:
        return lambda: (bodies.contents(files[0]), choices.cleaned(files[0].filename or ""))
    return partial(_kept, choices.photo_of(choices.result_of(texts[0], "content"))) if texts else _missing("content")


def _kept(photo: Photo) -> tuple[bytes, str]:
    return photo.read(), photo.name


def _uploaded(file: FileStorage) -> StyleChoice:
    return choices.of_file(bodies.contents(file), file.filename or "")


def _masks(words: Sequence[str], files: Sequence[FileStorage]) -> list[Callable[[], Mask]]:
    _check_masks(len(words) + len(files))
    if not set(words) <= set(WORDS):
        raise InvalidOption(_MASK, "mask")
    return [*(partial(str, word) for word in words), *(partial(bodies.contents, file) for file in files)]


def take_sliders(texts: Texts) -> Texts:
    return {name: texts.pop(name) for name in list(texts) if name.startswith(_WEIGHT)}


def _weigh(texts: Texts, named: Sequence[Style], sent: Sequence[FileStorage]) -> None:
    """The sliders of the chosen styles as 'weights'; those of the others, which a form sends as well, are left out."""
    sliders = take_sliders(texts)
    names = [f"{_WEIGHT}{style.id}" for style in named] + [_OWN] * bool(sent)
    if sliders.keys().isdisjoint(names):
        return
    if "weights" in texts:
        raise InvalidOption(_TWICE, "weights")
    own = sliders.get(_OWN, ["1"])
    each = own if len(own) == len(sent) else own[:1] * len(sent)
    texts["weights"] = [sliders.get(f"{_WEIGHT}{style.id}", ["1"])[0] for style in named] + each


def _json_photo(content: Any) -> tuple[bytes, str]:
    if isinstance(content, str) and content.startswith(RESULT):
        return _kept(choices.photo_of(choices.result_of(content, "content")))
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


def _json_masks(value: Any) -> list[Callable[[], Mask]]:
    entries = value if isinstance(value, list) else [value]
    _check_masks(len(entries))
    return [partial(_json_mask, entry) for entry in entries]


def _json_mask(value: Any) -> Mask:
    return value if isinstance(value, str) and value in WORDS else bodies.picture(value, "mask")


def _check_masks(count: int) -> None:
    if count > MAX_MASKS:
        raise InvalidOption(f"Give at most {MAX_MASKS} masks, not {count}.", "mask")


def _missing(name: str) -> NoReturn:
    raise InvalidOption(_MISSING[name], name)
