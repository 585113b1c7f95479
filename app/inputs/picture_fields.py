"""The photo, styles and masks of a request, out of a form or JSON: whatever is painted is sent in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeAlias

from werkzeug.datastructures import FileStorage

from app.inputs import bodies, references
from app.inputs.references import RESULT_PREFIX, ResultPhoto, StyleChoice
from app.storage.records import Style
from model.errors import InvalidOption
from model.imaging.masking import MASK_WORDS
from model.options import MAX_MASKS, MAX_STYLES

FormTexts: TypeAlias = dict[str, list[str]]
FormFiles: TypeAlias = Mapping[str, list[FileStorage]]
MaskSource: TypeAlias = bytes | str  # a picture, or one of WORDS

REQUIRED = ("content", "style")
_MISSING_MESSAGES = {
    "content": "There is no photo: add one as 'content'.",
    "style": "There is no painting: add at least one as 'style'.",
}
_WEIGHT_PREFIX, _UPLOAD_WEIGHT = (
    "weight-",
    "weight-own",
)  # the page's sliders: weight-<style's id>, and one for what is uploaded
_WEIGHTS_TWICE_MESSAGE = "Give the weights once: in 'weights' or with each style."
_MASK_MESSAGE = (
    "'mask' must be a picture as a file, or one of the words " + " and ".join(f"'{word}'" for word in MASK_WORDS) + "."
)


@dataclass(frozen=True)
class PictureReaders:
    """What a request paints with, none of it read or looked at before it is asked for."""

    photo: Callable[[], tuple[bytes, str]]  # and its name
    styles: Sequence[Callable[[], StyleChoice]]
    masks: Sequence[Callable[[], MaskSource]] = ()

    def read_styles(self) -> list[StyleChoice]:
        return [read() for read in self.styles]

    def read_masks(self) -> list[MaskSource]:
        return [read() for read in self.masks]


def from_form(texts: FormTexts, files: FormFiles) -> PictureReaders:
    """Takes them out of `texts`, and puts the weights of the page's sliders there."""
    photo = _photo_reader(files.get("content", []), _take_texts(texts, "content"))
    named = [references.require_style(name) for name in _take_texts(texts, "style")[: MAX_STYLES + 1]]
    sent = files.get("style", [])
    if not named and not sent:
        _refuse_missing("style")
    _apply_sliders(texts, named, sent)
    styles = [
        *(partial(references.style_from_library, style) for style in named),
        *(partial(_read_uploaded_style, file) for file in sent),
    ]
    return PictureReaders(photo, styles, _mask_readers(_take_texts(texts, "mask"), files.get("mask", [])))


def check_file_names(files: Iterable[str], known: Sequence[str]) -> None:
    for name in set(files) - set(known):
        *others, last = map(repr, known)
        raise InvalidOption(f"Files are sent as {', '.join(others)} and {last}, and as nothing else.", name)


def from_json(fields: dict[str, Any]) -> PictureReaders:
    """Takes them out of `fields`, and puts there the weights that the styles come with."""
    content = fields.pop("content", None) or _refuse_missing("content")
    styles, weights = _split_weights(fields.pop("style", None) or _refuse_missing("style"))
    if weights is not None:
        if fields.get("weights") is not None:
            raise InvalidOption(_WEIGHTS_TWICE_MESSAGE, "weights")
        fields["weights"] = weights
    masks = _json_mask_readers(fields.pop("mask")) if "mask" in fields else []
    return PictureReaders(
        partial(_read_json_photo, content), [partial(_read_json_style, style) for style in styles], masks
    )


def _take_texts(texts: FormTexts, name: str) -> list[str]:
    """What a form leaves empty is nothing."""
    return [text for text in texts.pop(name, []) if text]


def _photo_reader(files: list[FileStorage], texts: list[str]) -> Callable[[], tuple[bytes, str]]:
    """A file takes the place of the result's photo: a form that offers that one still has room for another."""
    for text in texts:
        if not text.startswith(RESULT_PREFIX):
            raise InvalidOption("'content' must be sent as a file, or as result: and the id of a result.", "content")
    if len(files) > 1 or len(texts) > 1:
        raise InvalidOption("Send one photo at a time as 'content'.", "content")
    if files:
        return lambda: (bodies.read_file(files[0]), references.clean_filename(files[0].filename or ""))
    return (
        partial(_read_result_photo, references.photo_of_result(references.require_result(texts[0], "content")))
        if texts
        else _refuse_missing("content")
    )


