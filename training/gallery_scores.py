"""Score the gallery's networks against the arbitrary network, on photos that no network here was trained on.

    STYLE_MODEL_DIR=WEIGHTS python -m training.gallery_scores --photos DATA/eval/content --vgg VGG19.weights.h5 \\
        --vgg16 VGG16.npz --out scores [--networks FOLDER] [--styles flow mosaic]
"""

from __future__ import annotations

import argparse
from pathlib import Path

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


def read_network(path: Path) -> StyleNetwork:
    return style_networks.decode(path.read_bytes()).network


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    dtype = fastest_policy().removeprefix("mixed_")
    judges = VGG19Judge(args.vgg, dtype), VGG16Judge(args.vgg16, dtype)
    shared = magenta.load(SHIPPED_MAGENTA)
    photos = [fit(photo, long=SIDE) for photo in load_pictures(args.photos)[: args.count]]
    scores: dict[str, list[Score]] = {}
    for name in tqdm([name for name in args.styles if (args.networks / f"{name}.npz").exists()], unit="style"):
        painting = PAINTINGS[name]()
        vector = shared.embed(to_array(painting))
        own = shared.mixed_with([(read_network(args.networks / f"{name}.npz"), 1.0)])
        rows = []
        for photo in photos:
            pair = Pair(judges, photo, fit(painting, long=SIDE))
            pastiches = [network.render(photo, vector) for network in (shared, own)]
            for title, pastiche in zip(("shared", "own"), pastiches, strict=True):
                scores.setdefault(f"{name}, {title}", []).append(pair.score(pastiche))
            rows.append([photo, *pastiches])
        contact_sheet(rows, ["photo", "shared", name], SIDE).save(args.out / f"{name}.jpg", quality=90)
        (args.out / "scores.md").write_text(table(scores | means(scores)) + "\n")
    print(table(scores | means(scores)))


def means(scores: dict[str, list[Score]]) -> dict[str, list[Score]]:
    ends = ("shared", "own")
    return {f"mean, {end}": [s for name, row in scores.items() if name.endswith(end) for s in row] for end in ends}


if __name__ == "__main__":
    main()
