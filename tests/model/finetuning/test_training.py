"""A training session of a style: what it starts from, and the file that it gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.finetuning import style_trainer, training
from model.finetuning.training import StyleTraining
from model.inference import magenta
from model.inference.magenta import Magenta
from model.options import TrainOptions
from model.weights import style_networks
from tests.support.arrays import noise

pytestmark = [
    pytest.mark.usefixtures("tiny_encoder"),
    # Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]


@pytest.fixture
def network(tiny: Path) -> Magenta:
    return magenta.load(tiny)


@pytest.fixture
def session(network: Magenta, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StyleTraining:
    for module in (style_trainer, training):
        monkeypatch.setattr(module, "WINDOW", 64)
    paintings = [noise(64, 80, 3, seed=seed) for seed in range(2)]
    return StyleTraining(network, paintings, [], TrainOptions(steps=2), "vgg19-slim", tmp_path)


def test_untrained_it_paints_as_the_shared_network_at_the_mean_vector(session: StyleTraining, network: Magenta):
    picture = noise(64, 64, 3, seed=5)
    assert np.allclose(session.paint(picture), network.render(picture, session.vector), atol=0.02)
    own = style_networks.decode(session.encode("mine")).network
    painted = network.mixed_with([(own, 1.0)]).render(picture, session.vector)
    assert np.allclose(painted, network.render(picture, session.vector), atol=0.05)  # eight bits a kernel


def test_trained_it_paints_otherwise(session: StyleTraining, network: Magenta):
    picture = noise(64, 64, 3, seed=5)
    before = session.paint(picture)
    seen: list[float] = []
    session.run(lambda losses, progress: seen.append(progress))
    assert seen == [0.5, 1.0]
    assert np.abs(session.paint(picture) - before).max() > 1e-4
    read = style_networks.decode(session.encode("mine"))
    assert (read.architecture, read.network.base_sha256) == (network.architecture, network.sha256)


def test_it_can_start_from_a_network_of_the_style(session: StyleTraining, network: Magenta, tmp_path: Path):
    session.run(lambda losses, progress: None)
    own = style_networks.decode(session.encode("mine")).network
    paintings = [noise(64, 80, 3, seed=seed) for seed in range(2)]
    again = StyleTraining(network, paintings, [], TrainOptions(steps=2), "vgg19-slim", tmp_path / "again", own)
    picture = noise(64, 64, 3, seed=5)
    assert np.allclose(again.paint(picture), session.paint(picture), atol=0.05)  # eight bits a kernel
