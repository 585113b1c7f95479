"""What somebody wished for a picture, in the words of pages: its colours, its brush, its print, its regions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.orders import Options, Order
from model.options import DPI, RefineOptions, StylizeOptions
from model.regions import ALPHA, EVERYWHERE

_MATCHED = {"histogram": "shade by shade", "covariance": "on the whole"}
_MASKS = {ALPHA: "the parts of the photo that are not clear", EVERYWHERE: "all of the photo"}


def told(order: Order, recipe: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of what is not as it is when nobody asks for anything."""
    options = order.options
    yield from _colours(options)
    if isinstance(options, StylizeOptions):
        yield from _brush(options)
        yield from _size(options)
    if order.masks:
        yield "Painted where", _places(order)
        yield from _edges(options)


def _colours(options: Options) -> Iterator[tuple[str, str]]:
    if options.keep_colours:
        yield "Colours", f"{_share(options.keep_colours)} from the photo"
    if options.keep_light:
        yield "Light and shade", f"{_share(options.keep_light)} from the photo"
    if options.match_colours != "none":
        yield "Colours of the painting", f"Made like those of the photo, {_MATCHED[options.match_colours]}"


def _brush(options: StylizeOptions) -> Iterator[tuple[str, str]]:
    if options.style_scale != 1:
        yield "Brush size", f"{options.style_scale:g} times as broad as in the painting"
    if options.steady:
        yield "Steady strength", "Yes: it shows as much as with any painting"


def _size(options: StylizeOptions) -> Iterator[tuple[str, str]]:
    if options.print:
        yield "For print", f"{_printed(options.print)}, {options.dpi or DPI} pixels an inch"
    elif options.dpi:
        yield "In print", f"{options.dpi} pixels an inch"
    if options.tiles == "always":
        yield "Pieces", "Painted piece by piece"


def _printed(size: str) -> str:
    """60x40cm, with spaces."""
    unit = size.lstrip("0123456789.x")
    return " × ".join(size.removesuffix(unit).split("x")) + f" {unit}"  # noqa: RUF001


def _places(order: Order) -> str:
    options, count = order.options, len(order.masks)
    if isinstance(options, RefineOptions):
        return _joined([_mask(order, number) for number in range(count)])
    wanted = options.regions(count, len(order.styles))
    names = ["the blend" if len(order.styles) > 1 else order.styles[0].name, *(style.name for style in order.styles)]
    return _joined(
        [
            f"{_mask(order, number)}: {names[style]}"
            + (f", {_share(strength)}" if strength != options.strength else "")
            for number, (style, strength) in enumerate(wanted)
        ]
    )


def _joined(parts: list[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _mask(order: Order, number: int) -> str:
    """`number`: from 0."""
    drawn = [mask for mask in order.masks if mask not in _MASKS]
    if order.masks[number] in _MASKS:
        return _MASKS[order.masks[number]]
    return "one region" if len(drawn) == 1 else f"region {1 + drawn.index(order.masks[number])}"


def _edges(options: Options) -> Iterator[tuple[str, str]]:
    if options.paint == "outside":
        yield "Regions", "They stay the photo, and the rest is painted"
    if options.feather:
        yield "Edges of regions", f"Soft over {options.feather:g} % of the picture"


def _share(value: float) -> str:
    return "All" if value == 1 else f"{100 * value:.0f} %"
