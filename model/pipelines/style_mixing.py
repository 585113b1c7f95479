"""Mixing styles: blends of several, and a strength between the photo and the style.

A style is a point in the space of the transformer's arrays: the arbitrary network at a style vector, a network of its
own, or any weighted mean of such. Imported networks are of another kind: their pictures are mixed, not their arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from model.networks.style_network import StyleNetwork
from model.weights.johnson_files import JohnsonNetwork

# So that the change from the photo, as a mean difference and as LPIPS, grows evenly with strength (docs/networks.md).
MIXING_EXPONENT = 0.7
OPACITY_BEND = 0.7


@dataclass(frozen=True)
class StylePoint:
    """A mean of the arbitrary network at `vector`, (n,) float32, and of networks of styles, each with its share."""

    vector: np.ndarray
    networks: tuple[tuple[StyleNetwork, float], ...] = ()

    @property
    def arbitrary_share(self) -> float:
        return 1.0 - sum(share for _, share in self.networks)

    def scaled_networks(self, factor: float) -> list[tuple[StyleNetwork, float]]:
        return [(network, factor * share) for network, share in self.networks]


PaintableStyle: TypeAlias = StylePoint | JohnsonNetwork
# Styles with the shares of their pictures, which add up to 1.
StyleParts: TypeAlias = tuple[tuple[PaintableStyle, float], ...]


def blend_styles(styles: Sequence[PaintableStyle], shares: Sequence[float]) -> StyleParts:
    """Return the parts of a blend: a point for all that can be mixed, and imported networks; shares add up to 1."""
    pairs = list(zip(styles, shares, strict=True))
    imported = [(style, share) for style, share in pairs if isinstance(style, JohnsonNetwork) and share]
    points = [(style, share) for style, share in pairs if isinstance(style, StylePoint)]
    rest = sum(share for _, share in points) if imported else 1.0
    if not rest:
        return tuple(imported)
    point = blend([style for style, _ in points], [share / rest for _, share in points])
    return ((point, rest), *imported)


def blend(points: Sequence[StylePoint], shares: Sequence[float]) -> StylePoint:
    """Return the mean of points; the shares add up to 1."""
    pairs = list(zip(points, shares, strict=True))
    parts = [share * point.arbitrary_share for point, share in pairs]
    weights = parts if any(parts) else shares
    vector = np.average([point.vector for point in points], axis=0, weights=weights).astype("float32")
    return StylePoint(vector, tuple(scaled for point, share in pairs for scaled in point.scaled_networks(share)))


def between(photo_vector: np.ndarray, style: StylePoint, share: float) -> StylePoint:
    """Return the point at that share of the way from the photo's own style vector to `style`; beyond 1 it goes on."""
    rest = 1.0 - share * (1.0 - style.arbitrary_share)  # of the arbitrary network
    part = share * style.arbitrary_share / rest if rest else 1.0  # of the style's vector in it
    vector = photo_vector + np.float32(part) * (style.vector - photo_vector)
    return StylePoint(vector, tuple(style.scaled_networks(share)))


def parts_between(photo_vector: Callable[[], np.ndarray], parts: StyleParts, share: float) -> StyleParts:
    """Return parts whose points are at that share of the way; imported networks stay as they are."""
    return tuple(
        (between(photo_vector(), style, share) if isinstance(style, StylePoint) else style, part)
        for style, part in parts
    )


def mean_picture(parts: StyleParts, render: Callable[[PaintableStyle], np.ndarray]) -> np.ndarray:
    """Return the mean of the parts' pictures, (H, W, 3) float32 in 0..1, by their shares."""
    pictures = [render(style) for style, _ in parts]
    if len(pictures) == 1:
        return pictures[0]
    mean: np.ndarray = np.average(pictures, axis=0, weights=[share for _, share in parts]).astype("float32")
    return mean


def mixing_share(strength: float) -> float:
    """Return how far towards the style the network goes; at once at first, since it changes much even at 0."""
    return float(strength**MIXING_EXPONENT) if strength < 1 else strength


def opacity(strength: float) -> float:
    """Return how much of the painted picture lies over the photo, 0..1."""
    return min(1.0, strength / (OPACITY_BEND + (1.0 - OPACITY_BEND) * strength))


def parts_opacity(parts: StyleParts, strength: float) -> float:
    """Return the opacity of a blend; of an imported network it is all that strength changes, and grows evenly."""
    imported = imported_share(parts)
    return (1.0 - imported) * opacity(strength) + imported * min(1.0, strength)


def imported_share(parts: StyleParts) -> float:
    return sum(share for style, share in parts if isinstance(style, JohnsonNetwork))
