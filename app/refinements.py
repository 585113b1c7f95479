"""Refinements in the words of pages: what is on offer, how one was made, and how its losses fell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app import gallery
from app.failures import Missing
from app.jobs import Job
from app.library import Library
from app.orders import FINISH, Order, OrderStyle
from app.records import Result
from model import vectors
from model.encoder_layers import ENCODERS, Encoder
from model.options import MAX_REFINED, MIN_REFINED, RefineOptions

GATYS = "gatys"
_LOSSES = ("step", "loss", "content", "style", "variation")  # the columns of a job's losses
_LINES = {
    "fast": "A first look at what refining does.",
    "balanced": "More of the painting in every stroke.",
    "best": "The finest, for those who can wait.",
}
_STARTS = {"pastiche": "A quick pastiche", "content": "The photo", "noise": "Noise"}
_DESCENTS = {"adam": "Adam, in steps of {rate:g}", "lbfgs": "L-BFGS"}
_TOLD = frozenset(
    {"preset", "encoder", "content_layers", "style_layers", "content_weight", "style_weight", "variation_weight"}
    | {"optimizer", "rate", "steps", "start", "strength", "size", "weights", "format", "quality"}
    | {*FINISH}
)


@dataclass(frozen=True)
class Offer:
    """A preset as a choice on a page."""

    name: str
    line: str
    steps: int


OFFERS = [Offer(name, line, RefineOptions.parse({"preset": name}).steps) for name, line in _LINES.items()]


def asked(result: Result, preset: str) -> RefineOptions:
    """The result itself, refined: of its size as far as that can be."""
    size = min(max(result.width, result.height, MIN_REFINED), MAX_REFINED)
    kept = {name: result.order["options"][name] for name in ("format", "quality")}
    return RefineOptions.parse({"preset": preset, "size": size} | kept)


def unpainted(result: Result, library: Library) -> list[str]:
    """The names of the styles of which no painting is here, and without that nothing is refined."""
    styles = map(OrderStyle.model_validate, result.order["styles"])
    return [style.name for style in styles if not _is_painting(style, library)]


def _is_painting(style: OrderStyle, library: Library) -> bool:
    """What ships is one; of what is stored the first byte tells."""
    if style.picture is None:
        return style.shipped in {one.id for one in gallery.shipped()}
    try:
        return not vectors.looks_like_one(library.head(style.picture, 1))
    except Missing:
        return False


def losses(job: Job | None) -> list[dict[str, float]]:
    """As the API tells them; empty where there are none."""
    return [dict(zip(_LOSSES, row, strict=True)) for row in (job and job.losses) or []]


def facts(result: Result, job: Job | None) -> Iterator[tuple[str, str]]:
    """How a refined picture was made: names and values, what matters most first."""
    options = Order.model_validate(result.order).options
    if not isinstance(options, RefineOptions):
        return
    yield "Refined", f"{options.preset.capitalize()}, {_steps(options, job)}"
    yield "Began with", "The picture that was chosen" if result.order.get("start") else _STARTS[options.start]
    yield "Encoder", result.weights
    yield from _seen_at(options, ENCODERS.get(result.weights))
    yield "Balance", _balance(options)
    yield "Steps by", _DESCENTS[options.optimizer].format(rate=options.rate)
    yield from _others(options)


def _steps(options: RefineOptions, job: Job | None) -> str:
    done, steps = (job.step, job.steps) if job and job.steps else (options.steps, options.steps)
    return f"{steps} steps" if done == steps else f"{done} of {steps} steps"


def _seen_at(options: RefineOptions, encoder: Encoder | None) -> Iterator[tuple[str, str]]:
    """Where content and style were compared; encoder: None where it is no longer known, nor what it has by itself."""
    chosen = options.content_layers, options.style_layers
    content, style = encoder.filled(*chosen) if encoder else chosen
    yield "Content seen at", _layers(content or {})
    yield "Style seen at", _layers(style or {})


def _layers(shares: Mapping[str, float]) -> str:
    told = (name if share == 1 else f"{name} × {share:g}" for name, share in shares.items() if share)  # noqa: RUF001
    return ", ".join(told) or "–"  # noqa: RUF001


def _balance(options: RefineOptions) -> str:
    parts = {"content": options.content_weight, "style": options.style_weight, "smoothness": options.variation_weight}
    return ", ".join(f"{name} {weight:g}" for name, weight in parts.items())


def _others(options: RefineOptions) -> Iterator[tuple[str, str]]:
    """What was asked for besides, other than the preset has it."""
    preset = RefineOptions.parse({"preset": options.preset})
    for name in sorted(RefineOptions.model_fields.keys() - _TOLD):
        value: Any = getattr(options, name)
        if value != getattr(preset, name):
            yield name.replace("_", " ").capitalize(), f"{value:g}" if isinstance(value, float) else str(value)
