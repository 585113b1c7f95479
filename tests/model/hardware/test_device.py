"""Which device computes, by STYLE_DEVICE and the GPUs that TensorFlow sees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from API import transfer_style
from model.errors import DeviceUnavailable
from model.hardware.device import choose_device, device

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Two that are not there; the list fills with those whose memory grows as needed."""
    growing: list[str] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grows: growing.append(gpu))
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: growing.append(f"only {devices}"))
    device.cache_clear()
    yield growing
    device.cache_clear()


@pytest.mark.parametrize(
    ("wish", "gpus", "chosen"),
    [
        ("auto", 0, "/CPU:0"),
        ("auto", 2, "/GPU:0"),
        ("cpu", 2, "/CPU:0"),
        ("gpu", 1, "/GPU:0"),
        ("gpu:1", 2, "/GPU:1"),
    ],
)
def test_a_wish_granted(wish: str, gpus: int, chosen: str):
    assert choose_device(wish, gpus) == chosen


@pytest.mark.parametrize(("wish", "gpus"), [("gpu", 0), ("gpu:1", 1), ("tpu", 1), ("gpu:", 1), ("gpu:-1", 1), ("", 1)])
def test_a_wish_refused(wish: str, gpus: int):
    with pytest.raises(DeviceUnavailable, match="STYLE_DEVICE") as caught:
        choose_device(wish, gpus)
    assert caught.value.field == "STYLE_DEVICE"


def test_gpus_take_memory_as_they_need_it(gpus: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_DEVICE", " GPU:1 ")
    assert device() == "/GPU:1"
    assert gpus == ["GPU:0", "GPU:1"]  # TensorFlow wants it alike on all


def test_gpus_that_are_not_wanted_are_left_alone(gpus: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_DEVICE", "cpu")
    assert (device(), gpus) == ("/CPU:0", ["only []"])


def test_the_device_is_chosen_before_tensorflow_starts():
    """Memory growth cannot be set once a variable exists."""
    script = """
import sys
from tensorflow.python.eager import context
import tensorflow as tf
def chosen(devices, kind):
    assert context.context()._context_handle is None
    print("in time")
tf.config.set_visible_devices = chosen
import numpy as np
from API import transfer_style
transfer_style(np.zeros((32, 32, 3), "uint8"), np.zeros((32, 32, 3), "uint8"))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert run.stdout == "in time\n", run.stderr


def test_a_wrong_wish_stops_the_first_picture(gpus: list[str], monkeypatch: pytest.MonkeyPatch, photo: np.ndarray):
    monkeypatch.setenv("STYLE_DEVICE", "gpu:7")
    with pytest.raises(DeviceUnavailable, match=r"GPU 7, but TensorFlow sees 2 here"):
        transfer_style(photo, 1 - photo[::-1])
