"""Pictures of 100 megapixels: memory, time and exactness, in one run.

    python -m bench.big                     everything; writes docs/big.md
    python -m bench.big --megapixels 25     a smaller large one, for a quick look; writes nothing

Time and memory are of `python -m model stylize` as a user types it, memory as `/usr/bin/time -v` says it: the most that
was resident. Exactness is that of the bands against the render in one piece, and of the cheaper way against the exact
one: statistics from a smaller copy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from PIL import Image
from skimage import data

from bench._measure import ROOT, machine, on_the_processor
from bench._published import full_weights
from model.imaging import pixel_ops
from model.imaging.pixel_ops import psnr
from model.inference.folding import NormParams
from model.inference.magenta import Magenta, load
from model.inference.statistics import ChannelAffine, ChannelStatistics
from model.inference.tiling import renderer
from model.weights import registry

SMALL = 4.0  # megapixels
REPEATS = 3  # of the small one, whose time is the median
PHOTOS = {"coffee": data.coffee, "cat": data.chelsea, "portrait": data.astronaut}
SHARP = {"coffee": data.coffee, "portrait": data.astronaut, "galaxies": data.hubble_deep_field}  # at their own size
EXACT_SIZE = (2000, 3000)


class Run(NamedTuple):
    seconds: list[float]  # of each photo, without the program's start
    rss: int  # bytes


def photo(path: Path, megapixels: float) -> tuple[int, int]:
    """A photo of three by two with grain, so that it is sharp at every size, as JPEG; its (width, height)."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    size = round(1.5 * height), height
    picture = np.asarray(Image.fromarray(data.coffee()).resize(size, Image.Resampling.BICUBIC)).copy()
    grain = np.random.default_rng(0).normal(0, 12, (256, size[0], 3))
    for top in range(0, height, 256):
        rows = picture[top : top + 256]
        rows[:] = (rows + grain[: len(rows)]).clip(0, 255)
    Image.fromarray(picture).save(path, quality=92)
    return size


def stylize(photos: Path, painting: Path, output: Path, side: int, pieces: str = "auto") -> Run:
    """In a process of its own, whose memory the system tells when it ends."""
    command = [sys.executable, "-m", "bench._peak", sys.executable, "-m", "model", "stylize", photos, painting]
    command += ["-o", output, "--size", side, "--tiles", pieces, "--json"]
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{command} failed")
    *reports, peak = map(json.loads, done.stdout.splitlines())
    return Run([report["seconds"] for report in reports], peak["rss"])


def through_the_shell(megapixels: float) -> list[str]:
    """Rows of the table: four megapixels, and so many, as PNG and as JPEG."""
    rows = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        painting = Path(folder) / "painting.png"
        Image.fromarray(data.immunohistochemistry()).save(painting)
        several = Path(folder) / "several"
        several.mkdir()
        for number in range(REPEATS + 1):
            small = photo(several / f"{number}.jpg", SMALL)
        for pieces, kind in ("never", "PNG, in one piece"), ("auto", "PNG"):
            run = stylize(several, painting, Path(folder) / kind, max(small), pieces)
            rows.append(row(small, kind, statistics.median(run.seconds[1:]), run.rss))  # the first warms up
        large = photo(Path(folder) / "large.jpg", megapixels)
        for kind in "png", "jpg":
            run = stylize(Path(folder) / "large.jpg", painting, Path(folder) / f"result.{kind}", max(large))
            rows.append(row(large, kind.upper(), run.seconds[0], run.rss))
    return rows


def row(size: tuple[int, int], kind: str, seconds: float, rss: int) -> str:
    pixels = size[0] * size[1] / 1e6
    cells = f"{size[0]} x {size[1]}", kind, f"{seconds:.1f}", f"{seconds / pixels:.2f}", f"{rss / 1e9:.2f}"
    line = f"| {' | '.join(cells)} |"
    print(line, flush=True)
    return line


def in_bands(network: Magenta, content: np.ndarray, vector: np.ndarray) -> np.ndarray:
    pastiche = np.empty_like(content)

    def put(top: int, rows: np.ndarray) -> None:
        pastiche[top : top + len(rows)] = rows

    renderer.render(network, content, vector, put)
    return pastiche


