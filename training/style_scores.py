"""Score networks of styles against the arbitrary network, on photos that no network here was trained on.

    python -m training.style_scores --photos DATA/eval/content --vgg VGG19.weights.h5 --vgg16 VGG16.npz --out scores
        [--networks FOLDER] [--paintings FOLDER] [--styles flow mosaic] [--count 5]

The networks are those that ship, or the files <style>.npz and <style>.style.json of a folder; the paintings the
gallery's, or the pictures of a folder. What has been scored is kept in scores.json and only scored again where a
network has changed.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from docs.paintings import PAINTINGS
from model.finetuning.precision import fastest_policy
from model.inference import magenta
from model.networks.style_network import StyleNetwork
from model.style_file import SUFFIX, StyleFile
from model.weights import style_networks
from model.weights.registry import SHIPPED_MAGENTA
from training.data import fit, load_pictures, to_array
from training.scores import Pair, Score, VGG16Judge, VGG19Judge, table
from training.sheet import contact_sheet

SIDE = 384  # pixels, long side of photos and paintings
PAINTERS = ("shared network", "own network")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--vgg", required=True)
    parser.add_argument("--vgg16", type=Path, required=True)
    parser.add_argument("--networks", type=Path, default=style_networks.SHIPPED_FOLDER)
    parser.add_argument("--paintings", type=Path, help="left out: the gallery's")
    parser.add_argument("--styles", nargs="+", help="left out: all")
    parser.add_argument("--count", type=int, help="only the first so many photos")
    parser.add_argument("--out", type=Path, required=True, help="folder for scores.md and sheets")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    dtype = fastest_policy().removeprefix("mixed_")
    judges = VGG19Judge(args.vgg, dtype), VGG16Judge(args.vgg16, dtype)
    photos = [fit(photo, long=SIDE) for photo in load_pictures(args.photos)[: args.count]]
    path = args.out / "scores.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    networks = network_paths(args.networks)
    for name in tqdm([name for name in networks if name in (args.styles or networks)], unit="style"):
        network = read_network(networks[name])
        if known.get(name, {}).get("sha256") != network.sha256:
            scores, rows = score_style(paint_or_read(name, args.paintings), network, photos, judges)
            known[name] = {"sha256": network.sha256} | {key: list(map(asdict, row)) for key, row in scores.items()}
            contact_sheet(rows, ["photo", *PAINTERS], SIDE).save(args.out / f"{name}.jpg", quality=90)
            path.write_text(json.dumps(known))
    text = table(named_rows(known))
    (args.out / "scores.md").write_text(text + "\n")
    print(text)


def network_paths(folder: Path) -> dict[str, Path]:
    """Return the files of networks in `folder` by their styles' names."""
    return {path.name.split(".")[0]: path for suffix in (".npz", SUFFIX) for path in sorted(folder.glob(f"*{suffix}"))}


def read_network(path: Path) -> StyleNetwork:
    """Read a network from its own file or from a style file."""
    data = path.read_bytes()
    held = StyleFile.from_bytes(data).network if path.name.endswith(SUFFIX) else data
    if held is None:
        raise SystemExit(f"{path} holds no network")
    return style_networks.decode(held).network


def paint_or_read(name: str, folder: Path | None) -> Image.Image:
    """Return the gallery's painting of that name, or the picture in `folder`."""
    return PAINTINGS[name]() if folder is None else Image.open(next(folder.glob(f"{name}.*"))).convert("RGB")


def score_style(
    painting: Image.Image, network: StyleNetwork, photos: list[np.ndarray], judges: tuple[VGG19Judge, VGG16Judge]
) -> tuple[dict[str, list[Score]], list[list[np.ndarray]]]:
    """Return the scores of each of PAINTERS on the photos, and rows of pictures for a sheet."""
    shared = magenta.load(SHIPPED_MAGENTA)
    vector, seen = shared.embed(to_array(painting)), fit(painting, long=SIDE)
    networks = (shared, shared.mixed_with([(network, 1.0)]))
    scores: dict[str, list[Score]] = {painter: [] for painter in PAINTERS}
    rows = []
    for photo in photos:
        pair = Pair(judges, photo, seen)
        pastiches = [each.render(photo, vector) for each in networks]
        for painter, pastiche in zip(PAINTERS, pastiches, strict=True):
            scores[painter].append(pair.score(pastiche))
        rows.append([photo, *pastiches])
    return scores, rows


def named_rows(known: dict[str, dict]) -> dict[str, list[Score]]:
    """Return the rows of the table: each style by both painters, then the means over all."""
    rows = {
        f"{name}, {painter}": [Score(**score) for score in about[painter]]
        for name, about in sorted(known.items())
        for painter in PAINTERS
    }
    means = {
        f"mean, {painter}": [score for name, row in rows.items() if name.endswith(painter) for score in row]
        for painter in PAINTERS
    }
    return rows | means


if __name__ == "__main__":
    main()
