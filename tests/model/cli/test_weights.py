"""python -m model weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.__main__ import main
from model.weights import registry

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
