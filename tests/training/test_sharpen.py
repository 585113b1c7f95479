"""Sharpening with tiny networks: that a run learns, goes on and keeps what is to be kept; and its parts."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from model.refinement.losses import gram, relative_error
from tests.support.training_runs import SIDE, Command, arrays, rows
from training import sharpen
from training.targets import Grams, LazyRows, gram_row, squares, triangle
from training.vgg import STYLE_LAYERS, vgg19

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(0)


def test_sharpening_runs_and_goes_on(command: Command, pictures: Path, start: list[Path], vgg: Path, tmp_path: Path):
    fixed = ["--data", pictures, "--vgg", vgg, "--start", *start, "--out", tmp_path, "--batch", 2, "--checkpoint", 0]
    command(sharpen.main, *fixed, "--steps", 2)
    log = rows(tmp_path)
    assert [row["step"] for row in log] == ["1", "2"]
    assert {"loss", "style", "half", "content", "noise"} < log[0].keys()
    assert np.isfinite([float(value) for row in log for value in row.values()]).all()
    begun = {name: array for path in start for name, array in np.load(path).items()}
    first = arrays(tmp_path)
    assert first.keys() == begun.keys()
    learnt = {name.partition("/")[0] for name in first if not np.array_equal(first[name], begun[name])}
    assert learnt == {"style_params", "texture", "transformer"}
    moving = [name for name in first if "moving" in name]
    assert all(np.array_equal(first[name], begun[name]) for name in moving)  # the distillation's statistics stay

    command(sharpen.main, *fixed, "--steps", 3)
    assert [row["step"] for row in rows(tmp_path)] == ["1", "2", "3"]
    assert not list(tmp_path.glob("*partial*"))
    for name in ("loss.png", "sheet.jpg"):
        Image.open(tmp_path / name).verify()


def test_a_run_needs_a_budget(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command(sharpen.main, "--data", tmp_path, "--vgg", "x", "--start", "y", "--out", tmp_path)
    assert "--steps or --seconds" in capsys.readouterr().err


def test_triangles_hold_whole_matrices():
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(2, 9, width)) for width in (3, 5)]
    grams = [f.transpose(0, 2, 1) @ f for f in features]
    flat = np.stack([np.append(triangle([g[i] for g in grams]), 7.0) for i in range(2)])
    assert flat.shape == (2, 3 * 4 // 2 + 5 * 6 // 2 + 1)
    assert all(np.allclose(g, square) for g, square in zip(grams, squares(flat, [3, 5]), strict=True))


def test_a_painting_is_its_own_style(vgg: Path):
    judge = vgg19(vgg, STYLE_LAYERS)
    one, other = np.random.default_rng(0).random((2, SIDE, SIDE, 3), dtype="float32") * np.array([1, 0.5, 0.2], "f")
    targets = np.stack([gram_row(Grams(judge), one)]).astype("float16")
    assert np.isfinite(targets).all()
    widths = [output.shape[-1] for output in judge.outputs]
    own, others = (float(sharpen.style_error(judge(p[None]), targets, widths)[0]) for p in (one, 1 - other))
    weights = np.array(sharpen.LAYER_WEIGHTS)
    plain = [
        float(relative_error(gram(a), gram(b))[0])
        for a, b in zip(judge(1 - other[None]), judge(one[None]), strict=True)
    ]
    assert own < 1e-4
    assert others == pytest.approx(np.dot(plain, weights) / weights.sum(), rel=1e-2)


def test_rows_are_worked_out_once(tmp_path: Path):
    asked: list[int] = []

    def compute(index: int) -> np.ndarray:
        asked.append(index)
        return np.array([index, 1.0])

    first = LazyRows(tmp_path / "rows.npy", 3, compute)
    asked.clear()
    assert first[2].tolist() == first[2].tolist() == [2, 1]
    assert LazyRows(tmp_path / "rows.npy", 3, compute)[2].tolist() == [2, 1]
    assert asked == [2]


def test_batches_are_the_same_for_the_same_step_and_show_every_painting():
    photos, paintings = ([Image.new("RGB", (80, 72), (i, 0, 0)) for i in range(5)] for _ in range(2))
    targets = [np.full((2, 3), i, "float16") for i in range(5)]
    sampler = sharpen.Sampler(photos, paintings, targets, seed=0)
    some, same, others = sampler.draw(0, 4), sampler.draw(0, 4), sampler.draw(1, 4)
    assert all(np.array_equal(a, b) for a, b in zip(some, same, strict=True))
    assert not np.array_equal(some[0], others[0])
    assert [part.shape[0] for part in some] == [2, 1, 2, 4, 4, 4]
    assert len({*some[4][:, 0], *others[4][:1, 0]}) == 5  # as many as there are
    assert np.array_equal(np.rint(some[3][:, 0, 0, 0] * 255), some[4][:, 0])  # each with its own targets


def test_average_pooling_shares_all_but_the_pools(vgg: Path):
    judges = [vgg19(vgg, STYLE_LAYERS, pooling) for pooling in ("max", "average")]
    picture = np.random.default_rng(0).random((1, SIDE, SIDE, 3), dtype="float32")
    some, others = ([ops.convert_to_numpy(f) for f in judge(picture)] for judge in judges)
    assert np.allclose(some[0], others[0])
    assert [f.shape for f in some] == [f.shape for f in others]
    assert some[1].mean() > others[1].mean()


def test_the_style_term_falls_with_either_error():
    terms = [float(sharpen.style_term(*map(ops.convert_to_tensor, pair))) for pair in ([[0.5], [0.5]], [[0.25], [0.5]])]
    more = float(sharpen.style_term(ops.convert_to_tensor([0.5]), ops.convert_to_tensor([0.25])))
    assert terms[1] < more < terms[0]
