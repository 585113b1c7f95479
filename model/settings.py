"""The library's settings, from environment variables that are read nowhere else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from model.errors import DeviceUnavailable


def model_dir() -> Path | None:
    """STYLE_MODEL_DIR: a folder of weights to look in first."""
    value = os.environ.get("STYLE_MODEL_DIR")
    return Path(value).expanduser() if value else None


def cache_dir() -> Path:
    """STYLE_CACHE_DIR, where fetched and imported weights are kept; by default the user's cache folder."""
    value = os.environ.get("STYLE_CACHE_DIR")
    return Path(value).expanduser() if value else platformdirs.user_cache_path("style-transfer")


def hub_cache_dir() -> Path:
    """TFHUB_CACHE_DIR, where tensorflow_hub keeps what it has fetched; by default its own temporary folder."""
    return Path(os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir(), "tfhub_modules"))


def device() -> str:
    """STYLE_DEVICE: "auto" (a GPU when TensorFlow sees one), "cpu", "gpu" or "gpu:1"."""
    return os.environ.get("STYLE_DEVICE", "auto").strip().lower() or "auto"


def precision() -> str:
    """STYLE_PRECISION: "auto" (whatever is fastest here and looks the same) or "float32"."""
    value = os.environ.get("STYLE_PRECISION", "auto").strip().lower() or "auto"
    if value not in ("auto", "float32"):
        raise DeviceUnavailable(f"STYLE_PRECISION must be auto or float32, not '{value}'.", "STYLE_PRECISION")
    return value


def quieten_tensorflow() -> None:
    """TensorFlow greets at length; TF_CPP_MIN_LOG_LEVEL, where the user has set it, stays."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
