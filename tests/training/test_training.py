"""Each training command on four small pictures, with tiny networks: that it runs, resumes and reports."""

from __future__ import annotations

import gc
import hashlib
from argparse import Namespace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from model.finetuning.crops import random_crop
from model.networks.layers import read_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.weights.npz import read_npz
from tests.support.tiny_weights import TINY, tiny_arrays
from tests.support.training_runs import SIDE, Command, Mean, arrays, assert_whole, rows
from training import data, distill, export
from training.data import Batches
from training.run import train
from training.sheet import contact_sheet
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, vgg19

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def test_a_predictor_is_distilled(command: Command, pictures: Path, teacher: Path, tmp_path: Path):
    fixed = ["--data", pictures, "--teacher", teacher, "--out", tmp_path, "--batch", 2, "--epoch-steps", 1]
    command(distill.main, "predictor", *fixed, "--steps", 2)
    assert_whole(tmp_path, 2)
    assert arrays(tmp_path).keys() == read_arrays(build_predictor(TINY)).keys()


def test_a_transformer_is_distilled_and_the_run_goes_on(
    command: Command, pictures: Path, teacher: Path, tmp_path: Path
):
    fixed = ["--data", pictures, "--teacher", teacher, "--out", tmp_path, "--batch", 2, "--epoch-steps", 1]
    command(distill.main, "transformer", *fixed, "--steps", 2)
    assert_whole(tmp_path, 2)
    first, log = arrays(tmp_path), (tmp_path / "log.csv").read_text()
    assert first.keys() == read_arrays(build_transformer(TINY)).keys()

    command(distill.main, "transformer", *fixed, "--steps", 3)
    assert_whole(tmp_path, 3)
    assert (tmp_path / "log.csv").read_text().startswith(log)
    assert any(not np.array_equal(array, first[name]) for name, array in arrays(tmp_path).items())


def train_mean(out: Path, stop_in_epoch: int | None = None) -> list[float]:
    """The loss of each epoch of four."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray]:
        if batches.epoch == stop_in_epoch:
            raise RuntimeError("the power went")
        return (rng.random((1,), dtype="float32"),)

    task, batches = Mean(), Batches(sample, steps=3, batch=2)
    args = Namespace(out=out, steps=12, epoch_steps=3, rate=0.1)
    train(task, [task], batches, lambda: Image.new("RGB", (8, 8)), args)
    return [float(row["loss"]) for row in rows(out)]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path):
    with pytest.raises(Exception, match="the power went"):
        train_mean(tmp_path / "stopped", stop_in_epoch=2)
    gc.collect()  # closes the log
    assert len(rows(tmp_path / "stopped")) == 2
    resumed, whole = train_mean(tmp_path / "stopped"), train_mean(tmp_path / "whole")
    assert len(whole) == 4
    assert resumed == pytest.approx(whole)


def test_batches_are_the_same_for_the_same_seed_and_epoch():
    def sampled(seed: int, epoch: int, index: int) -> list[float]:
        batches = Batches(lambda rng: (rng.random(2),), steps=5, batch=3, seed=seed)
        batches.epoch = epoch
        ((column,),) = batches[index]
        assert column.shape == (3, 2)
        return column.tolist()

    assert sampled(0, 1, 2) == sampled(0, 1, 2)
    different = [sampled(0, 1, 2), sampled(1, 1, 2), sampled(0, 2, 2), sampled(0, 1, 3)]
    assert all(one != other for one in different for other in different if one is not other)


@pytest.mark.parametrize("size", [(30, 50), (64, 64), (200, 90)])
def test_crops_are_square_whatever_the_picture(size: tuple[int, int]):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), "uint8"))
    for crop in (data.centre_crop(picture, SIDE), random_crop(picture, SIDE, np.random.default_rng(0))):
        assert (crop.shape, crop.dtype) == ((SIDE, SIDE, 3), np.float32)
        assert 0 <= crop.min() < crop.max() <= 1


def test_recolouring_keeps_the_size_and_leaves_half_as_they_are():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9, 3), "uint8"))
    recoloured = [data.random_recolour(picture, np.random.default_rng(seed)) for seed in range(40)]
    assert {image.size for image in recoloured} == {(9, 9)}
    assert 10 < sum(image == picture for image in recoloured) < 30


def test_a_folder_without_pictures(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        data.load_pictures(tmp_path)


def test_vgg_sees_what_it_was_trained_on(vgg: Path):
    """Blue, green and red from 0 to 255, minus their means in ImageNet; features after their ReLU."""
    judge = vgg19(vgg, (*STYLE_LAYERS, CONTENT_LAYER))
    picture = np.random.default_rng(0).random((1, SIDE, SIDE, 3), dtype="float32")
    network = keras.applications.VGG19(include_top=False, weights=None)
    network.load_weights(vgg)
    first = keras.Model(network.input, network.get_layer("block1_conv1").output)
    expected = first(keras.applications.vgg19.preprocess_input(255 * picture))
    features = [keras.ops.convert_to_numpy(f) for f in judge(picture)]
    assert np.allclose(features[0], expected, atol=1e-3)
    assert [f.shape[1:] for f in features] == [
        (64, 64, 64),
        (32, 32, 128),
        (16, 16, 256),
        (8, 8, 512),
        (4, 4, 512),
        (8, 8, 512),
    ]
    assert all(f.min() == 0 for f in features)


@pytest.mark.parametrize(
    ("side", "shape"),
    [({"long": 50}, (25, 50)), ({"long": 200}, (100, 200)), ({"short": 30}, (30, 60)), ({"short": 100}, (100, 200))],
)
def test_fit_keeps_proportions(side: dict[str, int], shape: tuple[int, int]):
    fitted = data.fit(Image.new("RGB", (100, 50), "red"), **side)
    assert fitted.shape == (*shape, 3)
    assert np.allclose(fitted, [1, 0, 0])


def test_contact_sheet():
    red, wide = np.full((10, 10, 3), [1.0, 0, 0]), np.full((20, 80, 3), [0, 0, 1.0])
    sheet = np.asarray(contact_sheet([[red, wide], [wide, red]], ["one", "two"], tile=40))
    assert sheet.shape == (20 + 2 * 40, 2 * 40, 3)
    assert sheet[22 + 5, 2 + 5].tolist() == [255, 0, 0]
    assert sheet[22 + 5, 40 + 2 + 30].tolist() == [0, 0, 255]  # shrunk to the tile, 36 x 9
    assert sheet[22 + 15, 40 + 2 + 30].tolist() == [255, 255, 255]
    assert (sheet[:20] != 255).any()  # the titles


def test_export_makes_the_weights_that_ship(
    command: Command, start: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target = tmp_path / "magenta-small.npz"
    monkeypatch.setattr(export, "SHIPPED_MAGENTA", target)
    monkeypatch.setattr(export, "SMALL", TINY)
    (tmp_path / "SHA256SUMS").write_text(f"{'1' * 64}  other.npz\n{'0' * 64}  magenta-small.npz\n")
    command(export.main, *start)
    architecture, exported = read_npz(target)
    assert architecture == TINY
    expected = tiny_arrays()
    assert exported.keys() == expected.keys()
    assert all(np.allclose(exported[name], expected[name], rtol=1e-3, atol=1e-4) for name in exported)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == f"{digest}  magenta-small.npz\n{'1' * 64}  other.npz\n"
