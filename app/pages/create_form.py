"""The create page's controls as they are to be shown: empty, as they were sent, or as an earlier job was ordered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from werkzeug.datastructures import MultiDict

from app.jobs.order import Options, Order, OrderStyle
from model.errors import InvalidOption
from model.options import StylizeOptions

SLIDER_MAX = 100  # a weight slider's end; only ratios count
SLIDER_DEFAULT = "50"  # where it stands at first
OWN = "own"  # the one slider of paintings that are sent along
WEIGHT_PREFIX = "weight-"
PRINT = "print"  # the choice of a size that is a print's
NO_STORE = "no_store"
_PRINT_FIELDS = ("print_width", "print_height", "print_unit")  # of a print, each in an input of its own
_OPTION_DEFAULTS = {name: option.default for name, option in StylizeOptions.model_fields.items()}
_PLAIN_FIELDS = ("strength", "keep_colours", "keep_light", "match_colours", "style_scale", "format", "quality", "dpi")
_REGION_FIELDS = ("feather", "paint")
_FOLDED_FIELDS = (
    "keep_colours",
    "keep_light",
    "match_colours",
    "style_scale",
    "steady",
    "quality",
)  # what is folded away
_INCOMPLETE_PRINT = "Say how wide and how high the print is to be."


@dataclass(frozen=True)
class UploadedPainting:
    """One that an earlier job was sent along with."""

    number: int  # among the job's styles
    name: str
    weight: str


def _control_text(value: Any) -> str:
    """As a control has it: 1, not 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


_DEFAULT_TEXTS = {name: _control_text(value) for name, value in _OPTION_DEFAULTS.items()}


@dataclass(frozen=True)
class FormValues:
    content: str = ""  # the server's name for a photo that it has
    styles: frozenset[str] = frozenset()  # ids of the library
    weights: Mapping[str, str] = field(default_factory=dict)  # by a style's id
    paintings: tuple[UploadedPainting, ...] = ()
    strength: str = _DEFAULT_TEXTS["strength"]
    size: str = "own"
    print_width: str = ""
    print_height: str = ""
    print_unit: str = "cm"
    dpi: str = ""
    keep_colours: str = _DEFAULT_TEXTS["keep_colours"]
    keep_light: str = _DEFAULT_TEXTS["keep_light"]
    match_colours: str = _DEFAULT_TEXTS["match_colours"]
    style_scale: str = _DEFAULT_TEXTS["style_scale"]
    steady: bool = False
    feather: str = _DEFAULT_TEXTS["feather"]
    paint: str = _DEFAULT_TEXTS["paint"]
    format: str = _DEFAULT_TEXTS["format"]
    quality: str = _DEFAULT_TEXTS["quality"]
    no_store: bool = False

    @classmethod
    def of_fields(cls, fields: MultiDict[str, str]) -> Self:
        said: dict[str, Any] = {
            name: fields[name] for name in ("size", *_PLAIN_FIELDS, *_REGION_FIELDS, *_PRINT_FIELDS) if fields.get(name)
        }
        return cls(
            content=fields.get("content", ""),
            styles=frozenset(fields.getlist("style")),
            weights={
                name.removeprefix(WEIGHT_PREFIX): text
                for name, text in fields.items()
                if name.startswith(WEIGHT_PREFIX)
            },
            steady="steady" in fields,
            no_store=NO_STORE in fields,
            **said,
        )

    @classmethod
    def of_order(cls, order: Order, content: str) -> Self:
        weights = _slider_weights(order.options.weights, len(order.styles))
        return cls(
            content=content,
            styles=frozenset(style.id for style in order.styles if style.id),
            weights={style.id: weight for style, weight in zip(order.styles, weights, strict=True) if style.id},
            paintings=_uploaded_paintings(order.styles, weights),
            **_values_of_options(order.options),
        )

    @property
    def is_touched(self) -> bool:
        """Something that is folded away is not as it is when nobody touches it."""
        return any(getattr(self, name) != getattr(FormValues, name) for name in _FOLDED_FIELDS)

    def weight_of(self, id: str) -> str:
        return self.weights.get(id, SLIDER_DEFAULT)


def option_fields(fields: MultiDict[str, str]) -> Iterable[tuple[str, str]]:
    """A form as it was sent -> the options' own names. What is left empty is not there."""
    is_print = fields.get("size") == PRINT
    for name, text in fields.items(multi=True):
        if name not in (NO_STORE, *_PRINT_FIELDS) and text and not (is_print and name == "size"):
            yield name, text
    if is_print:
        yield PRINT, _print_size(*(fields.get(part, "").strip() for part in _PRINT_FIELDS))


def _print_size(width: str, height: str, unit: str) -> str:
    if not (width and height):
        raise InvalidOption(_INCOMPLETE_PRINT, PRINT)
    return f"{width}x{height}{unit}"


def _values_of_options(options: Options) -> dict[str, Any]:
    """Those of an earlier picture; a refinement has fewer of them."""
    values = options.model_dump(exclude_none=True)
    said: dict[str, Any] = {
        name: _control_text(values[name]) for name in ("size", *_PLAIN_FIELDS, *_REGION_FIELDS) if name in values
    }
    if printed := re.fullmatch(r"([\d.]+)x([\d.]+)(\w+)", values.get(PRINT, "")):
        said |= {"size": PRINT} | dict(zip(_PRINT_FIELDS, printed.groups(), strict=True))
    return said | {"steady": values.get("steady", False)}


def _slider_weights(asked: list[float] | None, styles: int) -> list[str]:
    """As they stood; what a program sent may be out of the sliders' range, and then the largest is their end."""
    weights = asked or [float(SLIDER_DEFAULT)] * styles
    scale = 1 if 1 < max(weights) <= SLIDER_MAX else SLIDER_MAX / max(weights)
    return [f"{weight * scale:g}" for weight in weights]


def _uploaded_paintings(styles: list[OrderStyle], weights: list[str]) -> tuple[UploadedPainting, ...]:
    pairs = enumerate(zip(styles, weights, strict=True))
    return tuple(UploadedPainting(number, style.name, weight) for number, (style, weight) in pairs if not style.id)
