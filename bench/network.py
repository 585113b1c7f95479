"""The network against every other way to run the same weights, all in one run.

    python -m bench.network                      everything
    python -m bench.network full --sides 512     a part, `full`, `seed` or `small`, and at some sizes only

The full network is the published architecture with random numbers, since neither speed nor precision depends on them.
Where the folder STYLE_SHARED has the published graph, they are put into it, and `hub.load` runs them too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

from bench import _peers as peers
from bench import _peers_seed as peers_seed
from bench._measure import median_seconds_in_turns, on_the_processor, table
from bench._peers import Run
from bench._peers_rows import HEAD, PRODUCT_SIDE, Scene, Way, others, ours, painting, product_rates, rows, scene
from bench._published import GRAPH, LITE_ARRAYS, LITE_PREDICTOR, LITE_SIDE, LITE_TRANSFORMER, full_weights, missing
from model.hardware.device import cores
from model.inference.magenta import Magenta, load
from model.networks.architecture import LITE, V1_256, Architecture
from model.weights import registry
from model.weights.npz import read_weights

PREDICTIONS = 31  # each takes milliseconds

INTRODUCTION = """## The network

One picture at a time on {cores} cores, NumPy arrays in and out, the style's vector known. Each way is set up as its
documentation advises: all cores, a fixed size, and a first call to warm up. It takes turns with ours, five each, with a
short rest between: the seconds are medians, and "times ours" is against ours of those same turns.

"dB to float32" is how close the picture is to the one that Keras paints in float32 in the same run, of the photo and of
a sky, whose few differences the network enlarges; 40 is where one sees none. "Share of the product's rate" counts the
multiplications and additions of the network's convolutions as the published graph has them, and sets their rate against
that of a large matrix product in the precision that the way multiplies in: two matrices of {side} x {side} ran at
{rates} thousand million operations a second. Winograd's filtering, in float32, needs fewer multiplications than are
counted."""

FULL = """### The full network

{blocks} residual blocks, {channels} channels, random numbers. `hub.load` also predicts the style at each call.

{table}

OpenVINO says that it computes in {openvino} on this processor. ONNX Runtime has {bfloat16} convolution in bfloat16 for
it; what comes in float16 it computes in float32, and for int8 it was told the ranges of this very picture."""

SEED = """### Loaded at each call

Hobby projects have a function that loads the model, reads both files, divides by 255, runs and hands back. The full
network they load with `hub.load`. Ours is `stylize` of the same files in a process that has painted before. They take
turns, and each turn begins with a call that does not count.

{table}"""

SMALL = """### The weights that ship

{blocks} residual blocks, {channels} channels. "TFLite as published" is the published mobile network, which is narrower,
{lite} channels, and is compared with itself in float32; the other TFLite files are the shipped weights, converted.

