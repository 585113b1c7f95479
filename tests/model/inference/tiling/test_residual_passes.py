"""The residual blocks in passes over maps on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.imaging.scratch import DiskArray
from model.inference.tiling import residual_passes
from model.inference.tiling.band_layers import TensorFlowConvolutions
from tests.support.tiny_weights import TINY, tiny_arrays


def test_what_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(plane: DiskArray, rows: slice, band: np.ndarray) -> None:
        raise OSError("no room")

    norms = [(np.ones(8, "float32"), np.zeros(8, "float32"))] * 2
    with DiskArray(tmp_path, (20, 9, 8), "float32") as x, DiskArray(tmp_path, (20, 9, 8), "float32") as y:
        monkeypatch.setattr(DiskArray, "__setitem__", full)
        with pytest.raises(OSError, match="no room"):
            residual_passes.run_residual_blocks(
                TensorFlowConvolutions(TINY, arrays(), "float32"), norms, x, y, 8, lambda rows: None
            )


def arrays() -> dict[str, np.ndarray]:
    from model.inference import folding

    return folding.transformer_arrays(TINY, tiny_arrays())
