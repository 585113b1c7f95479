"""How much a still scene flickers once it is painted: with smoothing, and frame by frame.

    python -m bench.flicker

Photos that come inside scikit-image, with seeded noise that is another in every frame. Flicker is the mean absolute
difference from frame to frame, over that of the noise itself. The rest of docs/clips.md's numbers: seconds for a frame,
and how much of a moving bar's trail is left, as the error against the frame painted alone, where the bar was during
the last four frames and where it never was.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from skimage import data

from model.imaging import image_files, pixel_ops
from model.inference.magenta import Magenta, load
from model.options import ClipOptions
from model.pipelines.clips import FramePainter
from model.pipelines.compositing import StyleLayer
from model.pipelines.style_mixing import StylePoint
from model.weights import registry

SIGMAS = (0.01, 0.02, 0.05)
SMOOTHS = (0.0, 0.5, 0.8, 1.0)
STYLE = "static/styles/flow.jpg"


def photos(width: int) -> dict[str, np.ndarray]:
    found = {"astronaut": data.astronaut(), "coffee": data.coffee(), "chelsea": data.chelsea()}
    return {name: pixel_ops.resize(photo / np.float32(255), (width * 3 // 4, width)) for name, photo in found.items()}


def noisy(photo: np.ndarray, sigma: float, frames: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(photo + rng.normal(0, sigma, photo.shape)).clip(0, 1).astype("float32") for _ in range(frames)]


def painted(network: Magenta, vector: np.ndarray, smooth: float, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    layer = StyleLayer(((StylePoint(vector), 1.0),), 1.0)
    painter = FramePainter(network, layer, ClipOptions(smooth=smooth), np.zeros(0, "float32"))
    done = []
    for frame in frames:
        painter.observe(frame)
        done.append(painter.paint())
    return done


def change(frames: Sequence[np.ndarray]) -> float:
    return float(np.mean([np.abs(one - other).mean() for one, other in pairwise(frames)]))


def flicker_table(network: Magenta, vector: np.ndarray, width: int, count: int) -> None:
    print(f"| photo | noise | {' | '.join(f'smooth {smooth:g}' for smooth in SMOOTHS)} | 0.8 over frame by frame |")
    print("|---|---|" + "---|" * (len(SMOOTHS) + 1))
    for name, photo in photos(width).items():
        for sigma in SIGMAS:
            frames = noisy(photo, sigma, count)
            ratios = [change(painted(network, vector, smooth, frames)) / change(frames) for smooth in SMOOTHS]
            cells = " | ".join(f"{ratio:.3f}" for ratio in ratios)
            print(f"| {name} | {sigma} | {cells} | {ratios[2] / ratios[0]:.2f} |")


def trail_table(network: Magenta, vector: np.ndarray, width: int) -> None:
    print("\n| photo | error behind the bar | error elsewhere |\n|---|---|---|")
    for name, photo in photos(width).items():
        frames = noisy(photo, 0.02, 8)
        for index, frame in enumerate(frames):
            frame[width // 5 : width // 2, 10 * index : 10 * index + 20] = 0.95
        last, alone = painted(network, vector, 0.8, frames)[-1], network.render(frames[-1], vector)
        error = np.abs(last - alone)
        behind, elsewhere = error[width // 5 : width // 2, 30:70], error[width // 5 : width // 2, 110:150]
        print(f"| {name} | {behind.mean():.3f} | {elsewhere.mean():.3f} |")


def seconds_table(network: Magenta, vector: np.ndarray) -> None:
    print("\n| frame | frame by frame, s | smooth, s |\n|---|---|---|")
    for width in (320, 640):
        frames = noisy(photos(width)["coffee"], 0.02, 5)
        times = []
        for smooth in (0.0, 0.8):
            painted(network, vector, smooth, frames[:1])
            start = time.perf_counter()
            painted(network, vector, smooth, frames)
            times.append((time.perf_counter() - start) / len(frames))
        print(f"| {width} x {width * 3 // 4} | {times[0]:.2f} | {times[1]:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=160, help="pixels")
    parser.add_argument("--frames", type=int, default=12)
    args = parser.parse_args()
    network = load(registry.SHIPPED_MAGENTA)
    vector = network.embed(image_files.read(STYLE).rgb)
    flicker_table(network, vector, args.width, args.frames)
    trail_table(network, vector, args.width)
    seconds_table(network, vector)


if __name__ == "__main__":
    main()
