"""The create page's controls as they are to be shown: empty, as they were sent, or as an earlier job was ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from werkzeug.datastructures import MultiDict

from app.orders import Order, OrderStyle
from model.options import StylizeOptions

FULL = 100  # a weight slider's end; only ratios count
HALF = "50"  # where it stands at first
OWN = "own"  # the one slider of paintings that are sent along
WEIGHT = "weight-"


@dataclass(frozen=True)
class Painting:
    """One that an earlier job was sent along with."""

    number: int  # among the job's styles
    name: str
    weight: str


@dataclass(frozen=True)
class Form:
    content: str = ""  # the server's name for a photo that it has
    styles: frozenset[str] = frozenset()  # ids of the library
    weights: Mapping[str, str] = field(default_factory=dict)  # by a style's id
    paintings: tuple[Painting, ...] = ()
    strength: str = str(StylizeOptions.model_fields["strength"].default)
    size: str = "own"
    format: str = str(StylizeOptions.model_fields["format"].default)
    no_store: bool = False

    @classmethod
    def of_sent(cls, fields: MultiDict[str, str]) -> Self:
        return cls(
            content=fields.get("content", ""),
            styles=frozenset(fields.getlist("style")),
            weights={name.removeprefix(WEIGHT): text for name, text in fields.items() if name.startswith(WEIGHT)},
            strength=fields.get("strength") or cls.strength,
            size=fields.get("size") or cls.size,
            format=fields.get("format") or cls.format,
            no_store="no_store" in fields,
        )

    @classmethod
    def of_order(cls, order: Order, content: str) -> Self:
        options = order.options
        weights = _on_sliders(options.weights, len(order.styles))
        return cls(
            content=content,
            styles=frozenset(style.id for style in order.styles if style.id),
            weights={style.id: weight for style, weight in zip(order.styles, weights, strict=True) if style.id},
            paintings=_paintings(order.styles, weights),
            strength=str(options.strength),
            size=str(options.size or "own"),
            format=options.format,
        )

    def weight_of(self, id: str) -> str:
        return self.weights.get(id, HALF)


def _on_sliders(asked: list[float] | None, styles: int) -> list[str]:
    """As they stood; what a program sent may be out of the sliders' range, and then the largest is their end."""
    weights = asked or [float(HALF)] * styles
    scale = 1 if 1 < max(weights) <= FULL else FULL / max(weights)
    return [f"{weight * scale:g}" for weight in weights]


def _paintings(styles: list[OrderStyle], weights: list[str]) -> tuple[Painting, ...]:
    pairs = enumerate(zip(styles, weights, strict=True))
    return tuple(Painting(number, style.name, weight) for number, (style, weight) in pairs if not style.id)
