"""Styles and results as the rest of the server sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TrainingSummary:
    """How a style's own network was trained here."""

    job: str  # id
    steps: int
    seconds: float
    complete: bool  # False: it was stopped, and the network is what had been learnt
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Style:
    """A style: a painting that ships as `file`, a stored picture, or a vector; where a picture has a network, both."""

    id: str
    name: str
    credit: str
    licence: str
    own: bool
    picture: str | None = None  # key
    thumbnail: str | None = None  # key
    vector: np.ndarray | None = None  # (n,) float32
    network: str | None = None  # key of its own network
    training: TrainingSummary | None = None  # of that network, where it was trained here
    weights: str | None = None
    weights_sha256: str | None = None
    created: float | None = None
    file: Path | None = None
    about: str = ""


@dataclass(frozen=True)
class Result:
    """A row of results."""

    id: str
    owner: str
    picture: str
    before: str
    thumbnail: str
    width: int
    height: int
    seconds: float
    weights: str
    recipe: dict[str, Any]
    order: dict[str, Any]
    complete: bool
    created: float
    expires: float
