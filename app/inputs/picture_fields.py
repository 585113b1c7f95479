"""The photo, styles, masks and start of a request: the fields they are sent in, and how they are read."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from werkzeug.datastructures import FileStorage

from app.failures import MalformedRequest
from app.http.context import Caller
from app.inputs import references
from app.inputs.bodies import JsonObject
from app.inputs.references import RESULT_PREFIX, ResultPhoto, StyleChoice, invalid_if_deleted
from app.settings import PictureLimits
from app.storage.records import Style
from model import style_file
from model.errors import InvalidOption
from model.imaging import image_files, masking
from model.imaging.masking import MASK_WORDS
from model.imaging.metadata_removal import remove_metadata
from model.options import MAX_STYLES, START_WORDS, check_mask_count, check_style_count
from model.style_file import NAME_LENGTH, StyleFile

FormTexts: TypeAlias = dict[str, list[str]]
FormFiles: TypeAlias = Mapping[str, list[FileStorage]]
MaskInput: TypeAlias = bytes | str  # a picture, or one of MASK_WORDS

SHEET_FIELDS = ("content", "style")
STYLIZE_FIELDS = (*SHEET_FIELDS, "mask")
REFINE_FIELDS = (*STYLIZE_FIELDS, "start")
_MISSING_MESSAGES = {
    "content": "There is no photo: add one as 'content'.",
    "style": "There is no painting: add at least one as 'style'.",
}
WEIGHT_PREFIX = "weight-"  # before a style's id: its slider on the page
_UPLOAD_WEIGHT = f"{WEIGHT_PREFIX}own"  # the page's slider for what is uploaded
_WEIGHTS_TWICE_MESSAGE = "Give the weights once: in 'weights' or with each style."
_MASK_MESSAGE = (
    "'mask' must be a picture as a file, or one of the words " + " and ".join(f"'{word}'" for word in MASK_WORDS) + "."
)
_START_MESSAGE = (
    "'start' must be 'pastiche', 'content' or 'noise'; or a picture: as a file, in JSON as base64 or a data URL, as "
    "result: and the id of a result, or as job: and the id of a job that began with one."
)
_MIN_BASE64_LENGTH = 40  # characters of base64: too few for one, so that a misspelled word is not taken for it


@dataclass(frozen=True)
class JsonValue:
    """A picture as JSON has it: base64, a data URL, a reference, or what is none of these."""

    value: Any


@dataclass(frozen=True)
class StoredPicture:
    key: str


@dataclass(frozen=True)
class Photo:
    data: bytes
    name: str
    size: tuple[int, int]  # width and height


@dataclass(frozen=True)
class PictureSources:
    """Where the pictures of a request are; nothing is read or decoded before it is asked for."""

    caller: Caller
    photo: FileStorage | ResultPhoto | JsonValue
    styles: Sequence[Style | FileStorage | JsonValue]
    masks: Sequence[str | FileStorage | JsonValue]
    start: FileStorage | StoredPicture | JsonValue | None = None

    @classmethod
    def from_form(cls, caller: Caller, texts: FormTexts, files: FormFiles, fields: Sequence[str]) -> PictureSources:
        """Take the pictures out of `texts`, and put the weights of the page's sliders there.

        fields: those that may be files.
        """
        _check_file_fields(files, fields)
        photo = _form_photo(caller, files.get("content", []), _take_texts(texts, "content"))
        named = [references.require_style(caller, name) for name in _take_texts(texts, "style")[: MAX_STYLES + 1]]
        uploaded = files.get("style", [])
        if not named and not uploaded:
            _refuse_missing("style")
        _apply_sliders(texts, named, uploaded)
        masks = _form_masks(_take_texts(texts, "mask"), files.get("mask", []))
        start = _form_start(caller, files.get("start", []), texts) if "start" in fields else None
        return cls(caller, photo, [*named, *uploaded], masks, start)

    @classmethod
    def from_json(cls, caller: Caller, body: JsonObject, fields: Sequence[str]) -> PictureSources:
        """Take the pictures out of `body`, and put the weights there that the styles come with.

        fields: those that may be pictures.
        """
        content = body.pop("content", None) or _refuse_missing("content")
        styles, weights = _split_weights(caller, body.pop("style", None) or _refuse_missing("style"))
        if weights is not None:
            if body.get("weights") is not None:
                raise InvalidOption(_WEIGHTS_TWICE_MESSAGE, "weights")
            body["weights"] = weights
        masks = as_list(body.pop("mask", []))
        check_mask_count(len(masks))
        has_start = "start" in fields and "start" in body and body["start"] not in START_WORDS
        start = JsonValue(body.pop("start")) if has_start else None
        return cls(caller, JsonValue(content), styles, [JsonValue(mask) for mask in masks], start)

    def read_photo(self) -> Photo:
        data, name = self._photo_and_name()
        return Photo(data, name, peek_size(data, "content", self.caller.limits))

    def _photo_and_name(self) -> tuple[bytes, str]:
        photo = self.photo
        if isinstance(photo, FileStorage):
            return read_file(photo, self.caller.limits), clean_filename(photo.filename or "")
        if isinstance(photo, JsonValue):
            if not (isinstance(photo.value, str) and photo.value.startswith(RESULT_PREFIX)):
                return decode_picture(photo.value, "content"), ""
            photo = ResultPhoto.of(references.require_result(self.caller, photo.value, "content"))
        return photo.read(self.caller.library), photo.name

    def read_styles(self) -> list[StyleChoice]:
        return [self._read_style(style) for style in self.styles]

    def _read_style(self, style: Style | FileStorage | JsonValue) -> StyleChoice:
        limits = self.caller.limits
        if isinstance(style, FileStorage):
            return style_from_file(read_file(style, limits), limits, style.filename or "")
        if isinstance(style, JsonValue):
            may_be_name = isinstance(style.value, str) and len(style.value) <= NAME_LENGTH
            known = references.find_style(self.caller, style.value) if may_be_name else None
            if known is None:
                return style_from_file(decode_picture(style.value, "style"), limits)
            style = known
        return references.style_from_library(self.caller.library, style)

    def read_masks(self, photo: Photo) -> list[MaskInput]:
        """Read the masks, and check from their headers alone that they fit the photo."""
        masks = [self._read_mask(mask) for mask in self.masks]
        for mask in masks:
            if isinstance(mask, bytes):
                masking.check_mask_size(peek_size(mask, "mask", self.caller.limits), photo.size)
            else:
                masking.check_alpha([mask], photo.data)
        return masks

    def _read_mask(self, mask: str | FileStorage | JsonValue) -> MaskInput:
        if isinstance(mask, FileStorage):
            return read_file(mask, self.caller.limits)
        if isinstance(mask, JsonValue):
            return mask.value if mask.value in MASK_WORDS else decode_picture(mask.value, "mask")
        return mask

    def read_start(self) -> bytes | None:
        """Read the picture that a refinement begins with, where it is none of those that its options name."""
        start = _parse_json_start(self.caller, self.start.value) if isinstance(self.start, JsonValue) else self.start
        if start is None:
            return None
        if isinstance(start, StoredPicture):  # may be larger than uploads
            with invalid_if_deleted("start"):
                return self.caller.library.picture(start.key)
        data = start if isinstance(start, bytes) else read_file(start, self.caller.limits)
        peek_size(data, "start", self.caller.limits)
        return remove_metadata(data, "start")  # here, as a stored one is a result, which keeps its recipe


def _check_file_fields(files: Iterable[str], known: Sequence[str]) -> None:
    for name in set(files) - set(known):
        *others, last = map(repr, known)
        raise InvalidOption(f"Files are sent as {', '.join(others)} and {last}, and as nothing else.", name)


def take_sliders(texts: FormTexts) -> FormTexts:
    return {name: texts.pop(name) for name in list(texts) if name.startswith(WEIGHT_PREFIX)}


def read_file(file: FileStorage, limits: PictureLimits) -> bytes:
    """Read a file; of one that is too large, one byte more than it may have."""
    return file.stream.read(limits.upload_bytes + 1)


def decode_picture(value: Any, field: str) -> bytes:
    """Decode base64 or a data URL. Never an address: the server fetches nothing."""
    if not isinstance(value, str):
        raise InvalidOption(f"'{field}' must be a picture as base64 or a data URL.", field)
    if value.startswith("data:"):
        return _decode_data_url(value, field)
    try:
        return _decode_wrapped_base64(value)
    except ValueError:
        raise InvalidOption(f"'{field}' is neither base64 nor a data URL; addresses are not fetched.", field) from None


def as_list(value: Any) -> list[Any]:
    """Return a JSON value that may be one thing or a list of them as a list."""
    return value if isinstance(value, list) else [value]


def peek_size(data: bytes, field: str, limits: PictureLimits) -> tuple[int, int]:
    """Return width and height from the header of a picture that was sent; refuse one beyond the limits of uploads."""
    return image_files.peek_size(data, field, most_bytes=limits.upload_bytes, most_pixels=limits.upload_pixels)


def style_from_file(data: bytes, limits: PictureLimits, name: str = "") -> StyleChoice:
    """Return what was sent as a style; its first bytes are enough to refuse what is neither picture nor style file."""
    if style_file.is_style_file(data):
        file = StyleFile.from_bytes(data)
        return StyleChoice(file.name, data, credit_and_licence=(file.credit, file.licence))
    peek_size(data, "style", limits)
    return StyleChoice(clean_filename(name) or "Your painting", data)


def clean_filename(filename: str) -> str:
    """Return a file's name without folders, ending, and whatever is neither letter nor digit."""
    stem = re.split(r"[/\\]", filename)[-1].rpartition(".")[0] or filename
    return re.sub(r"[\W_]+", "-", stem).strip("-")[:60]


