"""The values of the Create page's form: the defaults, as it was sent, or as an earlier job was ordered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from werkzeug.datastructures import MultiDict

from app.inputs.picture_fields import WEIGHT_PREFIX
from app.jobs.order import Order, OrderStyle
from app.pages.page_options import CONTROLS, FOLDED_CONTROLS, INCOMPLETE_PRINT, SLIDER_DEFAULT, SLIDER_MAX, control_text
from model.errors import InvalidOption
from model.options import Options, StylizeOptions

PRINT = "print"  # the choice of a size that is a print's
NO_STORE = "no_store"
_PRINT_FIELDS = ("print_width", "print_height", "print_unit")  # of a print, each in an input of its own
_TEXT_FIELDS = (*(name for name in CONTROLS if name not in ("steady", PRINT)), "feather", "paint")


@dataclass(frozen=True)
class UploadedPainting:
    """A painting that an earlier job was sent with."""

    number: int  # among the job's styles
    name: str
    weight: str


_DEFAULT_TEXTS = {name: control_text(option.default) for name, option in StylizeOptions.model_fields.items()}


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
    network: str = _DEFAULT_TEXTS["network"]
    steady: bool = False
    feather: str = _DEFAULT_TEXTS["feather"]
    paint: str = _DEFAULT_TEXTS["paint"]
    format: str = _DEFAULT_TEXTS["format"]
    quality: str = _DEFAULT_TEXTS["quality"]
    no_store: bool = False

    @classmethod
    def of_fields(cls, fields: MultiDict[str, str]) -> Self:
        texts: dict[str, Any] = {name: fields[name] for name in (*_TEXT_FIELDS, *_PRINT_FIELDS) if fields.get(name)}
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
            **texts,
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
        """Whether a control that is folded away has another value than its default."""
        return any(getattr(self, name) != getattr(FormValues, name) for name in FOLDED_CONTROLS)

    def weight_of(self, id: str) -> str:
        return self.weights.get(id, str(SLIDER_DEFAULT))


def option_fields(fields: MultiDict[str, str]) -> Iterable[tuple[str, str]]:
    """Yield a form's fields by the names of the options; those that were left empty are left out."""
    is_print = fields.get("size") == PRINT
    for name, text in fields.items(multi=True):
        if name not in (NO_STORE, *_PRINT_FIELDS) and text and not (is_print and name == "size"):
            yield name, text
    if is_print:
        yield PRINT, _print_size(*(fields.get(part, "").strip() for part in _PRINT_FIELDS))


def _print_size(width: str, height: str, unit: str) -> str:
    if not (width and height):
        raise InvalidOption(INCOMPLETE_PRINT, PRINT)
    return f"{width}x{height}{unit}"


def _values_of_options(options: Options) -> dict[str, Any]:
    """Return an earlier picture's options as the form's values; a refinement has fewer of them."""
    values = options.model_dump(exclude_none=True)
    texts: dict[str, Any] = {name: control_text(values[name]) for name in _TEXT_FIELDS if name in values}
    if printed := re.fullmatch(r"([\d.]+)x([\d.]+)(\w+)", values.get(PRINT, "")):
        texts |= {"size": PRINT} | dict(zip(_PRINT_FIELDS, printed.groups(), strict=True))
    return texts | {"steady": values.get("steady", False)}


def _slider_weights(asked: list[float] | None, styles: int) -> list[str]:
    """Return the weights as sliders have them; where a program sent larger ones, the largest is the slider's end."""
    weights = asked or [float(SLIDER_DEFAULT)] * styles
    scale = 1 if 1 < max(weights) <= SLIDER_MAX else SLIDER_MAX / max(weights)
    return [f"{weight * scale:g}" for weight in weights]


def _uploaded_paintings(styles: list[OrderStyle], weights: list[str]) -> tuple[UploadedPainting, ...]:
    pairs = enumerate(zip(styles, weights, strict=True))
    return tuple(UploadedPainting(number, style.name, weight) for number, (style, weight) in pairs if not style.id)
