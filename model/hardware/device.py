"""Where the networks run: a GPU when TensorFlow sees one, else every core of the processor."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

from model import settings
from model.errors import DeviceUnavailable


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Turn garbage collection off while hundreds of thousands of objects are made that all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def device() -> str:
    """Return TensorFlow's name of the device that STYLE_DEVICE asks for, and let GPUs take memory only as needed.

    To be called before the first variable exists: TensorFlow's settings stay as they are once it has been used.
    Raises DeviceUnavailable for an unknown name or a GPU that is not there.
    """
    with gc_disabled():
        import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    chosen = choose_device(settings.device(), len(gpus))
    with suppress(RuntimeError):  # TensorFlow's, once it is initialised
        if chosen == "/CPU:0":
            tf.config.set_visible_devices([], "GPU")
        else:
            for gpu in gpus:
                tf.config.experimental.set_memory_growth(gpu, True)
    return chosen


def gpu_name() -> str:
    """Return the name of the GPU in use, or "" where the processor computes."""
    import tensorflow as tf

    gpus = [gpu for gpu in tf.config.list_physical_devices("GPU") if gpu.name.endswith(f":{device()[1:]}")]
    return "".join(tf.config.experimental.get_device_details(gpu).get("device_name", "") for gpu in gpus)


def choose_device(wish: str, gpus: int) -> str:
    """Return "/CPU:0" or "/GPU:n" for a value of STYLE_DEVICE on a machine with that many GPUs."""
    match = re.fullmatch(r"auto|cpu|gpu(?::(\d+))?", wish)
    if not match:
        raise DeviceUnavailable(f"STYLE_DEVICE must be auto, cpu, gpu or gpu:N, not '{wish}'.", "STYLE_DEVICE")
    if wish == "cpu" or (wish == "auto" and not gpus):
        return "/CPU:0"
    index = int(match[1] or 0)
    if index >= gpus:
        raise DeviceUnavailable(
            f"STYLE_DEVICE asks for GPU {index}, but TensorFlow sees {gpus} here. Set STYLE_DEVICE=cpu, or install "
            "TensorFlow's GPU libraries: pip install 'tensorflow[and-cuda]'.",
            "STYLE_DEVICE",
        )
    return f"/GPU:{index}"