def _take_texts(texts: FormTexts, name: str) -> list[str]:
    """Take a field out; what a form leaves empty is nothing."""
    return [text for text in texts.pop(name, []) if text]


def _form_photo(caller: Caller, files: list[FileStorage], texts: list[str]) -> FileStorage | ResultPhoto:
    """Return the file, which takes the place of a result's photo: a form that offers that has room for another."""
    for text in texts:
        if not text.startswith(RESULT_PREFIX):
            raise InvalidOption("'content' must be sent as a file, or as result: and the id of a result.", "content")
    if len(files) > 1 or len(texts) > 1:
        raise InvalidOption("Send one photo at a time as 'content'.", "content")
    if files:
        return files[0]
    if not texts:
        _refuse_missing("content")
    return ResultPhoto.of(references.require_result(caller, texts[0], "content"))


def _form_masks(words: Sequence[str], files: Sequence[FileStorage]) -> list[str | FileStorage]:
    check_mask_count(len(words) + len(files))
    if not set(words) <= set(MASK_WORDS):
        raise InvalidOption(_MASK_MESSAGE, "mask")
    return [*words, *files]


def _form_start(caller: Caller, files: list[FileStorage], texts: FormTexts) -> FileStorage | StoredPicture | None:
    """Return the picture to begin with; a word is left in `texts`, as the option that it is."""
    named = _take_texts(texts, "start")
    if len(files) > 1 or len(named) > 1:
        raise InvalidOption("Give one 'start' at a time.", "start")
    if files:
        return files[0]
    if not named:
        return None
    if named[0] in START_WORDS:
        texts["start"] = named
        return None
    key = references.start_key(caller, named[0])
    return StoredPicture(key) if key else _refuse_start()


