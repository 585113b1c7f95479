"""What the measurements share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import _measure, _published


def test_all_runs_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setenv("STYLE_DEVICE", "gpu")
    monkeypatch.setattr(_measure, "device", lambda: asked.append(os.environ["STYLE_DEVICE"]))
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    _measure.on_the_processor()
    assert asked == ["cpu"]


def test_ways_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_measure, "REST", 0)
    called: list[str] = []
    seconds = _measure.median_seconds_in_turns([lambda: called.append("a"), lambda: called.append("b")], 3)
    assert called == ["a", "b"] * 4
    assert all(taken > 0 for taken in seconds)


def test_a_turn_may_begin_with_a_call_that_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_measure, "REST", 0)
    called: list[str] = []
    calls = [lambda: called.append("a"), lambda: called.append("b")]
    assert len(_measure.median_seconds_in_turns(calls, 3, settle=True)) == 2
    assert called == ["a", "b", *["a", "a", "b", "b"] * 3]


def test_ours_is_once_as_long_as_ours() -> None:
    assert (_measure.times(0.1, 0.1), _measure.times(0.5, 0.1)) == ("1", "5.0")


def test_memory_is_that_of_the_command_alone() -> None:
    """Not of this process, which has taken more for TensorFlow."""
    command = [sys.executable, "-m", "bench._peak", sys.executable, "-c"]
    large = bytearray(b"x" * 200_000_000)
    done = subprocess.run([*command, "print(1)"], cwd=_measure.ROOT, capture_output=True, text=True, check=True)
    said, peak = done.stdout.splitlines()
    assert said == "1"
    assert 1e6 < json.loads(peak)["rss"] < len(large) / 2
    assert subprocess.run([*command, "exit(3)"], cwd=_measure.ROOT, stdout=subprocess.DEVNULL).returncode


@pytest.mark.parametrize(("value", "folder"), [(None, "shared"), ("", "shared"), ("/elsewhere", "/elsewhere")])
def test_the_shared_folder_is_that_of_the_tests(monkeypatch, value: str | None, folder: str) -> None:
    monkeypatch.delenv("STYLE_SHARED", raising=False)
    if value is not None:
        monkeypatch.setenv("STYLE_SHARED", value)
    assert _published.shared() == _measure.ROOT.parent / folder


def test_what_is_not_there_is_not_measured(tmp_path: Path) -> None:
    assert _published.missing("much", tmp_path) == ""
    told = _published.missing("much", tmp_path / "one", tmp_path, tmp_path / "other")
    assert told == "\n\nNot measured, for want of one and other in the folder STYLE_SHARED: much."
