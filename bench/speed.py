"""Seconds for one pastiche, side by side in one run: ours against the ways in which others run the same weights.

    make bench                              the weights that ship
    python bench/speed.py --model FOLDER    an official SavedModel, against hub.load of it

"reloaded" is what the seed projects did: the model is loaded anew at each call. Medians; the style changes only there.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model import weights
from model.magenta import Magenta, load, predictor_input
from model.npz import read_weights


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    call()  # traces and warms up
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def contenders(path: Path, content: np.ndarray, style: np.ndarray) -> dict[str, Callable[[], object]]:
    """Each way's call; the first is ours."""
    network = load(path)
    vector = network.embed(style)

    def reloaded() -> np.ndarray:
        fresh = Magenta("fresh", *read_weights(path))
        return fresh.render(content, fresh.embed(style))

    ways = {"ours, style known": lambda: network.render(content, vector), "ours, reloaded each time": reloaded}
    if path.is_dir():
        import tensorflow as tf
        import tensorflow_hub as hub

        reference = hub.load(str(path))
        arrays = [tf.constant(array[None]) for array in (content, predictor_input(style))]
        ways["hub.load, the whole graph"] = lambda: reference(*arrays)[0].numpy()
    return ways


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=weights.SHIPPED, help=".npz, or an official SavedModel's folder")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024], help="sides in pixels")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    style = rng.random((256, 256, 3), dtype="float32")
    print(f"weights: {args.model.name}\n\n| way | side | seconds | times ours |\n|---|---|---|---|")
    for side in args.sizes:
        content = rng.random((side, side, 3), dtype="float32")
        ways = contenders(args.model, content, style)
        seconds = {name: median_seconds(call, args.repeats) for name, call in ways.items()}
        ours = next(iter(seconds.values()))
        for name, value in seconds.items():
            print(f"| {name} | {side} | {value:.3f} | {value / ours:.1f} |")


if __name__ == "__main__":
    main()
