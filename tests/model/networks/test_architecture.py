"""The sizes of the networks as data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from model.networks.architecture import LITE, SMALL, V1_256, Architecture, norm_paths, norm_slices, normalised_channels

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("architecture", [V1_256, LITE, SMALL], ids=["v1-256", "lite", "small"])
def test_each_normalisation_has_a_place_of_its_own(architecture: Architecture):
    slices = norm_slices(architecture)
    assert len(slices) == len(norm_paths(architecture)) == 2 * architecture.residual_blocks + 3
    assert [part.start for part in slices] == [0, *(part.stop for part in slices[:-1])]
    assert slices[-1].stop - slices[-1].start == 3
    assert normalised_channels(architecture) == slices[-1].stop


def test_the_sizes_load_no_keras():
    code = "import sys, model.networks.architecture; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
