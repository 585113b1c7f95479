"""Mixing styles: blends of several, and a strength between the photo and the style.

A style is a point in the space of the transformer's arrays: the arbitrary network at a style vector, a network of its
own, or any weighted mean of such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.networks.style_network import StyleNetwork

# So that the change from the photo, as a mean difference and as LPIPS, grows evenly with strength (docs/strength.md).
MIXING_EXPONENT = 0.7
OPACITY_BEND = 0.65


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


def mixing_share(strength: float) -> float:
    """Return how far towards the style the network goes; at once at first, since it changes much even at 0."""
    return float(strength**MIXING_EXPONENT) if strength < 1 else strength


def opacity(strength: float) -> float:
    """Return how much of the painted picture lies over the photo, 0..1."""
    return min(1.0, strength / (OPACITY_BEND + (1.0 - OPACITY_BEND) * strength))
