"""The network on a GPU: in three precisions and in batches, on whichever Keras backend is there.

    KERAS_BACKEND=jax python -m bench.gpu              or torch, or tensorflow
    KERAS_BACKEND=jax python -m bench.gpu 256 512      pictures of these sides only
    python -m bench.gpu --cpu                          the same code in small, where there is no GPU

Needs Keras with one of its backends, NumPy, Pillow, pydantic and platformdirs, but TensorFlow only for its own. Every
row goes to the terminal's error output as soon as it is there: a first run compiles for minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops
from PIL import Image

from bench._measure import ROOT, median_seconds, table
from bench._operations import operations
from model.imaging.pixel_ops import psnr
from model.networks import layers, predictors, transformer
from model.networks.architecture import V1_256, Architecture
from model.weights import registry
from model.weights.npz import read_npz

HEADING = "## On a GPU"
NOBODY = (
    "There was no GPU on this machine, so nothing was measured. Where there is one, `python -m bench.gpu` measures it."
)
SIDES, BATCHES = (256, 512, 1024, 2048), (1, 4, 8, 16)
SMALL_SIDES, SMALL_BATCHES = (64, 128), (1, 4)  # on a processor
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
PRODUCT_SIDE, SMALL_PRODUCT_SIDE = 8192, 2048  # of the matrices whose product says what the device can do
ROUNDS = 7
WORTH = 40.0  # dB: below it, a picture is another one
OUT_OF_MEMORY = "out of memory", "OOM when", "RESOURCE_EXHAUSTED"  # in PyTorch's, TensorFlow's and XLA's words
HEAD = (
    "weights | side | batch | precision | images a second | times float32, one by one | share of the product's rate "
    "| GB of memory | dB to float32 on the CPU"
)


class Program(NamedTuple):
    """A model, compiled for inputs of certain shapes."""

    run: Callable[..., Any]
    peak: Callable[[], int | None]  # bytes it takes, with its inputs and results; None where nobody tells


@dataclass(frozen=True)
class Device:
    """What each backend does in its own way."""

    gpu: str  # its name, empty where there is none
    pinned: Callable[[np.ndarray], Any]  # in memory that the device can fetch from by itself
    sent: Callable[[Any], Any]  # what was pinned, on its way; does not wait for it
    compiler: Callable[[keras.Model], Callable[..., Program]]  # of a model; what it gives takes inputs to compile for
    wait: Callable[[Any], object]  # until this result is there


class Subject(NamedTuple):
    """A transformer, and the style that it is to paint in."""

    name: str
    architecture: Architecture
    arrays: Mapping[str, np.ndarray]
    vector: np.ndarray  # (1, vector_size) float32


class Row(NamedTuple):
    weights: str
    side: int
    batch: int
    precision: str
    images: float | None = None  # a second; None where memory was too small
    peak: int | None = None  # bytes
    decibels: float = 0.0


def _jax() -> Device:
    import jax

    def compiler(model: keras.Model) -> Callable[..., Program]:
        state = [[v.value for v in each] for each in (model.trainable_variables, model.non_trainable_variables)]
        paint = jax.jit(lambda state, *inputs: model.stateless_call(*state, list(inputs), training=False)[0])

        def compiled(*inputs: Any) -> Program:
            program = paint.lower(state, *inputs).compile()
            sizes = program.memory_analysis()  # the allocator's own highest mark cannot be set back between two rows
            taken = sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes
            return Program(lambda *inputs: program(state, *inputs), lambda: taken)

        return compiled

    gpu = jax.devices()[0].device_kind if jax.default_backend() == "gpu" else ""
    return Device(gpu, np.asarray, jax.device_put, compiler, jax.block_until_ready)


def _torch() -> Device:
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    torch.set_float32_matmul_precision("high")  # as its convolutions, and as the other backends do
    torch.backends.cudnn.benchmark = True
    gpu = torch.cuda.is_available()
    inductor = "inductor" if gpu else "aot_eager"  # without a GPU it would compile C++ for minutes
    ways = torch.cuda.Stream() if gpu else None

    def pinned(array: np.ndarray) -> Any:
        return torch.from_numpy(array).pin_memory() if gpu else torch.from_numpy(array)

    def sent(host: Any) -> Any:
        """On a way of its own, beside the kernels that are running."""
        if not gpu:
            return host
        with torch.cuda.stream(ways):
            there = host.to("cuda", non_blocking=True)
        torch.cuda.current_stream().wait_stream(ways)
        there.record_stream(torch.cuda.current_stream())
        return there

    def compiler(model: keras.Model) -> Callable[..., Program]:
        def compiled(*inputs: Any) -> Program:
            torch.compiler.reset()  # forgets the graph before, and lets go of its memory
            with torch.no_grad():  # of a trace: Keras's own code takes the compiler ten times as long to read
                trace = make_fx(lambda *inputs: model(list(inputs), training=False))(*inputs)
            paint = torch.compile(trace, dynamic=False, backend=inductor)

            @torch.inference_mode()
            def run(*inputs: Any) -> Any:
                return paint(*inputs)

            run(*inputs)
            if gpu:
                torch.cuda.reset_peak_memory_stats()
            return Program(run, torch.cuda.max_memory_allocated if gpu else lambda: None)

        return compiled

    name = torch.cuda.get_device_name() if gpu else ""
    return Device(name, pinned, sent, compiler, lambda _: torch.cuda.synchronize() if gpu else None)


def _tensorflow() -> Device:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")

    def peak() -> int | None:
        return tf.config.experimental.get_memory_info("GPU:0")["peak"] if gpus else None

    def compiler(model: keras.Model) -> Callable[..., Program]:
        def compiled(*inputs: Any) -> Program:
            # XLA joins a normalisation into one kernel. A processor is only there to try the code on.
            run = tf.function(lambda *inputs: model(list(inputs), training=False), jit_compile=bool(gpus))
            run(*inputs)
            if gpus:
                tf.config.experimental.reset_memory_stats("GPU:0")
            return Program(run, peak)

        return compiled

    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "a GPU") if gpus else ""
    return Device(name, np.asarray, tf.constant, compiler, lambda _: tf.test.experimental.sync_devices())


BACKENDS: Mapping[str, Callable[[], Device]] = {"jax": _jax, "torch": _torch, "tensorflow": _tensorflow}


def shipped() -> Subject:
    """The weights that ship, and the style of one of the gallery's paintings."""
    architecture, arrays = read_npz(registry.SHIPPED_MAGENTA)
    with keras.device("cpu"):
        predictor = predictors.build_predictor(architecture)
        layers.assign_arrays(predictor, arrays)
        predictor.trainable = False
        style = picture("flow", 256)[None] / np.float32(255)
        return Subject(registry.SHIPPED_MAGENTA.stem, architecture, arrays, ops.convert_to_numpy(predictor(style)))


