"""Scores: what each number means, on small pictures and judges that have seen nothing."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tests.support.tiny_weights import write_tiny
from tests.support.training_runs import SIDE, Command
from training import evaluate, vgg16
from training.scores import Pair, Score, VGG16Judge, VGG19Judge, flat_regions, gradient_length, table

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def judges(vgg: Path, vgg16_arrays: Path) -> tuple[VGG19Judge, VGG16Judge]:
    return VGG19Judge(str(vgg)), VGG16Judge(vgg16_arrays)


def test_evaluation_from_the_shell(
    command: Command,
    pictures: Path,
    teacher: Path,
    vgg: Path,
    vgg16_arrays: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    weights, gallery = write_tiny(tmp_path / "mine.npz"), tmp_path / "others"
    gallery.mkdir()
    with Image.open(pictures / "content" / "a.jpg") as photo:
        photo.save(gallery / "a.png")
    fixed = ["--data", pictures, "--vgg", vgg, "--vgg16", vgg16_arrays, "--out", tmp_path / "scores", "--lite", teacher]
    command(evaluate.main, weights, gallery, *fixed, "--size", 96, "--pairs", 1)
    scores = (tmp_path / "scores" / "scores.md").read_text()
    assert scores == capsys.readouterr().out
    _, _, photo_row, lite, mine, others = (line.strip("| ").split(" | ") for line in scores.splitlines())
    assert [row[0] for row in (photo_row, lite, mine, others)] == ["the photo", "Magenta Lite", "mine", "others"]
    assert photo_row[1:] == others[1:]  # the photo was hung there
    assert photo_row[2] == photo_row[5] == "0.000"
    assert len({tuple(row[1:]) for row in (photo_row, lite, mine)}) == 3
    with Image.open(tmp_path / "scores" / "sheet.jpg") as sheet:
        assert sheet.size == (5 * 96, 20 + 96)


def test_a_photo_is_its_own_best_content_and_a_painting_its_own_best_style(judges: tuple[VGG19Judge, VGG16Judge]):
    rng = np.random.default_rng(0)
    content, style = (rng.random((SIDE, SIDE, 3), dtype="float32") for _ in range(2))
    pair = Pair(judges, content, style)
    photo, painting = pair.score(content), pair.score(style)
    assert (photo.content, photo.lpips, photo.ssim) == (0, 0, 1)
    assert painting.style == painting.style16 == 0
    assert photo.style > 0 < photo.style16
    assert painting.content > 0 < painting.lpips
    assert painting.ssim < 0.5


def test_vgg16_sees_pictures_as_imagenet_has_them(vgg16_arrays: Path):
    arrays = vgg16.read_vgg16(vgg16_arrays)
    network = vgg16.vgg16(arrays, (*vgg16.STYLE_LAYERS, *vgg16.LPIPS_LAYERS))
    picture = np.random.default_rng(0).random((1, 32, 32, 3), dtype="float32")
    features = [keras.ops.convert_to_numpy(f) for f in network(picture)]
    assert [f.shape[1::2] for f in features[:5]] == [(32, 64), (16, 128), (8, 256), (4, 512), (2, 512)]
    normal = (picture - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    expected = np.einsum("hwc,hwco->o", normal[0, 4:7, 8:11], arrays["block1_conv1/kernel"])
    assert np.allclose(features[0][0, 5, 9], np.maximum(expected, 0), atol=1e-4)


def test_lpips_compares_directions_of_features():
    rng = np.random.default_rng(0)
    one = rng.random((1, 4, 4, 3), dtype="float32")
    assert float(vgg16.lpips([one], [3 * one], [np.ones(3, "float32")])[0]) == pytest.approx(0, abs=1e-6)
    x, y = np.zeros((2, 1, 4, 4, 3), "float32")
    x[..., 0], y[..., 1] = 1, 1
    assert float(vgg16.lpips([x], [y], [np.array([0.5, 0.25, 1], "float32")])[0]) == pytest.approx(0.75)


def test_grain_in_a_sky_is_energy_where_the_photo_is_flat(photo: np.ndarray):
    flat = flat_regions(photo)
    assert 0.14 < flat.mean() < 0.17
    assert gradient_length(photo)[flat].mean() < gradient_length(photo).mean() / 2
    grainy = photo + np.random.default_rng(0).normal(0, 0.05, photo.shape).astype("float32")
    assert gradient_length(grainy)[flat].mean() > 0.02


def test_a_ramp_is_as_steep_as_it_is():
    ramp = np.broadcast_to(0.25 * np.arange(4, dtype="float32")[:, None, None], (4, 5, 3))
    assert np.allclose(gradient_length(ramp), 0.25)


def test_table_gives_means():
    rows = {"one": [Score(1, 2, 0.5, 1, 1, 1), Score(2, 1, 0.25, 1, 0, 0)], "two": [Score(*[0.0] * 6)]}
    header, rule, first, second = table(rows).splitlines()
    assert header.count("|") == rule.count("|") == first.count("|")
    assert first == "| one | 1.500 | 1.500 | 0.3750 | 1.000 | 0.500 | 0.500 |"
    assert second.startswith("| two | 0.000 |")


def test_others_pastiches_are_fitted_to_the_photo(tmp_path: Path):
    Image.new("RGB", (30, 20), "red").save(tmp_path / "a.png")
    hung = evaluate.hung(tmp_path)("a", np.zeros((40, 60, 3), "float32"), np.zeros((8, 8, 3), "float32"))
    assert hung.shape == (40, 60, 3)
    assert np.allclose(hung, [1, 0, 0])


def test_a_stylizer_gives_the_photo_s_own_size(tmp_path: Path):
    stylize = evaluate.load(write_tiny(tmp_path / "tiny.npz"))
    rng = np.random.default_rng(0)
    pastiche = stylize(rng.random((33, 46, 3), dtype="float32"), rng.random((64, 80, 3), dtype="float32"))
    assert pastiche.shape == (33, 46, 3)
    assert 0 <= pastiche.min() < pastiche.max() <= 1
