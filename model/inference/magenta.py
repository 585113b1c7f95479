"""One set of Magenta weights in memory: pictures to style vectors, and vectors to pastiches."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from pathlib import Path
from threading import Lock

import keras
import numpy as np
import tensorflow as tf

from model.errors import DeviceUnavailable, InvalidOption, WeightsBroken
from model.hardware import memory
from model.hardware.device import device
from model.imaging import pixel_ops
from model.inference import folding
from model.inference.autotune import fastest_engine, trial_pictures
from model.inference.engine import Backends, TransformerEngine
from model.inference.folding import NormParams, StyleNorms
from model.inference.graph import trace
from model.networks.architecture import Architecture
from model.networks.layers import assign_arrays
from model.networks.predictors import build_predictor
from model.networks.style_network import StyleMixture, StyleNetwork, mix_arrays
from model.progress import OnStage
from model.weights.checksums import file_version
from model.weights.npz import read_weights

STYLE_SIDE = 256  # pixels, short side of what the predictor sees: the scale it was trained at
MAX_PREDICTOR_SIDE = 4 * STYLE_SIDE  # pixels, long side: of a scroll or a frieze only the middle is looked at
MIN_CONTENT_SIDE = 32  # pixels; below it, reflected margins would be wider than the picture
CACHE_SIZE = 256  # styles whose vectors and normalisations are remembered
MIXTURE_CACHE_SIZE = 16  # mixtures with networks of styles that are remembered: about ten megabytes each


class Magenta:
    """A style predictor and a transformer that belong together. Safe to use from many threads."""

    def __init__(self, name: str, architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> None:
        self.name, self.architecture, self.sha256 = name, architecture, _arrays_sha256(arrays)
        self.predictor_runs = 0  # how often the predictor has really run: vectors are remembered
        self._vectors: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._lock = Lock()
        check_keras()
        with tf.device(device()):
            predictor, arrays = _build_networks(name, architecture, arrays)
            image = tf.TensorSpec((1, None, None, 3), tf.float32)
            self._predict = trace(lambda style: predictor(style, training=False), [image])
            self._set_arrays(arrays)
            self._set_engine(fastest_engine(architecture, arrays, self.sha256, self._trial_norm_params))
        self._cached_mixture = lru_cache(MIXTURE_CACHE_SIZE)(self._mix)

    def _set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays
        norms = StyleNorms(self.architecture, arrays)
        # Once for a style: BLAS would keep a second thread spinning into the render, which wants all processors.
        self._cached_norm_params = lru_cache(CACHE_SIZE)(lambda data: norms(np.frombuffer(data, "float32")))

    def _set_engine(self, engine: TransformerEngine) -> None:
        self._engine, self.plan, self.winograd_blocks = engine, engine.plan, engine.winograd_blocks

    def mixed_with(self, mixture: StyleMixture) -> Magenta:
        """Return this network with a mixture of itself and networks of styles as its transformer; remembered.

        Its name, hash and predictor stay those of the arbitrary network.
        """
        return self._cached_mixture(tuple(mixture)) if mixture else self

    def _mix(self, mixture: StyleMixture) -> Magenta:
        for network, _ in mixture:
            _check_base(self, network)
        mixed = copy(self)
        arrays = mix_arrays(self.architecture, self.arrays, mixture)
        with tf.device(device()):
            mixed._set_arrays(arrays)
            mixed._set_engine(TransformerEngine(Backends(self.architecture, arrays), self.plan))
        return mixed

    def norm_params(self, vector: np.ndarray) -> list[NormParams]:
        """Return the style's gamma and beta of each normalisation; read-only, as they are shared."""
        return self._cached_norm_params(np.asarray(vector, "float32").tobytes())

    def _trial_norm_params(self) -> list[NormParams]:
        return self.norm_params(self._predict(trial_pictures()[0][None]).numpy()[0])

    def embed(self, style: np.ndarray, style_scale: float = 1.0) -> np.ndarray:
        """Predict the style vector (vector_size,) float32 of (H, W, 3) in 0..1; once for a picture, then remembered.

        style_scale: how much larger the strokes are to look than at the scale the predictor was trained at.
        """
        style = predictor_input(style, style_scale)
        key = hashlib.sha256(style.tobytes() + repr(style.shape).encode()).digest()
        with self._lock:
            if key in self._vectors:
                self._vectors.move_to_end(key)
                return self._vectors[key]
        with tf.device(device()):
            vector: np.ndarray = self._predict(style[None]).numpy()[0]
        vector.flags.writeable = False  # it is handed out again
        with self._lock:
            self.predictor_runs += 1
            self._vectors[key] = vector
            while len(self._vectors) > CACHE_SIZE:
                self._vectors.popitem(last=False)
        return vector

    def flat_color(self, vector: np.ndarray) -> np.ndarray:
        """Return the colour (3,) float32 in 0..1 that a photo of one colour becomes, whichever colour it is.

        A normalisation leaves of a flat map its offset only. `render` cannot be asked: where rounding leaves one pixel
        other than the next, each normalisation makes a hundred times more of it, and a pattern appears.
        """
        _, offset = self.norm_params(vector)[-1]
        colour: np.ndarray = 1 / (1 + np.exp(-offset))
        return colour

    def render(self, content: np.ndarray, vector: np.ndarray, on_stage: OnStage | None = None) -> np.ndarray:
        """Return the pastiche (H, W, 3) float32 in 0..1 of (H, W, 3) in 0..1 and a style vector.

        on_stage(done, of): called before each stage of the network and at the end; what it raises stops the render.
        """
        height, width = content.shape[:2]
        padded = pad_to_min_side(content)
        memory.check_fits(height, width)
        try:
            with tf.device(device()):
                pastiche = self._engine.run(padded, self.norm_params(vector), on_stage)
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise memory.too_large_error(f"A result of {width} x {height} pixels does not fit into memory") from error
        return pastiche[:height, :width]


