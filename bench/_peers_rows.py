"""Rows of a comparison: each way's seconds, how close its picture is to float32, and what it makes of the processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import onnx
import tensorflow as tf
from skimage import data

from bench import _peers as peers
from bench import _peers_onnx as peers_onnx
from bench._measure import median_seconds, median_seconds_in_turns
from bench._operations import operations
from bench._peers import Run
from model.imaging import pixel_ops
from model.imaging.pixel_ops import psnr
from model.inference import autotune
from model.inference.magenta import STYLE_SIDE, Magenta
from model.networks.architecture import Architecture

PRODUCT_SIDE = 4096  # of the matrices whose product tells what the processor can do
HEAD = "way | side | seconds | times ours | dB to float32 | of a sky | share of the product's rate"


class Scene(NamedTuple):
    """A photo and a style vector, a sky, and what plain float32 makes of both."""

    architecture: Architecture
    content: np.ndarray
    vector: np.ndarray
    reference: np.ndarray
    sky: np.ndarray
    sky_reference: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        height, width, _ = self.content.shape
        return height, width


class Way(NamedTuple):
    name: str
    precision: str  # in which it multiplies
    build: Callable[[], Run]  # when its turn comes, so that no two are in memory
    scene: Scene


def photo(side: int) -> np.ndarray:
    """One that comes with scikit-image, squared; (side, side, 3) float32 in 0..1."""
    return pixel_ops.resize(data.astronaut() / np.float32(255), (side, side))


def painting() -> np.ndarray:
    """As colourful as one, at the size that the predictor looks at."""
    return pixel_ops.resize(data.immunohistochemistry() / np.float32(255), (STYLE_SIDE, STYLE_SIDE))


def scene(transformer: keras.Model, architecture: Architecture, side: int, vector: np.ndarray) -> Scene:
    content, sky, paint = photo(side), autotune.sky_picture(side), peers.in_keras(transformer)
    return Scene(architecture, content, vector, paint(content, vector), sky, paint(sky, vector))


def product_rates() -> dict[str, float]:
    """Operations a second of a large matrix product, by precision."""
    rates = {}
    for precision in "float32", "bfloat16":
        matrix = tf.cast(tf.random.normal((PRODUCT_SIDE, PRODUCT_SIDE), seed=0), precision)
        seconds = median_seconds(lambda matrix=matrix: tf.matmul(matrix, matrix).numpy(), 9)
        rates[precision] = 2 * PRODUCT_SIDE**3 / seconds
    return rates


def ours(network: Magenta, scene: Scene) -> Way:
    """In the way that it chose on this machine; the residual blocks are most of the work."""
    blocks = network.plan.blocks
    precision = "float32" if blocks == "winograd" else blocks
    return Way(f"ours, {network.plan}", precision, lambda: network.render, scene)


def others(transformer: keras.Model, arrays: Mapping[str, np.ndarray], scene: Scene) -> list[Way]:
    """Plain TensorFlow, and both runtimes in all that they offer on this processor."""

    def graph() -> onnx.ModelProto:
        return peers_onnx.transformer(scene.architecture, arrays, scene.size)

    def openvino(precision: str) -> Way:
        return Way(f"OpenVINO, {precision}", precision, lambda: peers.in_openvino(graph(), precision), scene)

    def eight_bits() -> Run:
        return peers.in_onnxruntime(peers_onnx.quantised(graph(), scene.content, scene.vector))

    return [
        Way("Keras, float32", "float32", lambda: peers.in_keras(transformer), scene),
        *map(openvino, peers.openvino_precisions()),
        Way("ONNX Runtime, float32", "float32", lambda: peers.in_onnxruntime(graph()), scene),
        Way("ONNX Runtime, float16", "float32", lambda: peers.in_onnxruntime(peers_onnx.halved(graph())), scene),
        Way("ONNX Runtime, int8", "int8", eight_bits, scene),
    ]


def rows(ways: Sequence[Way], rates: Mapping[str, float]) -> list[str]:
    """Cells of HEAD. The first way is ours."""
    found: list[str] = []
    ours = ways[0].build()
    for way in ways:
        run, scene = ours if way is ways[0] else way.build(), way.scene
        mine = partial(ours, scene.content, ways[0].scene.vector)
        seconds, first = median_seconds_in_turns([partial(run, scene.content, scene.vector), mine])
        rate = operations(scene.architecture, *scene.size) / seconds
        share = f"{rate / rates[way.precision]:.0%}" if way.precision in rates else "-"
        close = closeness(run(scene.content, scene.vector), scene.reference)
        of_sky = closeness(run(scene.sky, scene.vector), scene.sky_reference)
        times = "1" if way is ways[0] else f"{seconds / first:.2f}"
        found.append(f"{way.name} | {scene.size[1]} | {seconds:.3f} | {times} | {close} | {of_sky} | {share}")
    return found


def closeness(picture: np.ndarray, reference: np.ndarray) -> str:
    return "the same" if np.array_equal(picture, reference) else f"{psnr(picture, reference):.1f}"