def full_size() -> Subject:
    """The published size. NumPy draws the numbers, so that they are the same on every backend."""
    rng = np.random.default_rng(0)
    with keras.device("cpu"):
        arrays = layers.read_arrays(transformer.build_transformer(V1_256))
    drawn = {n: rng.normal(0, a[..., 0].size ** -0.5, a.shape) for n, a in arrays.items() if a.ndim > 1}
    vector = rng.random((1, V1_256.vector_size), dtype="float32")
    return Subject("v1-256's size, random", V1_256, arrays | drawn, vector)


def picture(name: str, side: int) -> np.ndarray:
    """(side, side, 3) uint8."""
    with Image.open(ROOT / "static" / "styles" / f"{name}.jpg") as file:
        return np.array(file.convert("RGB").resize((side, side)))


def time_transformer(subject: Subject, precision: str) -> keras.Model:
    """Pixels (N, H, W, 3) uint8 and style vectors (N, vector_size) -> pastiches in 0..1, multiplied in `precision`."""
    with layers.dtype_policy(POLICIES[precision]):
        pixels = keras.Input((None, None, 3), dtype="uint8")
        vector = keras.Input((subject.architecture.vector_size,), dtype="float32")
        content = ops.cast(pixels, "float32") / 255.0
        model = keras.Model(
            [pixels, vector], transformer._transform(content, vector, subject.architecture, precise_moments)
        )
    layers.assign_arrays(model, subject.arrays)
    model.trainable = False  # or PyTorch would keep every feature map
    return model


def precise_moments(x: KerasTensor) -> Sequence[KerasTensor]:
    """In float32 and left so: the sums over a megapixel overflow in float16, and bfloat16 rounds them away."""
    mean, variance = ops.moments(ops.cast(x, "float32"), axes=[1, 2], keepdims=True)
    return mean, variance


def product_rate(device: Device, precision: str, side: int) -> float:
    """Operations a second of the product of two large matrices of random numbers."""
    inputs = [keras.Input((side,), dtype=precision) for _ in range(2)]
    numbers = np.random.default_rng(0).standard_normal((side, side), "float32")
    matrix = ops.cast(device.sent(device.pinned(numbers)), precision)
    run = device.compiler(keras.Model(inputs, ops.matmul(*inputs)))(matrix, matrix).run
    return 2 * side**3 / median_seconds(lambda: device.wait(run(matrix, matrix)), ROUNDS)


def references(subject: Subject, sides: Sequence[int]) -> dict[int, np.ndarray]:
    """The pastiche of each side, by the processor in float32."""
    with keras.device("cpu"):
        model = time_transformer(subject, "float32")
        return {side: ops.convert_to_numpy(model([picture("cat", side)[None], subject.vector])) for side in sides}


