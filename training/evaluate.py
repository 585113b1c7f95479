"""Score pastiches of pairs that no network here was trained on.

    python -m training.evaluate --data DATA/eval --vgg VGG19.weights.h5 --vgg16 VGG16.npz --out scores \\
        [--lite LITE] [WEIGHTS or FOLDER ...]

Photos are paired with paintings in sorted order. Besides weights, folders of others' pastiches can be scored: one PNG
for each photo, of its name. Style loss: the relative error of the pastiche's Gram matrices to the painting's, mean over
relu1_1 ... relu5_1 of VGG19, and once more of VGG16, which judged no training; content loss: that of VGG19's relu4_2 to
the photo's. LPIPS and SSIM are to the photo. Energy in flat regions: mean gradient length of luma where the photo is
flattest. All are means over the pairs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from tqdm import tqdm

from model.finetuning.precision import fastest_policy
from model.networks.architecture import Architecture
from model.networks.layers import assign_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.weights.npz import read_weights
from model.weights.registry import SHIPPED_MAGENTA
from training.data import fit, load_pictures, to_array
from training.distill import load_teacher
from training.scores import Pair, Score, VGG16Judge, VGG19Judge, table
from training.sheet import contact_sheet

PREDICTOR_SIDE = 256  # pixels, short side of the painting as every predictor sees it
Stylizer = Callable[[np.ndarray, np.ndarray], np.ndarray]  # content, style at the predictor's scale -> pastiche
Painter = Callable[[str, np.ndarray, np.ndarray], np.ndarray]  # the same for a photo of that name


def stylizer(predictor: keras.Model, transformer: keras.Model) -> Stylizer:
    """Join both networks."""

    def stylize(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        vector = ops.convert_to_numpy(predictor(style[None], training=False))
        pastiche = ops.convert_to_numpy(transformer([content[None], vector], training=False))
        return pastiche[0, : content.shape[0], : content.shape[1]]

    return stylize


def load(path: Path) -> Stylizer:
    """Load the networks of a .npz or of an official SavedModel."""
    return stylizer(*build(*read_weights(path)))


def build(architecture: Architecture, arrays: dict[str, np.ndarray]) -> tuple[keras.Model, keras.Model]:
    """Build the predictor and the transformer with these arrays."""
    predictor, transformer = build_predictor(architecture), build_transformer(architecture)
    assign_arrays(predictor, arrays)
    assign_arrays(transformer, arrays)
    return predictor, transformer


def painted(stylize: Stylizer) -> Painter:
    """Let a network paint, whatever the photo's name."""
    return lambda name, photo, painting: stylize(photo, painting)


def hung(folder: Path) -> Painter:
    """Take the pastiches from a folder of PNGs; one of another size is fitted to its photo."""

    def look_up(name: str, photo: np.ndarray, painting: np.ndarray) -> np.ndarray:
        height, width, _ = photo.shape
        with Image.open(folder / f"{name}.png") as picture:
            return to_array(picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))

    return look_up


def painters(paths: list[Path], lite: Path | None) -> dict[str, Painter]:
    """Name who is scored: the photo itself, Lite where it is at hand, then weights and folders as given."""
    rows: dict[str, Painter] = {"the photo": lambda name, photo, painting: photo}
    if lite is not None:
        rows["Magenta Lite"] = painted(stylizer(*load_teacher(lite)))
    for path in paths:
        rows[path.stem] = hung(path) if _is_gallery(path) else painted(load(path))
    return rows


def _is_gallery(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.png"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "paths", type=Path, nargs="*", help=".npz files, SavedModels, folders of PNGs; left out: the weights that ship"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with content/ and style/")
    parser.add_argument("--lite", type=Path, help="folder of the mobile network's .npz arrays")
    parser.add_argument("--vgg", required=True, help="VGG19 .weights.h5 without its top, or 'imagenet'")
    parser.add_argument("--vgg16", type=Path, required=True, help="torchvision's VGG16 and LPIPS's layers, .npz")
    parser.add_argument("--size", type=int, default=384, help="long side of photos and paintings in pixels")
    parser.add_argument("--pairs", type=int, help="only the first so many")
    parser.add_argument("--out", type=Path, required=True, help="folder for scores.md and sheet.jpg")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    dtype = fastest_policy().removeprefix("mixed_")
    judges = VGG19Judge(args.vgg, dtype), VGG16Judge(args.vgg16, dtype)
    rows = painters(args.paths or [SHIPPED_MAGENTA], args.lite)
    names = [path.stem for path in sorted((args.data / "content").glob("*.jpg"))]
    pairs = list(zip(names, *(load_pictures(args.data / kind) for kind in ("content", "style")), strict=True))
    scores: dict[str, list[Score]] = {name: [] for name in rows}
    pictures = []
    for name, photo, painting in tqdm(pairs[: args.pairs], "scoring", unit="pair"):
        content, style = fit(photo, long=args.size), fit(painting, long=args.size)
        seen = fit(painting, short=PREDICTOR_SIDE)
        pastiches = {title: paint(name, content, seen) for title, paint in rows.items()}
        pair = Pair(judges, content, style)
        for title, pastiche in pastiches.items():
            scores[title].append(pair.score(pastiche))
        pictures.append([style, *pastiches.values()])
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "scores.md").write_text(table(scores) + "\n")
    contact_sheet(pictures, ["painting", *rows], args.size).save(args.out / "sheet.jpg", quality=92)
    print(table(scores))


if __name__ == "__main__":
    main()