def _read_result_photo(photo: ResultPhoto) -> tuple[bytes, str]:
    return photo.read(), photo.name


def _read_uploaded_style(file: FileStorage) -> StyleChoice:
    return references.style_from_file(bodies.read_file(file), file.filename or "")


def _mask_readers(words: Sequence[str], files: Sequence[FileStorage]) -> list[Callable[[], MaskSource]]:
    _check_mask_count(len(words) + len(files))
    if not set(words) <= set(MASK_WORDS):
        raise InvalidOption(_MASK_MESSAGE, "mask")
    return [*(partial(str, word) for word in words), *(partial(bodies.read_file, file) for file in files)]


def take_sliders(texts: FormTexts) -> FormTexts:
    return {name: texts.pop(name) for name in list(texts) if name.startswith(_WEIGHT_PREFIX)}


def _apply_sliders(texts: FormTexts, named: Sequence[Style], sent: Sequence[FileStorage]) -> None:
    """The sliders of the chosen styles as 'weights'; those of the others, which a form sends as well, are left out."""
    sliders = take_sliders(texts)
    names = [f"{_WEIGHT_PREFIX}{style.id}" for style in named] + [_UPLOAD_WEIGHT] * bool(sent)
    if sliders.keys().isdisjoint(names):
        return
    if "weights" in texts:
        raise InvalidOption(_WEIGHTS_TWICE_MESSAGE, "weights")
    own = sliders.get(_UPLOAD_WEIGHT, ["1"])
    each = own if len(own) == len(sent) else own[:1] * len(sent)
    texts["weights"] = [sliders.get(f"{_WEIGHT_PREFIX}{style.id}", ["1"])[0] for style in named] + each


def _read_json_photo(content: Any) -> tuple[bytes, str]:
    if isinstance(content, str) and content.startswith(RESULT_PREFIX):
        return _read_result_photo(references.photo_of_result(references.require_result(content, "content")))
    return bodies.decode_picture(content, "content"), ""


def _read_json_style(value: Any) -> StyleChoice:
    """The name or id of a style, else a picture."""
    if isinstance(value, Style):
        return references.style_from_library(value)
    if isinstance(value, str) and (known := references.find_style(value)):
        return references.style_from_library(known)
    return references.style_from_file(bodies.decode_picture(value, "style"))


def _split_weights(value: Any) -> tuple[list[Any], list[Any] | None]:
    """`value`: one style or a list of them -> the pictures and styles, their weights if any."""
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} styles, not {len(entries)}.", "style")
    pairs = [_parse_style_entry(entry) for entry in entries]
    weighted = any(isinstance(entry, dict) for entry in entries)
    return [style for style, _ in pairs], [weight for _, weight in pairs] if weighted else None


def _parse_style_entry(entry: Any) -> tuple[Any, Any]:
    """A style as it is, or {"image": …} or {"name": …} with or without its weight."""
    if not isinstance(entry, dict):
        return entry, 1.0
    kind, weight = entry.keys() - {"weight"}, entry.get("weight", 1.0)
    if kind == {"image"}:
        return entry["image"], weight
    if kind == {"name"} and isinstance(entry["name"], str):
        return references.require_style(entry["name"]), weight
    raise InvalidOption("Each entry of 'style' has an 'image' or a 'name' and may have a 'weight', no more.", "style")


def _json_mask_readers(value: Any) -> list[Callable[[], MaskSource]]:
    entries = value if isinstance(value, list) else [value]
    _check_mask_count(len(entries))
    return [partial(_read_json_mask, entry) for entry in entries]


def _read_json_mask(value: Any) -> MaskSource:
    return value if isinstance(value, str) and value in MASK_WORDS else bodies.decode_picture(value, "mask")


def _check_mask_count(count: int) -> None:
    if count > MAX_MASKS:
        raise InvalidOption(f"Give at most {MAX_MASKS} masks, not {count}.", "mask")


def _refuse_missing(name: str) -> NoReturn:
    raise InvalidOption(_MISSING_MESSAGES[name], name)