def rows(device: Device, subject: Subject, sides: Sequence[int], batches: Sequence[int]) -> Iterator[Row]:
    expected = references(subject, sides)
    for precision in POLICIES:
        compiled = device.compiler(time_transformer(subject, precision))
        for side in sides:
            for batch in batches:
                pixels = np.repeat(picture("cat", side)[None], batch, 0)
                row = Row(subject.name, side, batch, precision)
                with fitting():
                    row = painted(device, compiled, pixels, subject.vector, expected[side], row)
                yield row


@contextmanager
def fitting() -> Iterator[None]:
    """Ends quietly what needs more memory than there is."""
    try:
        yield
    except Exception as error:
        if not any(words in str(error) for words in OUT_OF_MEMORY):
            raise


def painted(
    device: Device,
    compiled: Callable[..., Program],
    pixels: np.ndarray,
    vector: np.ndarray,
    expected: np.ndarray,
    row: Row,
) -> Row:
    """The row, filled in. While one batch is painted, the next is on its way."""
    host = device.pinned(pixels)
    vectors, photos = device.sent(device.pinned(np.repeat(vector, len(pixels), 0))), device.sent(host)
    program, seconds = compiled(photos, vectors), []
    device.wait(program.run(photos, vectors))
    for _ in range(ROUNDS):
        start = time.perf_counter()
        pastiches = program.run(photos, vectors)
        photos = device.sent(host)
        device.wait(pastiches)
        seconds.append(time.perf_counter() - start)
    peak = program.peak()
    with np.errstate(divide="ignore"):  # the very same picture is infinitely close
        decibels = psnr(ops.convert_to_numpy(ops.cast(pastiches, "float32")), expected)
    return row._replace(images=len(pixels) / median(seconds), peak=peak, decibels=decibels)


def cells(row: Row, alone: float | None, possible: float) -> str:
    """`alone`: images a second, one by one in float32. `possible`: those that the product's rate would allow."""
    head = f"{row.weights} | {row.side} | {row.batch} | {row.precision}"
    if row.images is None:
        return f"{head} | out of memory | - | - | - | -"
    ratio = f"{row.images / alone:.2f}" if alone else "-"
    memory = f"{row.peak / 1e9:.2f}" if row.peak is not None else "-"
    return f"{head} | {row.images:.4g} | {ratio} | {row.images / possible:.1%} | {memory} | {row.decibels:.1f}"


def report(found: Iterable[Row], architectures: Mapping[str, Architecture], rates: Mapping[str, float]) -> str:
    """The table, precisions of the same work one below the other."""
    alone: dict[tuple[str, int], float | None] = {}
    told: list[tuple[Row, str]] = []
    for row in found:
        if (row.batch, row.precision) == (1, "float32"):
            alone[row.weights, row.side] = row.images
        work = operations(architectures[row.weights], row.side, row.side)
        told.append((row, cells(row, alone.get((row.weights, row.side)), rates[row.precision] / work)))
        print(told[-1][1], file=sys.stderr, flush=True)
    names = list(architectures)
    told.sort(key=lambda pair: (names.index(pair[0].weights), pair[0].side, pair[0].batch))
    return f"{table(HEAD, [text for _, text in told])}\n\n{quality([row for row, _ in told])}"


def quality(found: Sequence[Row]) -> str:
    far = sorted({f"{r.precision} with {r.weights}" for r in found if r.images is not None and not r.decibels >= WORTH})
    return f"Below {WORTH:.0f} dB: {', '.join(far)}." if far else f"Every row is at {WORTH:.0f} dB or more."


def measured(
    device: Device, subjects: Sequence[Subject], sides: Sequence[int], batches: Sequence[int], product: int
) -> str:
    rates = {precision: product_rate(device, precision, product) for precision in POLICIES}
    found = (row for subject in subjects for row in rows(device, subject, sides, batches))
    told = ", ".join(f"{rate / 1e12:.3g} in {precision}" for precision, rate in rates.items())
    return f"""{HEADING}

{device.gpu or "The processor"}, under Keras's {keras.backend.backend()}. The product of two {product} x {product}
matrices runs at, in million million operations a second: {told}. float32 may multiply in TF32, as the backends have it
by default. Photos are sent as bytes while the batch before is painted; pastiches stay on the device.

{report(found, {subject.name: subject.architecture for subject in subjects}, rates)}"""


def section(sides: Sequence[int] = (), *, cpu: bool = False) -> str:
    device = BACKENDS[keras.backend.backend()]()
    if device.gpu:
        return measured(device, [shipped(), full_size()], sides or SIDES, BATCHES, PRODUCT_SIDE)
    if cpu:
        return measured(device, [shipped(), full_size()], sides or SMALL_SIDES, SMALL_BATCHES, SMALL_PRODUCT_SIDE)
    return f"{HEADING}\n\n{NOBODY}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sides", type=int, nargs="*", help=f"in pixels; left out: {SIDES}")
    parser.add_argument("--cpu", action="store_true", help="measure the processor where there is no GPU")
    args = parser.parse_args()
    print(section(args.sides, cpu=args.cpu))


if __name__ == "__main__":
    main()