def against_the_whole() -> list[str]:
    """Of both networks, each in the way that it chose on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        networks = load(registry.SHIPPED_MAGENTA), load(full_weights(Path(folder)))
    vectors = [network.embed(data.immunohistochemistry() / np.float32(255)) for network in networks]
    rows = []
    for name, read in PHOTOS.items():
        content = pixel_ops.resize(read() / np.float32(255), EXACT_SIZE)
        pairs = zip(networks, vectors, strict=True)
        found = [psnr(in_bands(network, content, vector), network.render(content, vector)) for network, vector in pairs]
        rows.append(f"| {name} | {' | '.join(f'{decibels:.0f} dB' for decibels in found)} |")
        print(rows[-1], flush=True)
    return rows


@contextmanager
def statistics_of_the_first(norms: int) -> Iterator[None]:
    """Of the renders in here, each with so many normalisations, all take those of the first."""
    numbers, affines, exact = count(), [], ChannelAffine.from_statistics

    def of(norm: NormParams, parts: Sequence[ChannelStatistics]) -> ChannelAffine:
        number = next(numbers)
        if number < norms:
            affines.append(exact(norm, parts))
        return affines[number % norms]

    with patch.object(ChannelAffine, "from_statistics", of):
        yield


def from_smaller_copies() -> list[str]:
    """What statistics of a half and of a quarter cost, against the exact ones, at full size."""
    network, rows = load(registry.SHIPPED_MAGENTA), []
    vector = network.embed(data.immunohistochemistry() / np.float32(255))
    for name, read in SHARP.items():
        content = read() / np.float32(255)
        exact, found = in_bands(network, content, vector), []
        for part in 2, 4:
            with statistics_of_the_first(len(network.norm_params(vector))):
                in_bands(network, pixel_ops.resize(content, tuple(side // part for side in content.shape[:2])), vector)
                found.append(psnr(in_bands(network, content, vector), exact))
        rows.append(f"| {name}, {content.shape[1]} x {content.shape[0]} | {found[0]:.1f} dB | {found[1]:.1f} dB |")
        print(rows[-1], flush=True)
    return rows


PAGE = """# Large pictures

A picture of 100 megapixels prints a metre wide. In one piece, the network that ships would need 28 GB for it, and the
published one 58; in bands it needs less than 2, and paints the same picture up to rounding.

## Memory and time

`python -m model stylize large.jpg painting.png -o result.png --size …`, on {machine}.
Seconds are those of reading, painting and writing; starting Python and TensorFlow takes some more, once. Memory is the
most that was resident, as `/usr/bin/time -v` tells it, of the whole program. From {tiled_from:.1f} megapixels on,
pictures are painted in bands; below, in one piece, which is quicker and takes more memory. `--tiles` decides it
otherwise.

| result | file | seconds | seconds a megapixel | GB of memory |
|---|---|---|---|---|
{shell}

## The same pixels

The network normalises every feature map by its mean and deviation over the whole picture. A tile that is painted
with its own statistics has its own colours, and a seam shows. So here the network runs layer by layer: each pass goes
over the whole picture in bands of rows up to the next statistics, and the feature maps wait on disk. A band takes
as many more rows as the kernels reach, so that nothing at all is different where two bands meet. Those maps that would
be the largest are not kept, but computed anew in each of three passes.

Against the render in one piece, at 3000 x 2000:

| photo | the weights that ship | the published network's size, random weights |
|---|---|---|
{exact}

What is left is rounding, most of it that of the render in one piece: there TensorFlow adds up millions of numbers of
single precision one after the other, and its variances are off by up to a hundredth, where the bands' sums are exact to
six digits; and where the processor multiplies in bfloat16, both round to that in places of their own.

## Why not the statistics of a smaller copy

That would be one pass rather than sixteen, and no disk. But a smaller copy has other textures, and the network looks
at textures. Against exact statistics, on photos that are sharp at their own size, with those of copies half and a
quarter as wide:

| photo | a half | a quarter |
|---|---|---|
{copies}

Such a picture has another contrast, and other colours, than its own preview; 40 dB is where that would no longer show.

## What it takes

- Disk for a while, 32 bytes a pixel with the weights that ship: 3.2 GB for 100 megapixels; 64 with the published
  network. It lies in TMPDIR, or in /var/tmp; if there is too little room, that is said before the start.
- Time in proportion to the pixels. `--dry-run` tells both beforehand.

Made by `python -m bench.big`.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=100.0)
    parser.add_argument("--only", choices=["shell", "exact", "copies"])
    args = parser.parse_args()
    on_the_processor()
    parts = {
        "shell": lambda: through_the_shell(args.megapixels),
        "exact": against_the_whole,
        "copies": from_smaller_copies,
    }
    found = {name: "\n".join(part()) for name, part in parts.items() if args.only in (None, name)}
    if args.only is None and args.megapixels == 100:
        (ROOT / "docs" / "big.md").write_text(
            PAGE.format(machine=machine(), tiled_from=renderer.TILING_THRESHOLD / 1e6, **found), "utf-8"
        )


if __name__ == "__main__":
    main()
