"""The gallery's networks: trained one after another, resumed, and made those that ship."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.finetuning import style_trainer
from model.finetuning import training as finetuning
from model.weights import style_networks
from tests.support.tiny_weights import write_tiny
from tests.support.training_runs import SIDE, Command, rows
from training import gallery

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = [
    pytest.mark.usefixtures("small"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tiny weights, and the encoder that ships as the judge: VGG19 is not on every machine."""
    monkeypatch.setattr(gallery, "SHIPPED_MAGENTA", write_tiny(tmp_path / "tiny.npz"))
    monkeypatch.setattr(gallery, "JUDGE", "vgg19-slim")
    monkeypatch.setattr(gallery, "SHEET_SIDE", SIDE)
    monkeypatch.setattr(gallery, "RECIPES", {name: gallery.Recipe(side=128, seeds=1) for name in ("flow", "waves")})
    for module in (style_trainer, finetuning):
        monkeypatch.setattr(module, "WINDOW", SIDE)


def test_styles_are_trained_one_after_another_and_only_once(command: Command, pictures: Path, tmp_path: Path):
    arguments = ["--photos", pictures / "content", "--out", tmp_path / "run", "--steps", 2, "--checkpoint", 0]
    command(gallery.main, *arguments, "--styles", "flow", "waves")
    for name in ("flow", "waves"):
        assert [row["step"] for row in rows(tmp_path / "run" / name)] == ["1", "2"]
        Image.open(tmp_path / "run" / name / "sheet.jpg").verify()
        assert style_networks.decode((tmp_path / "run" / f"{name}.npz").read_bytes()).network.name == name
    assert not list(tmp_path.rglob("training.npz"))
    before = (tmp_path / "run" / "flow.npz").stat()
    command(gallery.main, *arguments, "--styles", "flow")
    assert (tmp_path / "run" / "flow.npz").stat() == before


def test_export_lists_each_network_by_its_painting(
    command: Command, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(style_networks, "SHIPPED_FOLDER", shipped)
    monkeypatch.setattr(style_networks, "SHIPPED_INDEX", shipped / "index.json")
    command(gallery.main, "--photos", pictures / "content", "--out", tmp_path / "run", "--steps", 1, "--styles", "flow")
    command(gallery.main, "--out", tmp_path / "run", "--export")
    (digest,) = json.loads((shipped / "index.json").read_text()).items()
    assert digest[1] == "flow.npz"
    assert "flow.npz" in (shipped / "SHA256SUMS").read_text()


def test_a_training_needs_photos(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command(gallery.main, "--out", tmp_path)
    assert "--photos" in capsys.readouterr().err


def test_each_seed_paints_the_style_anew():
    one, other = gallery.paintings("waves", gallery.Recipe(side=128, seeds=2))
    assert one.shape == other.shape == (102, 128, 3)
    assert np.abs(one - other).mean() > 0.01
