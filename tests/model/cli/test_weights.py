"""python -m model weights."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from model.__main__ import main
from model.networks.johnson_architecture import JOHNSON
from model.style_file import StyleFile
from model.weights import registry
from tests.support.torch_files import Call, archive, johnson_state, pickles, state_dict

pytestmark = pytest.mark.usefixtures("desk")


def test_weights_list(capsys: pytest.CaptureFixture[str]):
    assert main(["weights", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in registry.ENTRIES)
    assert str(registry.SHIPPED_MAGENTA) in shown
    assert "not on this machine" in shown


def test_weights_verify(capsys: pytest.CaptureFixture[str]):
    for arguments in ([], ["magenta-small"]):
        assert main(["weights", "verify", *arguments]) == 0
        assert capsys.readouterr().out == f"ok     magenta-small: {registry.SHIPPED_MAGENTA}\n"


def test_weights_verify_finds_what_is_broken(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STYLE_MODEL_DIR", str(desk))
    (desk / "magenta-small.npz").write_bytes(registry.SHIPPED_MAGENTA.read_bytes()[:-1000])
    assert main(["weights", "verify"]) == 1
    fault, fix = capsys.readouterr().out.splitlines()
    assert fault.startswith("FAULT  magenta-small: ")
    assert fix == f"       -> replace or delete {desk / 'magenta-small.npz'}"


@pytest.mark.parametrize("name", ["v1-256", "mosaic"])
def test_weights_verify_of_what_is_not_here(capsys: pytest.CaptureFixture[str], name: str):
    assert main(["weights", "verify", name]) == 1
    shown = capsys.readouterr()
    assert name in shown.out + shown.err


def test_weights_import(desk: Path, capsys: pytest.CaptureFixture[str]):
    (desk / "nonsense.tar.gz").write_bytes(b"no archive")
    assert main(["weights", "import", "nonsense.tar.gz"]) == 1
    assert "'nonsense.tar.gz' was not imported as 'v1-256'" in capsys.readouterr().err
    assert main(["weights", "import", str(registry.SHIPPED_MAGENTA), "magenta-small"]) == 0
    assert Path(capsys.readouterr().out.strip()) == desk / "style-cache" / "magenta-small.npz"


@pytest.fixture
def candy(desk: Path) -> Path:
    path = desk / "candy.pth"
    path.write_bytes(archive(state_dict(johnson_state(JOHNSON))))
    return path


def test_a_network_becomes_a_style_that_paints(desk: Path, candy: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["weights", "import", "candy.pth", "--credit", "A. Trainer", "--licence", "BSD"]) == 0
    assert capsys.readouterr().out == "candy.style.json: the style 'candy', which its own network paints\n"
    file = StyleFile.from_bytes((desk / "candy.style.json").read_bytes())
    assert (file.name, file.credit, file.licence, file.is_imported) == ("candy", "A. Trainer", "BSD", True)
    assert main(["stylize", "photo.png", "candy.style.json", "-o", "out.png"]) == 0
    assert (desk / "out.png").is_file()


def test_a_network_s_style_has_the_name_that_is_asked_for(desk: Path, candy: Path):
    assert main(["weights", "import", "candy.pth", "-o", "sweet.style.json"]) == 0
    assert StyleFile.from_bytes((desk / "sweet.style.json").read_bytes()).name == "sweet"
    assert main(["weights", "import", "candy.pth", "-o", "sweet.style.json", "--name", "Sweet one"]) == 0
    assert StyleFile.from_bytes((desk / "sweet.style.json").read_bytes()).name == "Sweet one"


def test_a_network_is_known_without_its_suffix(desk: Path):
    Path("candy").write_bytes(pickles(state_dict(johnson_state(JOHNSON))))
    assert main(["weights", "import", "candy"]) == 0
    assert (desk / "candy.style.json").is_file()


def test_a_hostile_network_is_refused_and_nothing_runs(desk: Path, capsys: pytest.CaptureFixture[str]):
    Path("candy.pth").write_bytes(pickle.dumps(Call(os.mkdir, "made"), 2))
    assert main(["weights", "import", "candy.pth"]) == 1
    assert "may do harm" in capsys.readouterr().err
    assert not (desk / "made").exists()
    assert not (desk / "candy.style.json").exists()


def test_a_network_is_not_overwritten_by_its_style(candy: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["weights", "import", "candy.pth", "-o", "candy.pth"]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert main(["weights", "import", "candy.pth", "--credit", "x" * 201]) == 2
    assert "credit" in capsys.readouterr().err
