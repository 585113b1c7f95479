"""The sizes of a network small enough for tests, without Keras."""

from __future__ import annotations

from model.networks.architecture import Architecture

TINY = Architecture("texture", 8, (4, 6, 8), 1)
