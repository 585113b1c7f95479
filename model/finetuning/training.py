"""One training of a style's network, from the shared one to its own, in a folder from which it can go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from model.finetuning import STATE_FILE
from model.finetuning.crops import Crops
from model.finetuning.objectives import AbsoluteObjective, RelativeObjective, StyleObjective
from model.finetuning.perceptual_losses import Judge
from model.finetuning.precision import fastest_policy
from model.finetuning.session import Budget, Session, TrainingLosses, run
from model.finetuning.style_trainer import JITTER, WINDOW, RegulariserWeights, StyleTrainer
from model.finetuning.weight_average import WeightAverage
from model.inference.folding import StyleNorms
from model.inference.magenta import Magenta
from model.networks.layers import assign_arrays, dtype_policy, read_arrays
from model.networks.style_network import StyleNetwork, mix_arrays
from model.networks.transformer import build_transformer
from model.options import TrainOptions
from model.refinement import encoders
from model.weights import style_networks

UNTRAINED_PASTICHES = 12  # by which the style's error before the training is measured


class StyleTraining:
    """A training session for paintings (H, W, 3) in 0..1 whose look is averaged.

    photos: what it learns on; none for pictures that are made. encoder: the judge's name. folder: of the session.
    start: a network of the style that is to be trained on, in place of the shared one.
    """

    def __init__(
        self,
        network: Magenta,
        paintings: Sequence[np.ndarray],
        photos: Sequence[Image.Image],
        options: TrainOptions,
        encoder: str,
        folder: Path,
        start: StyleNetwork | None = None,
    ) -> None:
        self.network, self.options = network, options
        self.vector = np.mean([network.embed(painting) for painting in paintings], axis=0)
        self.crops = Crops(photos, WINDOW + JITTER, JITTER, options.seed)
        policy = fastest_policy()
        with dtype_policy(policy):
            self.transformer = build_transformer(network.architecture)
        assign_arrays(self.transformer, network.arrays)
        objective = self._build_objective(paintings, encoder, policy.removeprefix("mixed_"))
        if start:
            assign_arrays(self.transformer, mix_arrays(network.architecture, network.arrays, [(start, 1.0)]))
        weights = RegulariserWeights(options.noise_weight, options.flat_weight, options.variation_weight)
        task = StyleTrainer(self.transformer, self.vector, objective, weights)
        task.compile(keras.optimizers.Adam(options.rate, beta_2=0.99, global_clipnorm=1.0), jit_compile=False)
        self.average = WeightAverage(task.trainable_variables, options.average)
        self.session = Session(task, self.average, folder / STATE_FILE)

    def _build_objective(self, paintings: Sequence[np.ndarray], encoder: str, dtype: str) -> StyleObjective:
        weights = self.options.style_weight, self.options.content_weight
        layers = AbsoluteObjective.LAYERS if self.options.loss == "absolute" else RelativeObjective.LAYERS
        judge = Judge(encoders.build(encoder, layers, dtype=dtype))
        if self.options.loss == "absolute":
            return AbsoluteObjective(judge, paintings, *weights)
        return RelativeObjective(judge, paintings, self._untrained_pastiches(), *weights)

    def _untrained_pastiches(self) -> np.ndarray:
        photos = [self.crops.draw(step, 1)[0][0, :WINDOW, :WINDOW] for step in range(UNTRAINED_PASTICHES)]
        inputs = ([photo[None], self.vector[None]] for photo in photos)
        return np.concatenate([self.transformer.predict_on_batch(pair).astype("float32") for pair in inputs])

    def run(self, on_step: Callable[[TrainingLosses, float], None]) -> None:
        """Train until the budget is spent; on_step(losses, progress 0..1) comes after each step and may raise."""
        budget = Budget(self.options.steps, self.options.seconds)
        run(self.session, lambda step: self.crops.draw(step, self.options.batch), budget, self.options.rate, on_step)

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """Paint (H, W, 3) in 0..1, sides multiples of 4, by the network so far."""
        with self.average.in_place():
            pastiche = self.transformer.predict_on_batch([picture[None], self.vector[None]])
        painted: np.ndarray = pastiche[0].astype("float32")
        return painted

    def encode(self, name: str) -> bytes:
        """Return the file of the network so far."""
        with self.average.in_place():
            arrays = read_arrays(self.transformer)
        norms = StyleNorms(self.network.architecture, arrays)(self.vector)
        gamma, beta = (np.concatenate(parts) for parts in zip(*norms, strict=True))
        kernels = {path: array for path, array in arrays.items() if path.startswith("transformer/")}
        return style_networks.encode(name, self.network.architecture, self.network.sha256, kernels, gamma, beta)
