"""python -m model doctor: each check, its faults and fixes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from model.cli import doctor
from model.cli.doctor import Finding
from model.inference import winograd
from model.weights import registry


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One without weights, GPU and TensorFlow's loading time."""
    for variable in ("STYLE_MODEL_DIR", "STYLE_DEVICE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("STYLE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    monkeypatch.setattr(registry, "SHIPPED_MAGENTA", tmp_path / "magenta-small.npz")
    monkeypatch.setattr(doctor, "_import_tensorflow", lambda: ("2.21.0", 0))
    return tmp_path


def found(subject: str) -> Finding:
    return next(finding for finding in doctor.examine() if finding.subject == subject)


def test_every_subject_once_and_a_fix_for_every_fault():
    findings = doctor.examine()
    subjects = [finding.subject for finding in findings]
    machine = ["Python", "TensorFlow", "GPU", "Numba", "Memory", "Disk"]
    assert subjects == [*machine, "Weights magenta-small", "Weights v1-256"]
    assert all(finding.fix for finding in findings if finding.state == "fault")


def test_old_python():
    finding = doctor._check_python((3, 10, 4))
    assert (finding.state, finding.text) == ("fault", "3.10.4 is too old")


def test_tensorflow_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch):
    def broken() -> None:
        raise ImportError("libsomething.so is missing")

    monkeypatch.setattr(doctor, "_import_tensorflow", broken)
    assert found("TensorFlow").state == "fault"
    assert found("TensorFlow").fix == "pip install -r requirements.txt"


def test_numba_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch):
    """Pictures are painted without it."""
    monkeypatch.setitem(sys.modules, "model.inference.winograd.blocks", None)
    monkeypatch.delattr(winograd, "blocks", raising=False)
    assert found("Numba").state == "note"
    assert "cannot be used" in found("Numba").text


@pytest.mark.parametrize(
    ("wish", "gpus", "state"),
    [
        ("auto", 0, "ok"),
        ("cpu", 1, "ok"),
        ("gpu:1", 2, "ok"),
        ("gpu", 0, "fault"),
        ("gpu:1", 1, "fault"),
        ("tpu", 1, "fault"),
    ],
)
def test_device(monkeypatch: pytest.MonkeyPatch, wish: str, gpus: int, state: str):
    monkeypatch.setenv("STYLE_DEVICE", wish)
    monkeypatch.setattr(doctor, "_import_tensorflow", lambda: ("2.21.0", gpus))
    assert found("GPU").state == state
    assert f"sees {gpus} GPU" in found("GPU").text


def test_memory():
    assert "GB free of" in found("Memory").text
    assert doctor._check_memory(8_000_000_000, 5_000_000_000) == Finding("Memory", "ok", "5.0 GB free of 8.0 GB")
    assert doctor._check_memory(8_000_000_000, 1_000_000_000).state == "note"
    assert doctor._check_memory(8_000_000_000, None).text == "8.0 GB in all"


def test_disk(machine: Path, monkeypatch: pytest.MonkeyPatch):
    assert found("Disk").state == "ok"
    monkeypatch.setattr(doctor, "RECOMMENDED_DISK", 10**18)
    assert found("Disk").state == "note"
    (machine / "cache").write_text("a file where the folder should be")
    assert found("Disk").state == "fault"
    assert "STYLE_CACHE_DIR" in str(found("Disk").fix)


def test_a_local_folder_that_is_not_there(machine: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_MODEL_DIR", str(machine / "nowhere"))
    assert found("STYLE_MODEL_DIR").state == "fault"


def test_weights(machine: Path):
    assert found("Weights v1-256").state == "note"
    assert found("Weights v1-256").fix == "run: python -m model weights fetch v1-256"
    assert found("Weights magenta-small").state == "fault"
    assert "git checkout" in str(found("Weights magenta-small").fix)
    registry.SHIPPED_MAGENTA.write_text("not weights")
    assert "damaged" in found("Weights magenta-small").text


def test_good_weights_are_named_by_their_sha256(machine: Path):
    registry.SHIPPED_MAGENTA.write_bytes(b"PK\5\6" + bytes(18))  # an empty archive
    assert found("Weights magenta-small").state == "ok"
    assert str(registry.verify("magenta-small").sha256) in found("Weights magenta-small").text
