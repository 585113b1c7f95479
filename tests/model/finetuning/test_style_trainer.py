"""The task of one style: what it paints, what it loses, and that a step lowers the loss."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from model.finetuning import style_trainer
from model.finetuning.crops import Crops
from model.finetuning.objectives import RelativeObjective
from model.finetuning.perceptual_losses import Judge
from model.finetuning.style_trainer import JITTER, LOSSES, RegulariserWeights, StyleTrainer
from model.networks.transformer import build_transformer
from model.refinement.encoders import build_slim
from tests.support.arrays import noise
from tests.support.tiny_weights import TINY

WINDOW = 64
# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> StyleTrainer:
    monkeypatch.setattr(style_trainer, "WINDOW", WINDOW)
    keras.utils.set_random_seed(0)
    slim = build_slim((4, 6, 8, 8, 8))
    *styles, content, last = slim.outputs
    judge = Judge(keras.Model(slim.inputs, [*styles, last, content]))
    objective = RelativeObjective(
        judge, [noise(WINDOW, WINDOW, 3, seed=1)], noise(2, WINDOW, WINDOW, 3, seed=2), 1.0, 1.0
    )
    weights = RegulariserWeights(1.0, 1.0, 1.0)
    task = StyleTrainer(build_transformer(TINY), noise(TINY.vector_size), objective, weights)
    task.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    return task


def test_steps_on_one_batch_lower_its_loss(task: StyleTrainer):
    batch = Crops([], WINDOW + JITTER, JITTER, 0).draw(0, 2)
    losses = []
    for _ in range(12):
        task.reset_metrics()
        losses.append(task.train_on_batch(batch, return_dict=True))
    assert {"loss", *LOSSES} == losses[0].keys()
    assert losses[-1]["loss"] < losses[0]["loss"]


def test_only_the_transformer_is_trained(task: StyleTrainer):
    assert {id(v) for v in task.trainable_variables} == {id(v) for v in task.transformer.trainable_variables}


def test_crops_and_the_noisy_copy_are_painted(task: StyleTrainer):
    contents, _, offsets = Crops([], WINDOW + JITTER, JITTER, 0).draw(0, 2)
    pastiches, of_noisy = task((contents, contents[:1], offsets))
    assert pastiches.shape == (2, WINDOW + JITTER, WINDOW + JITTER, 3)
    assert np.allclose(pastiches[:1], of_noisy)
