"""Train the networks of the gallery's styles, one after another, and make them those that ship.

    STYLE_MODEL_DIR=WEIGHTS python -m training.gallery --photos DATA/content --out runs/gallery [--styles flow mosaic]
    python -m training.gallery --out runs/gallery --export

The judge is VGG19: put its weights where STYLE_MODEL_DIR says. A run that is started again goes on where it was; styles
that are done are left alone. Each leaves <style>.npz, a log, a plot and a sheet of photos.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from docs.paintings import PAINTINGS
from model.finetuning.training import StyleTraining
from model.imaging import image_files
from model.inference import magenta
from model.networks.style_network import StyleNetwork
from model.options import TrainOptions
from model.pipelines import gallery as shipped_gallery
from model.pipelines.recipe_builder import pixels_sha256
from model.weights import style_networks
from model.weights.registry import SHIPPED_MAGENTA
from training.checkpoints import Checkpoints
from training.data import centre_crop, load_pictures, to_array
from training.export import record_sha256
from training.sheet import contact_sheet

JUDGE = "vgg19"
SHEET_PHOTOS, SHEET_SIDE = 6, 512


@dataclass(frozen=True)
class Recipe:
    """How a style is trained: the painting's long side in pixels, the weights of losses, and how many paintings of it.

    The paintings are made by code, each from another seed.
    """

    content_weight: float = 1.1
    flat_weight: float = 10.0
    side: int = 512
    seeds: int = 3


# By looking: patterns of large parts are shown smaller, so that the judge sees whole ones.
SMALLER = ("cubes", "gilt", "jungle", "neon", "papercut", "stained_glass", "tapestry", "vase")
RECIPES = {name: Recipe(side=448) for name in SMALLER}


def paintings(name: str, recipe: Recipe) -> list[np.ndarray]:
    """Paint the style anew, once for each seed, (H, W, 3) in 0..1."""
    painting, size = PAINTINGS[name], (recipe.side, round(recipe.side * 0.8))
    return [to_array(painting(size, painting.seed + 1000 * index)) for index in range(recipe.seeds)]


def read_start(folder: Path | None, name: str) -> StyleNetwork | None:
    """Read the style's network in `folder`, where there is one."""
    path = folder / f"{name}.npz" if folder else None
    return style_networks.decode(path.read_bytes()).network if path and path.exists() else None


def train(name: str, photos: list[Image.Image], args: argparse.Namespace) -> None:
    """Train one style's network until its budget is spent."""
    recipe = RECIPES.get(name, Recipe())
    weights = {"content_weight": recipe.content_weight, "flat_weight": recipe.flat_weight}
    options = TrainOptions(steps=args.steps, seconds="unlimited", **weights)
    folder = args.out / name
    shared, start = magenta.load(SHIPPED_MAGENTA), read_start(args.start, name)
    training = StyleTraining(shared, paintings(name, recipe), photos, options, JUDGE, folder, start)
    crops = [centre_crop(photo, SHEET_SIDE) for photo in photos[:SHEET_PHOTOS]]

    def report() -> None:
        (folder / f"{name}.npz").write_bytes(training.encode(name))
        rows = [[crop, training.paint(crop)] for crop in crops]
        contact_sheet(rows, ["photo", name], SHEET_SIDE).save(folder / "sheet.jpg", quality=90)

    training.run(Checkpoints(training.session, args.checkpoint, report))
    (folder / f"{name}.npz").replace(args.out / f"{name}.npz")
    training.session.path.unlink()


def export(folder: Path) -> None:
    """Make the networks of `folder` those that ship, each listed by the pixels of its painting."""
    target = style_networks.SHIPPED_FOLDER
    target.mkdir(exist_ok=True)
    names = json.loads(style_networks.SHIPPED_INDEX.read_text()) if style_networks.SHIPPED_INDEX.exists() else {}
    for path in sorted(folder.glob("*.npz")):
        style_networks.decode(path.read_bytes())
        (target / path.name).write_bytes(path.read_bytes())
        record_sha256(target / path.name)
        names[pixels_sha256(image_files.read(shipped_gallery.painting_path(path.stem)).rgb)] = path.name
    known = {digest: name for digest, name in names.items() if (target / name).exists()}
    text = json.dumps(dict(sorted(known.items(), key=lambda item: item[1])), indent=1)
    style_networks.SHIPPED_INDEX.write_text(f"{text}\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder of .jpg files to learn on")
    parser.add_argument("--out", type=Path, required=True, help="for each style a folder, and at last its network")
    parser.add_argument("--start", type=Path, help="folder of networks that are to be trained on")
    parser.add_argument("--styles", nargs="+", default=list(PAINTINGS), choices=list(PAINTINGS))
    parser.add_argument("--steps", type=int, default=450)
    parser.add_argument("--checkpoint", type=float, default=180, help="seconds between checkpoints")
    parser.add_argument("--export", action="store_true", help="make the networks of --out those that ship")
    args = parser.parse_args()
    if args.export:
        export(args.out)
        return
    if args.photos is None:
        parser.error("a training needs --photos")
    photos = load_pictures(args.photos)
    for name in args.styles:
        if not (args.out / f"{name}.npz").exists():
            keras.utils.set_random_seed(0)
            train(name, photos, args)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
