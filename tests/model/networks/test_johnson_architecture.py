"""The sizes and names of networks after Johnson as data."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

from model.networks.johnson_architecture import JOHNSON, JohnsonArchitecture, johnson_shapes, torch_name

ROOT = Path(__file__).resolve().parents[3]


def test_the_published_networks_have_these_arrays():
    shapes = johnson_shapes(JOHNSON)
    assert len(shapes) == 62
    assert sum(map(math.prod, shapes.values())) == 1_679_235
    assert shapes["conv1/conv2d/weights"] == (9, 9, 3, 32)
    assert shapes["res5/conv2/conv2d/weights"] == (3, 3, 128, 128)
    assert shapes["deconv1/conv2d/weights"] == (3, 3, 128, 64)
    assert shapes["deconv3/conv2d/biases"] == (3,)
    assert shapes["in4/gamma"] == (64,)


def test_blocks_are_counted_from_one():
    blocks = {name.split("/")[0] for name in johnson_shapes(JohnsonArchitecture(residual_blocks=2)) if "res" in name}
    assert blocks == {"res1", "res2"}


def test_pytorch_s_names_are_each_there_once():
    names = {torch_name(name) for name in johnson_shapes(JOHNSON)}
    assert len(names) == 62
    assert {"conv1.conv2d.weight", "conv1.conv2d.bias", "in1.weight", "in1.bias", "res3.conv2.conv2d.weight"} < names
    assert {"res3.in2.bias", "deconv2.conv2d.bias", "in5.weight", "deconv3.conv2d.weight"} < names


def test_they_load_no_keras():
    code = "import sys, model.weights.johnson_files; assert not {'keras', 'tensorflow', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
