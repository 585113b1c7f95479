"""The encoders by name: their layers, and the files of their weights."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from model.errors import InvalidOption
from model.refinement import encoder_registry
from model.refinement.encoder_registry import ENCODERS, SLIM
from tests.support.encoders import APPLICATIONS, MODULES

pytestmark = pytest.mark.usefixtures("empty_home")


def test_vgg19_from_a_local_folder(shared: Path, monkeypatch: pytest.MonkeyPatch, no_connection: None):
    assert encoder_registry.best_available() == SLIM
    monkeypatch.setenv("STYLE_MODEL_DIR", str(shared / "weights"))
    assert encoder_registry.find("vgg19") == shared / "weights" / "vgg19_notop.weights.h5"
    assert encoder_registry.best_available() == "vgg19"


def test_a_file_named_as_keras_names_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    assert encoder_registry.find("resnet50") is None
    file = tmp_path / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    file.touch()
    assert encoder_registry.find("resnet50") == file


def test_keras_s_own_downloads_are_found(tmp_path: Path):
    file = tmp_path / "home" / ".keras" / "models" / ENCODERS["xception"].file
    file.parent.mkdir(parents=True)
    file.touch()
    assert encoder_registry.find("xception") == file


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_file_has_the_name_that_keras_downloads(name: str):
    module = "resnet" if name.startswith("resnet") else MODULES.get(name, name)
    source = Path(importlib.import_module(f"keras.src.applications.{module}").__file__ or "").read_text()
    file = ENCODERS[name].file
    assert file in source or file.replace(name, "{weights_name}") in source


def test_an_unknown_layer_is_answered_with_the_right_ones():
    with pytest.raises(InvalidOption, match=r"no layer 'conv4_2'.*block4_conv2") as raised:
        ENCODERS["vgg19"].check(["block1_conv1", "conv4_2"], "style_layers")
    assert raised.value.field == "style_layers"
