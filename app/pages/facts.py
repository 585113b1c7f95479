"""How a picture was made, in the words of pages, and how the losses of a refinement fell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.jobs.order import SHARED_PAINTING_OPTIONS, Order
from app.jobs.queue import Job
from app.pages.page_options import MATCH_NAMES, START_NAMES
from app.storage.records import Result
from model.imaging.masking import ALPHA, EVERYWHERE
from model.options import DEFAULT_DPI, Options, RefineOptions, StylizeOptions
from model.progress import LOSS_NAMES
from model.refinement.encoder_registry import ENCODERS, Encoder

_OPTIMIZER_TEXTS = {"adam": "Adam, in steps of {rate:g}", "lbfgs": "L-BFGS"}
_STATED_OPTIONS = frozenset(
    {"preset", "encoder", "content_layers", "style_layers", "content_weight", "style_weight", "variation_weight"}
    | {"optimizer", "rate", "steps", "start", "strength", "size", "weights", "format", "quality"}
    | {*SHARED_PAINTING_OPTIONS}
)


def loss_rows(job: Job | None) -> list[dict[str, float]]:
    """Return a job's losses by name, one dictionary for each row; empty where there are none."""
    return [dict(zip(("step", *LOSS_NAMES), row, strict=True)) for row in (job and job.losses) or []]


def refinement_facts(result: Result, job: Job | None) -> Iterator[tuple[str, str]]:
    """Yield how a refined picture was made: names and values, what matters most first."""
    options = Order.model_validate(result.order).options
    if not isinstance(options, RefineOptions):
        return
    yield "Refined", f"{options.preset.capitalize()}, {_steps_text(options, job)}"
    yield "Began with", "The picture that was chosen" if result.order.get("start") else START_NAMES[options.start]
    yield "Encoder", result.weights
    yield from _layer_facts(options, ENCODERS.get(result.weights))
    yield "Balance", _balance_text(options)
    yield "Steps by", _OPTIMIZER_TEXTS[options.optimizer].format(rate=options.rate)
    yield from _other_facts(options)


def _steps_text(options: RefineOptions, job: Job | None) -> str:
    done, steps = (job.step, job.steps) if job and job.steps else (options.steps, options.steps)
    return f"{steps} steps" if done == steps else f"{done} of {steps} steps"


def _layer_facts(options: RefineOptions, encoder: Encoder | None) -> Iterator[tuple[str, str]]:
    """Yield where content and style were compared; encoder: None where it is no longer known, nor its defaults."""
    chosen = options.content_layers, options.style_layers
    content, style = encoder.layers_or_defaults(*chosen) if encoder else chosen
    yield "Content seen at", _layers_text(content or {})
    yield "Style seen at", _layers_text(style or {})


def _layers_text(shares: Mapping[str, float]) -> str:
    layers = (name if share == 1 else f"{name} × {share:g}" for name, share in shares.items() if share)  # noqa: RUF001
    return ", ".join(layers) or "–"  # noqa: RUF001


def _balance_text(options: RefineOptions) -> str:
    parts = {"content": options.content_weight, "style": options.style_weight, "smoothness": options.variation_weight}
    return ", ".join(f"{name} {weight:g}" for name, weight in parts.items())


def _other_facts(options: RefineOptions) -> Iterator[tuple[str, str]]:
    """Yield the other options that are not as the preset has them."""
    preset = RefineOptions.parse({"preset": options.preset})
    for name in sorted(RefineOptions.model_fields.keys() - _STATED_OPTIONS):
        value: Any = getattr(options, name)
        if value != getattr(preset, name):
            yield name.replace("_", " ").capitalize(), f"{value:g}" if isinstance(value, float) else str(value)


_MASK_TEXTS = {ALPHA: "the parts of the photo that are not clear", EVERYWHERE: "all of the photo"}


def option_facts(order: Order) -> Iterator[tuple[str, str]]:
    """Yield names and values of the options that are not at their defaults."""
    options = order.options
    yield from _colour_facts(options)
    if isinstance(options, StylizeOptions):
        yield from _brush_facts(options)
        yield from _print_facts(options)
    if order.masks:
        yield "Painted where", _regions_text(order)
        yield from _edge_facts(options)


def _colour_facts(options: Options) -> Iterator[tuple[str, str]]:
    if options.keep_colours:
        yield "Colours", f"{_percent_text(options.keep_colours)} from the photo"
    if options.keep_light:
        yield "Light and shade", f"{_percent_text(options.keep_light)} from the photo"
    if options.match_colours != "none":
        yield "Colours of the painting", f"Made like those of the photo, {MATCH_NAMES[options.match_colours].lower()}"


def _brush_facts(options: StylizeOptions) -> Iterator[tuple[str, str]]:
    if options.style_scale != 1:
        yield "Brush size", f"{options.style_scale:g} times as broad as in the painting"
    if options.network == "shared":
        yield "Network", "The one for any painting"
    if options.steady:
        yield "Steady strength", "Yes: it shows as much as with any painting"


def _print_facts(options: StylizeOptions) -> Iterator[tuple[str, str]]:
    if options.print:
        yield "For print", f"{_print_text(options.print)}, {options.dpi or DEFAULT_DPI} pixels an inch"
    elif options.dpi:
        yield "In print", f"{options.dpi} pixels an inch"
    if options.tiles == "always":
        yield "Pieces", "Painted piece by piece"


def _print_text(size: str) -> str:
    """60x40cm -> 60 × 40 cm"""  # noqa: RUF002
    unit = size.lstrip("0123456789.x")
    return " × ".join(size.removesuffix(unit).split("x")) + f" {unit}"  # noqa: RUF001


def _regions_text(order: Order) -> str:
    options, count = order.options, len(order.masks)
    if isinstance(options, RefineOptions):
        return _join_sentence([_mask_text(order, number) for number in range(count)])
    wanted = options.resolve_regions(count, len(order.styles))
    names = ["the blend" if len(order.styles) > 1 else order.styles[0].name, *(style.name for style in order.styles)]
    return _join_sentence(
        [
            f"{_mask_text(order, number)}: {names[style]}"
            + (f", {_percent_text(strength)}" if strength != options.strength else "")
            for number, (style, strength) in enumerate(wanted)
        ]
    )


def _join_sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _mask_text(order: Order, number: int) -> str:
    """Return the words for one mask; regions that were drawn are counted from 1. number: of the mask, from 0."""
    drawn = [mask for mask in order.masks if mask not in _MASK_TEXTS]
    if order.masks[number] in _MASK_TEXTS:
        return _MASK_TEXTS[order.masks[number]]
    return "one region" if len(drawn) == 1 else f"region {1 + drawn.index(order.masks[number])}"


def _edge_facts(options: Options) -> Iterator[tuple[str, str]]:
    if options.paint == "outside":
        yield "Regions", "They stay the photo, and the rest is painted"
    if options.feather:
        yield "Edges of regions", f"Soft over {options.feather:g} % of the picture"


def _percent_text(value: float) -> str:
    return "All" if value == 1 else f"{100 * value:.0f} %"