{table}"""

PREDICTORS = """A style vector of a new picture, {side} x {side}, takes ours {ours:.1f} ms and the published int8 TFLite
predictor {theirs:.1f} ms. The two vectors correlate by {alike:.3f}."""


def full(rates: dict[str, float], sides: Sequence[int]) -> str:
    found: list[str] = []
    with TemporaryDirectory() as folder:
        path = full_weights(Path(folder))
        network, (architecture, arrays) = load(path), read_weights(path)
        transformer = peers.keras_transformer(architecture, arrays)
        for side in sides or (256, 512, 1024):
            shown = scene(transformer, architecture, side, network.embed(painting()))
            hubs = [Way("`hub.load`", "float32", lambda: in_hub(path), shown)] if path.is_dir() else []
            found += rows([ours(network, shown), *hubs, *others(transformer, arrays, shown)], rates)
    text = FULL.format(
        blocks=V1_256.residual_blocks,
        channels=told(V1_256),
        table=table(HEAD, found),
        openvino=" and ".join(peers.openvino_precisions()),
        bfloat16="a" if peers.onnxruntime_has_bfloat16() else "no",
    )
    return text + missing("`hub.load`", GRAPH)


def in_hub(folder: Path) -> Run:
    graph, style = hub.load(str(folder)), tf.constant(painting()[None])
    return lambda content, vector: graph(tf.constant(content[None]), style)[0][0].numpy()


def told(architecture: Architecture) -> str:
    return "/".join(map(str, architecture.channels))


def seed(rates: dict[str, float], sides: Sequence[int]) -> str:
    found: list[str] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        models = {"weights that ship": (registry.SHIPPED_MAGENTA, peers_seed.shipped)}
        if GRAPH.is_dir():
            models["full network"] = full_weights(folder), peers_seed.published
        for side in sides or (256, 512):
            found += peers_seed.rows(models, side, folder)
    return SEED.format(table=table(peers_seed.HEAD, found)) + missing("`hub.load`", GRAPH)


def small(rates: dict[str, float], sides: Sequence[int]) -> str:
    network, (architecture, arrays) = load(registry.SHIPPED_MAGENTA), read_weights(registry.SHIPPED_MAGENTA)
    transformer = peers.keras_transformer(architecture, arrays)
    vector, found = network.embed(painting()), []
    for side in sides or (384, 1024):
        shown = scene(transformer, architecture, side, vector)
        tflite = [*converted(transformer, shown), *published(side, vector)]
        found += rows([ours(network, shown), *others(transformer, arrays, shown), *tflite], rates)
    sizes = {"blocks": architecture.residual_blocks, "channels": told(architecture), "lite": told(LITE)}
    text = SMALL.format(table=table(HEAD, found), **sizes)
    text += missing("the published transformer", LITE_TRANSFORMER, LITE_ARRAYS)
    predicted = f"\n\n{predictors(network)}" if LITE_PREDICTOR.exists() else ""
    return text + predicted + missing("the published predictor", LITE_PREDICTOR)


def converted(transformer: keras.Model, scene: Scene) -> list[Way]:
    """The shipped weights as TFLite files."""

    def run(kind: str) -> Run:
        return peers.in_litert(peers.tflite(transformer, scene.size, kind), scene.size)

    return [
        Way("TFLite, float32", "float32", lambda: run("float32"), scene),
        Way("TFLite, float16 weights", "float32", lambda: run("float16"), scene),
        Way("TFLite, int8 weights", "int8", lambda: run("int8"), scene),
    ]


def published(side: int, vector: np.ndarray) -> list[Way]:
    """The TFLite file of the mobile network; its style vectors are of the same kind. It paints one size only: for
    others its numbers are converted anew."""
    if not (LITE_TRANSFORMER.exists() and LITE_ARRAYS.exists()):
        return []
    transformer = peers.keras_transformer(LITE, np.load(LITE_ARRAYS))
    shown, fits = scene(transformer, LITE, side, vector), side == LITE_SIDE
    name = "TFLite as published" if fits else "TFLite as published, for this size"

    def run() -> Run:
        return peers.in_litert(
            LITE_TRANSFORMER if fits else peers.tflite(transformer, shown.size, "float16"), shown.size
        )

    return [Way(name, "float32", run, shown)]


def predictors(network: Magenta) -> str:
    """Of pictures that are new each time, since ours remembers those it has seen."""
    style, theirs = painting(), peers.predictor_in_litert(LITE_PREDICTOR)

    def predicting(predict: Callable[[np.ndarray], np.ndarray]) -> Callable[[], object]:
        unseen = iter([np.roll(style, shift, axis=1) for shift in range(1, PREDICTIONS + 2)])
        return lambda: predict(next(unseen))

    seconds = median_seconds_in_turns([predicting(network.embed), predicting(theirs)], PREDICTIONS)
    alike = np.corrcoef(network.embed(style), theirs(style))[0, 1]
    return PREDICTORS.format(side=len(style), ours=seconds[0] * 1e3, theirs=seconds[1] * 1e3, alike=alike)


PARTS = {"full": full, "seed": seed, "small": small}


def section(parts: Sequence[str] = (), sides: Sequence[int] = ()) -> str:
    """parts: some of PARTS, sides: in pixels, multiples of 4; all of them where none are given."""
    on_the_processor()
    rates = product_rates()
    told_rates = " and ".join(f"{rate / 1e9:.0f} in {precision}" for precision, rate in rates.items())
    introduction = INTRODUCTION.format(cores=cores(), side=PRODUCT_SIDE, rates=told_rates)
    return "\n\n".join([introduction, *(PARTS[part](rates, sides) for part in parts or PARTS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--sides", type=int, nargs="+", default=[], help="in pixels, multiples of 4")
    chosen = parser.parse_args()
    print(section(chosen.parts, chosen.sides))


if __name__ == "__main__":
    main()
