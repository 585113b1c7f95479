"""The seven encoders of keras.applications with random weights, VGG19 with its real ones, and the one that ships."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from model.errors import InvalidOption, WeightsBroken, WeightsMissing
from model.networks.layers import read_arrays
from model.refinement import encoder_registry, encoders
from model.refinement.encoder_registry import ENCODERS, SLIM, Encoder
from model.refinement.encoders import build, build_slim
from model.refinement.losses import gram, relative_error
from tests.support.encoders import APPLICATIONS, MODULES
from training.vgg import STYLE_LAYERS, vgg19

pytestmark = pytest.mark.usefixtures("empty_home")

RESIDUAL = {"resnet50", "resnet50v2", "densenet121", "xception"}


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights in place of a download."""
    encoders._load_version.cache_clear()
    keras.utils.set_random_seed(0)
    monkeypatch.setattr(encoders, "_download", lambda encoder, make: make(include_top=False, weights=None))


@pytest.fixture
def slim_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A local folder with a slim encoder that knows nothing and is slimmer still."""
    encoders._load_version.cache_clear()
    np.savez(tmp_path / f"{SLIM}.npz", **read_arrays(build_slim((2, 3, 4, 5, 6))))
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    return tmp_path


def test_every_encoder_is_there():
    assert set(APPLICATIONS) == {
        "vgg19",
        "vgg16",
        "inception_v3",
        "xception",
        "densenet121",
        "resnet50",
        "resnet50v2",
    }


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_named_layer_is_there_in_order(name: str, untrained: None):
    encoder = ENCODERS[name]
    network = encoders._load(name, "float32")
    outputs = [encoders._layer_output(network, name, layer) for layer in encoder.layers]
    places = [[layer.name for layer in network.layers].index(o._keras_history.operation.name) for o in outputs]
    assert places == sorted(set(places))
    assert {*encoder.content, *encoder.style} <= set(encoder.layers)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_picture_changes_by_what_the_losses_say(name: str, untrained: None, photo: np.ndarray, painting: np.ndarray):
    """From a photo through default layers and losses back to finite gradients that make the loss fall."""
    encoder = ENCODERS[name]
    model = build(name, (*encoder.style, *encoder.content))
    target = [gram(f) for f in model(painting[None])]

    def loss(picture: tf.Tensor) -> tf.Tensor:
        return sum(relative_error(gram(f), g)[0] for f, g in zip(model(picture), target, strict=True))

    picture = tf.Variable(photo[None])
    with tf.GradientTape() as tape:
        before = loss(picture)
    gradient = tape.gradient(before, picture).numpy()
    assert np.isfinite(gradient).all()
    picture.assign_sub(gradient * (1e-3 * np.sqrt(gradient.size) / np.linalg.norm(gradient)))
    assert loss(picture) < before


@pytest.mark.parametrize("name", APPLICATIONS)
def test_preprocessing_is_that_of_the_encoder_s_makers(name: str, photo: np.ndarray):
    module = importlib.import_module(f"keras.applications.{MODULES.get(name, name)}")
    expected = module.preprocess_input(255.0 * photo[None].copy())
    assert np.allclose(encoders._PREPROCESSING[name](photo[None]), expected, atol=1e-4)


def test_smoothing_is_for_residual_and_dense_connections():
    assert {name for name, encoder in ENCODERS.items() if encoder.smooth} == RESIDUAL


def peak(features: np.ndarray) -> float:
    """The largest entry of a Gram matrix as a multiple of their mean: 1 where all are alike."""
    matrix = ops.convert_to_numpy(gram(features))[0]
    return float(np.abs(matrix).max() / np.abs(matrix).mean())


@pytest.mark.parametrize("name", sorted(RESIDUAL))
def test_smoothing_lowers_the_peaks_of_gram_matrices(
    name: str, untrained: None, monkeypatch: pytest.MonkeyPatch, painting: np.ndarray
):
    monkeypatch.setattr(encoders, "_download", peaked)
    layers = list(ENCODERS[name].style)[1:]
    plain, smooth = (build(name, layers, smooth=choice)(painting[None]) for choice in (False, None))
    for p, s in zip(plain, smooth, strict=True):
        assert peak(s) < peak(p)
        assert np.allclose(ops.sum(s, -1), 1, atol=1e-5)


def peaked(encoder: Encoder, make: Callable[..., keras.Model]) -> keras.Model:
    """Random weights, but with features of the size of trained ones, some of them much larger than the others."""
    network = make(include_top=False, weights=None)
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # takes over the statistics of the picture that it sees next
            layer.gamma.assign(np.where(rng.random(layer.gamma.shape) < 1 / 32, 3.0, 0.5))
    network(encoders._PREPROCESSING[encoder.name](encoders._cloud_pictures(96)), training=True)
    return network


def test_peaked_features_are_smoothed():
    features = np.random.default_rng(0).gamma(0.3, 3.0, (1, 16, 16, 32)).astype("float32")
    features[..., 5] += 40  # one channel that rules, as behind residual connections
    assert peak(features) > 100
    assert peak(encoders.smooth_features(features, features.max())) < peak(features) / 2


def test_smoothing_can_be_chosen(untrained: None, photo: np.ndarray):
    features = build("vgg16", ["block1_conv1"], smooth=True)(photo[None])
    assert np.allclose(ops.sum(features, -1), 1, atol=1e-5)


def test_reduced_precision_gives_float32_features_and_leaves_no_trace(untrained: None, photo: np.ndarray):
    features = build("vgg16", ["block2_conv1"], dtype="mixed_bfloat16")(photo[None])
    assert features.dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_nothing_of_an_encoder_is_trainable(untrained: None):
    assert build("vgg16", ["block1_conv2"]).trainable_variables == []


def test_vgg19_sees_what_the_judge_of_training_sees(
    shared: Path, monkeypatch: pytest.MonkeyPatch, painting: np.ndarray
):
    monkeypatch.setenv("STYLE_MODEL_DIR", str(shared / "weights"))
    judge = vgg19(shared / "weights" / "vgg19_notop.weights.h5", STYLE_LAYERS)
    for mine, its in zip(build("vgg19", STYLE_LAYERS)(painting[None]), judge(painting[None]), strict=True):
        assert np.allclose(mine, its, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_weights_that_cannot_be_had_say_what_to_do(name: str, no_connection: None):
    with pytest.raises(WeightsMissing) as raised:
        build(name, list(ENCODERS[name].style))
    sentence = str(raised.value)
    assert ENCODERS[name].file in sentence
    assert SLIM in sentence
    assert sentence.count(". ") == 0
    assert raised.value.field == "encoder"


@pytest.mark.parametrize("name", ["vgg19", SLIM])
def test_a_broken_file_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    file = tmp_path / ("vgg19_notop.weights.h5" if name == "vgg19" else f"{SLIM}.npz")
    file.write_bytes(b"not this" * 99)
    with pytest.raises(WeightsBroken, match=file.name):
        build(name, ["block1_conv1"])


def test_a_slim_encoder_with_an_array_missing_is_broken(slim_folder: Path):
    path = slim_folder / f"{SLIM}.npz"
    with np.load(path) as file:
        arrays = dict(file)
    del arrays["block3_conv2/weights"]
    np.savez(path, **arrays)
    with pytest.raises(WeightsBroken, match=SLIM):
        build(SLIM, ["block1_conv1"])


def test_the_slim_encoder_is_as_wide_as_its_file(slim_folder: Path, photo: np.ndarray):
    features = build(SLIM, ENCODERS[SLIM].layers)(photo[None])
    assert [f.shape[1:] for f in features] == [
        (96, 128, 2),
        (48, 64, 3),
        (24, 32, 4),
        (12, 16, 5),
        (12, 16, 5),
        (6, 8, 6),
    ]


def test_a_changed_file_is_loaded_anew(slim_folder: Path, photo: np.ndarray):
    before = build(SLIM, ["block1_conv1"])(photo[None])
    np.savez(slim_folder / f"{SLIM}.npz", **read_arrays(build_slim((3, 3, 4, 5, 6))))
    after = build(SLIM, ["block1_conv1"])(photo[None])
    assert (before.shape[-1], after.shape[-1]) == (2, 3)


def test_the_slim_encoder_that_ships_is_small_and_loads(photo: np.ndarray):
    assert encoder_registry.SHIPPED_SLIM.stat().st_size <= 4_000_000
    for features in build(SLIM, ENCODERS[SLIM].layers)(photo[None]):
        assert np.isfinite(features).all()
        assert np.std(features) > 0


def test_an_unknown_encoder_is_answered_with_the_right_ones():
    with pytest.raises(InvalidOption, match=r"vgg19-slim.*resnet50v2.*'alexnet'"):
        build("alexnet", ["conv1"])