def pad_to_min_side(content: np.ndarray) -> np.ndarray:
    """Continue (H, W, 3) by its last pixels until both sides have MIN_CONTENT_SIDE."""
    margins = [(0, max(0, MIN_CONTENT_SIDE - length)) for length in content.shape[:2]]
    return np.pad(content, [*margins, (0, 0)], mode="edge") if any(map(any, margins)) else content


def _check_base(network: Magenta, style: StyleNetwork) -> None:
    if style.base_sha256 != network.sha256:
        raise InvalidOption(
            f"The network of the style '{style.name}' was trained from other weights than '{network.name}': train it "
            "anew, or ask for network=shared.",
            "style",
        )


def check_keras() -> None:
    """Raise DeviceUnavailable where the user's Keras is set up for other work."""
    current = keras.backend.backend(), keras.backend.floatx(), keras.backend.image_data_format()
    wanted = "tensorflow", "float32", "channels_last"
    if current != wanted:
        raise DeviceUnavailable(
            f"Keras is set to {', '.join(current)}, but {', '.join(wanted)} is needed: "
            "unset KERAS_BACKEND, and correct ~/.keras/keras.json."
        )


def _build_networks(
    name: str, architecture: Architecture, arrays: Mapping[str, np.ndarray]
) -> tuple[keras.Model, dict[str, np.ndarray]]:
    """Return the predictor and the transformer's arrays, or raise WeightsBroken where the arrays do not fit."""
    try:
        predictor = build_predictor(architecture)
        assign_arrays(predictor, arrays)
        return predictor, folding.transformer_arrays(architecture, arrays)
    except (KeyError, ValueError) as error:
        raise WeightsBroken(f"The weights '{name}' do not fit their network: {error}.", "model_path") from error


def _arrays_sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the digest of the numbers themselves, so that a folder and its archive are the same weights."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name], dtype="float32").tobytes())
    return digest.hexdigest()


def predictor_input(style: np.ndarray, style_scale: float = 1.0) -> np.ndarray:
    """Return the style image at the predictor's scale, in its proportions: brush strokes must not be squashed."""
    height, width = style.shape[:2]
    side = round(STYLE_SIDE * style_scale)
    scale = side / min(height, width)
    longest = round(MAX_PREDICTOR_SIDE * style_scale / scale)
    top, left = max(0, (height - longest) // 2), max(0, (width - longest) // 2)
    style = style[top : top + longest, left : left + longest]
    height, width = (max(side, round(length * scale)) for length in style.shape[:2])
    style = pixel_ops.resize(style, (height, width))
    margins = [(0, max(0, STYLE_SIDE - length)) for length in style.shape[:2]]
    return np.pad(style, [*margins, (0, 0)], mode="symmetric")  # small strokes, more of them


@lru_cache(maxsize=4)
def _load(path: str, version: tuple[int, ...]) -> Magenta:
    name = Path(path).stem if path.endswith(".npz") else "magenta-v1-256"
    return Magenta(name, *read_weights(path))


_load_lock = Lock()


def load(path: Path | str) -> Magenta:
    """Load the network of a weights file, a SavedModel folder or archive, or a hub handle, once while unchanged."""
    with _load_lock:  # lru_cache alone would let two threads load twice
        return _load(str(path), file_version(Path(path)))