def _parse_json_start(caller: Caller, value: Any) -> StoredPicture | bytes:
    if not isinstance(value, str):
        _refuse_start()
    if key := references.start_key(caller, value):
        return StoredPicture(key)
    if value.startswith("data:") or len(value) >= _MIN_BASE64_LENGTH:
        return decode_picture(value, "start")
    _refuse_start()


def _apply_sliders(texts: FormTexts, named: Sequence[Style], uploaded: Sequence[FileStorage]) -> None:
    """Put the sliders of the chosen styles into 'weights'; a form sends those of all others too."""
    sliders = take_sliders(texts)
    names = [f"{WEIGHT_PREFIX}{style.id}" for style in named] + [_UPLOAD_WEIGHT] * bool(uploaded)
    if sliders.keys().isdisjoint(names):
        return
    if "weights" in texts:
        raise InvalidOption(_WEIGHTS_TWICE_MESSAGE, "weights")
    own = sliders.get(_UPLOAD_WEIGHT, ["1"])
    each = own if len(own) == len(uploaded) else own[:1] * len(uploaded)
    texts["weights"] = [sliders.get(f"{WEIGHT_PREFIX}{style.id}", ["1"])[0] for style in named] + each


def _split_weights(caller: Caller, value: Any) -> tuple[list[Style | JsonValue], list[Any] | None]:
    """Split one style, or a list of them, into the styles and their weights, if any."""
    entries = as_list(value)
    check_style_count(len(entries))
    pairs = [_parse_style_entry(caller, entry) for entry in entries]
    weighted = any(isinstance(entry, dict) for entry in entries)
    return [style for style, _ in pairs], [weight for _, weight in pairs] if weighted else None


def _parse_style_entry(caller: Caller, entry: Any) -> tuple[Style | JsonValue, Any]:
    """Return a style with its weight: of a value as it is, or of {"image": …} or {"name": …} with or without one."""
    if not isinstance(entry, dict):
        return JsonValue(entry), 1.0
    kind, weight = entry.keys() - {"weight"}, entry.get("weight", 1.0)
    if kind == {"image"}:
        return JsonValue(entry["image"]), weight
    if kind == {"name"} and isinstance(entry["name"], str):
        return references.require_style(caller, entry["name"]), weight
    raise InvalidOption("Each entry of 'style' has an 'image' or a 'name' and may have a 'weight', no more.", "style")


def _decode_data_url(value: str, field: str) -> bytes:
    head, comma, data = value.partition(",")
    try:
        if not (comma and head.endswith(";base64")):
            raise ValueError(head)
        return _decode_wrapped_base64(data)
    except ValueError:
        raise MalformedRequest(f"'{field}' is a broken data URL: it must be data:image/…;base64,….", field) from None


def _decode_wrapped_base64(text: str) -> bytes:
    """Raise ValueError on anything that is not base64; line breaks are allowed."""
    data = base64.b64decode(text.encode("ascii").translate(None, b" \t\r\n"), validate=True)
    if not data:
        raise ValueError("empty")
    return data


def _refuse_missing(name: str) -> NoReturn:
    raise InvalidOption(_MISSING_MESSAGES[name], name)


def _refuse_start() -> NoReturn:
    raise InvalidOption(_START_MESSAGE, "start")
