"""Score the gallery's networks against the arbitrary network, on photos that no network here was trained on.

    python -m training.gallery_scores --photos DATA/eval/content --vgg VGG19.weights.h5 \\
        --vgg16 VGG16.npz --out scores [--networks FOLDER] [--styles flow mosaic]

What has been scored is kept in scores.json and only scored again where a network has changed.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from docs.paintings import PAINTINGS
from model.finetuning.precision import fastest_policy
from model.inference import magenta
from model.networks.style_network import StyleNetwork
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
    parser.add_argument("--styles", nargs="+", default=list(PAINTINGS))
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
    for name in tqdm([name for name in args.styles if (args.networks / f"{name}.npz").exists()], unit="style"):
        network = style_networks.decode((args.networks / f"{name}.npz").read_bytes()).network
        if known.get(name, {}).get("sha256") != network.sha256:
            scores, rows = score_style(name, network, photos, judges)
            known[name] = {"sha256": network.sha256} | {key: list(map(asdict, row)) for key, row in scores.items()}
            contact_sheet(rows, ["photo", *PAINTERS], SIDE).save(args.out / f"{name}.jpg", quality=90)
            path.write_text(json.dumps(known))
    text = table(named_rows(known))
    (args.out / "scores.md").write_text(text + "\n")
    print(text)


def score_style(
    name: str, network: StyleNetwork, photos: list[np.ndarray], judges: tuple[VGG19Judge, VGG16Judge]
) -> tuple[dict[str, list[Score]], list[list[np.ndarray]]]:
    """Return the scores of each of PAINTERS on the photos, and rows of pictures for a sheet."""
    shared = magenta.load(SHIPPED_MAGENTA)
    painting = PAINTINGS[name]()
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
