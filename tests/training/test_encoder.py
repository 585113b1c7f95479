"""Compression of VGG19 on four small pictures, with a tiny student: it starts well, runs, resumes, is exported."""

from __future__ import annotations

import csv
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from model.networks.layers import read_arrays
from model.refinement import encoders
from model.refinement.encoder_registry import SLIM, SLIM_TAPS
from model.refinement.encoders import build_slim
from model.refinement.losses import gram
from tests.support.tiny_weights import write_tiny
from training import encoder
from training.vgg import vgg19

CROP = 64  # pixels
WIDTHS = (4, 6, 8, 10, 12)

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(encoder, "CROP", CROP)
    monkeypatch.setattr(encoder, "SLIM_WIDTHS", WIDTHS)
    monkeypatch.setattr(encoder, "PURSUIT_STEPS", 2)
    monkeypatch.setattr(encoder, "SHIPPED_MAGENTA", write_tiny(tmp_path / "tiny.npz"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, pictures: Path, vgg: Path) -> Callable[..., None]:
    """Runs the script as the shell would."""

    def run(*arguments: object) -> None:
        fixed = ["--data", pictures, "--vgg", vgg, "--groups", 2, "--pursuits", 2, "--batch", 1, "--epoch-steps", 1]
        monkeypatch.setattr(sys, "argv", ["script", *map(str, [*fixed, *arguments])])
        encoder.main()

    return run


def distiller(widths: tuple[int, ...] = WIDTHS) -> encoder.EncoderDistiller:
    task = encoder.EncoderDistiller(build_slim(widths), [64, 128, 256, 512, 512, 512])
    task([np.zeros((1, 2, CROP, CROP, 3), "uint8")])
    return task


def test_a_run_goes_on_and_what_it_learnt_is_exported(
    command: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: np.ndarray
):
    out = tmp_path / "run"
    command("--out", out, "--steps", 2)
    lessons = np.load(out / "pictures.npy")
    first = dict(np.load(out / "weights.npz"))

    command("--out", out, "--steps", 3)
    assert lessons.shape == np.load(out / "pictures.npy").shape == (8, CROP, CROP, 3)
    assert np.load(out / "labels.npy").shape == (8, np.load(out / "labels.npy").shape[1])
    assert {path.name for path in out.glob("*.npy")} == {"pictures.npy", "labels.npy"}
    with (out / "log.csv").open(newline="") as file:
        log = list(csv.DictReader(file))
    assert [row["epoch"] for row in log] == ["0", "1", "2"]
    assert all(np.isfinite(float(row[name])) for row in log for name in ("loss", "features", "grams", "differences"))
    Image.open(out / "sheet.jpg").verify()
    after = dict(np.load(out / "weights.npz"))
    assert after.keys() == first.keys()
    assert all(not np.array_equal(after[name], first[name]) for name in after if name.endswith("weights"))

    monkeypatch.setattr(encoder, "SHIPPED_SLIM", tmp_path / f"{SLIM}.npz")
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other.npz\n{'1' * 64}  {SLIM}.npz\n")
    command("--out", out, "--export")
    digest = hashlib.sha256((tmp_path / f"{SLIM}.npz").read_bytes()).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == f"{'0' * 64}  other.npz\n{digest}  {SLIM}.npz\n"
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    assert all(np.isfinite(f).all() for f in encoders.build(SLIM, SLIM_TAPS)(photo[None]))


def test_what_is_no_number_is_not_exported(tmp_path: Path):
    arrays = read_arrays(distiller().student) | {f"{tap}/map/weights": np.ones((4, 64)) for tap in SLIM_TAPS}
    arrays["block1_conv1/biases"] = np.full(4, np.inf)
    np.savez(tmp_path / "weights.npz", **arrays)
    with pytest.raises(ValueError, match="not finite"):
        encoder.export(tmp_path, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_a_pruned_student_sees_much_of_what_vgg_sees(vgg: Path):
    network, task = vgg19(vgg, SLIM_TAPS), distiller((16, 32, 48, 64, 64))
    rng = np.random.default_rng(0)
    coarse = rng.random((6, 8, 8, 3), "float32").repeat(8, 1).repeat(8, 2)
    pictures = np.uint8(255 * (0.7 * coarse + 0.3 * rng.random((6, CROP, CROP, 3), "float32"))).reshape(
        3, 2, CROP, CROP, 3
    )
    labels = np.stack([encoder.labels(network, p[None] / np.float32(255)) for p in pictures.reshape(6, CROP, CROP, 3)])

    def loss() -> float:
        x = (pictures, labels.reshape(3, 2, -1))
        return float(task.compute_loss(x, y_pred=task(x)))

    before = loss()
    encoder.prune(task, network, pictures.reshape(6, CROP, CROP, 3)[:4] / np.float32(255))
    assert loss() < before / 4
    features = dict(zip(("features", "grams", "differences"), (m.result() for m in task.means), strict=True))
    assert np.isfinite(list(features.values())).all()


def test_a_wider_student_starts_from_what_a_narrower_one_learnt(vgg: Path):
    network, pictures = vgg19(vgg, SLIM_TAPS), np.random.default_rng(0).random((2, CROP, CROP, 3), "float32")
    narrow, wide = (
        encoder.EncoderDistiller(build_slim(widths), [output.shape[-1] for output in network.outputs])
        for widths in (WIDTHS, (*WIDTHS[:3], 14, 16))
    )
    for task in (narrow, wide):
        task([pictures[None, :2]])
    encoder.prune(narrow, network, pictures)
    learnt = {name: array + 1 for part in (narrow.student, *narrow.maps) for name, array in read_arrays(part).items()}
    encoder.prune(wide, network, pictures, learnt)
    now = {name: array for part in (wide.student, *wide.maps) for name, array in read_arrays(part).items()}
    same = {name for name in now if now[name].shape == learnt[name].shape and np.array_equal(now[name], learnt[name])}
    assert same == {name for name in now if name.startswith(("block1", "block2", "block3"))}


def test_frozen_blocks_learn_no_more():
    task = encoder.EncoderDistiller(build_slim(WIDTHS), [8] * len(SLIM_TAPS))
    task([np.zeros((1, 2, CROP, CROP, 3))])
    encoder.freeze(task, 4)
    assert {v.path.split("/")[-2].partition("_")[0] for v in task.trainable_variables} == {"block5"}


def test_the_channels_that_stay_explain_the_others():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(200, 3))
    features = np.concatenate([basis @ rng.normal(size=(3, 5)) * 0.1, basis], axis=1)
    kept = features[:, encoder.independent_columns(features, 3)]
    assert np.linalg.matrix_rank(kept) == 3
    assert np.allclose(kept @ np.linalg.lstsq(kept, features)[0], features, atol=1e-8)


def test_regression_finds_the_map():
    rng = np.random.default_rng(0)
    features, mapping = rng.normal(size=(4, 9, 9, 5)), rng.normal(size=(5, 7))
    assert np.allclose(encoder.regression(features, features @ mapping), mapping, atol=1e-2)


def test_tapped_features_have_the_lengths_and_losses_of_mapped_ones():
    rng = np.random.default_rng(0)
    mapping = rng.normal(size=(5, 40)).astype("float32")
    one, other = rng.normal(size=(2, 1, 6, 6, 5)).astype("float32")
    narrow, wide = ([f @ m for f in (one, other)] for m in (encoder.tap(mapping), mapping))
    assert narrow[0].shape[-1] == 5
    assert np.sum((narrow[0] - narrow[1]) ** 2) == pytest.approx(np.sum((wide[0] - wide[1]) ** 2), rel=1e-4)
    errors = [float(ops.sum((gram(a) - gram(b)) ** 2)) for a, b in (narrow, wide)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)


def test_differences_of_gram_matrices_are_what_counts():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(4, 3, 3)).astype("float32")
    assert np.allclose(encoder.difference_error(targets + 5, targets), 0, atol=1e-5)
    blind = np.zeros_like(targets)
    assert np.all(np.abs(ops.convert_to_numpy(encoder.difference_error(blind, targets)) - 1) < 0.05)


def test_pursuits_come_closer_to_their_paintings():
    keras.utils.set_random_seed(0)
    pursuit = encoder.Pursuit(build_slim(WIDTHS), 2)
    paintings, pictures = np.random.default_rng(0).integers(0, 256, (2, 2, CROP, CROP, 3), "uint8")
    pictures = pictures // 4

    def distance(some: np.ndarray) -> float:
        return float(pursuit.compute_loss([gram(f) for f in pursuit.slim(paintings / 255.0)], y_pred=some / 255.0))

    after = pursuit.advance(paintings, pictures)
    assert after.dtype == np.uint8
    assert distance(after) < distance(pictures)


@pytest.mark.parametrize("seed", range(4))
def test_distorted_pictures_are_pictures(seed: int, photo: np.ndarray):
    picture = encoder.distort(photo, np.random.default_rng(seed))
    assert (picture.shape, picture.dtype) == (photo.shape, np.float32)
    assert 0 <= picture.min() < picture.max() <= 1
