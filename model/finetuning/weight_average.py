"""A running average of a network's weights, which paints better than the weights of any one step.

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np
from keras import ops


def copies(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    """Give arrays of their own of the variables' values."""
    return [np.array(ops.convert_to_numpy(variable.value)) for variable in variables]


class WeightAverage:
    """Exponential average of `variables`; it forgets faster at first, so that the beginning does not linger."""

    def __init__(self, variables: Sequence[keras.Variable], decay: float) -> None:
        self.variables, self.decay = variables, decay
        self.arrays = copies(variables)

    def update(self, step: int) -> None:
        """Count in what the variables are after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for array, variable in zip(self.arrays, self.variables, strict=True):
            array += (1 - decay) * (ops.convert_to_numpy(variable.value) - array)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the variables hold their average for a while."""
        own = copies(self.variables)
        self._assign(self.arrays)
        try:
            yield
        finally:
            self._assign(own)

    def _assign(self, arrays: list[np.ndarray]) -> None:
        for variable, array in zip(self.variables, arrays, strict=True):
            variable.assign(array)
