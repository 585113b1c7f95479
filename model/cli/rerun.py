"""python -m model rerun: make a pastiche again, from the recipe that it carries."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from model.cli import arguments, console
from model.cli.runtime import load_tensorflow
from model.errors import InvalidOption
from model.imaging import image_files
from model.imaging.image_files import encode
from model.pipelines import recipes, rerun
from model.pipelines.recipes import Recipe
from model.progress import OnStep


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = "With the same weights on the same machine it has the same pixels."
    parser.add_argument("picture", type=Path, help="a pastiche that was made here")
    parser.add_argument("photo", type=Path, nargs="?", help="the photo it was made of, or another one")
    parser.add_argument("painting", type=Path, nargs="*", help="where they are at hand; else the recipe's own numbers")
    parser.add_argument("-o", "--output", type=Path, help="left out: beside the picture, as in out-again.png")
    parser.add_argument("--show", action="store_true", help="only print the recipe, as JSON")
    parser.add_argument("--start", metavar="PICTURE", help="what a refinement began with, where that was a picture")
    arguments.add_mask(parser)
    arguments.add_model(parser)
    arguments.add_json(parser, "a photo")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    arguments.check_masks(args.mask)
    recipe = recipes.extract(args.picture)
    if args.show:
        print(json.dumps(recipe.to_dict(), indent=2, ensure_ascii=False))
        return 0
    if args.photo is None:
        raise InvalidOption("photo: name the photo too, or only look at the recipe with --show.", "photo")
    output = args.output or args.picture.with_stem(f"{args.picture.stem}-again")
    arguments.check_overwrites(output, [args.picture, args.photo, *args.painting, *args.mask])
    load_tensorflow()
    with console.progress_bar(disable=args.json) as on_step:
        paint = _rerun_pastiche if recipe.method == "magenta" else _rerun_refinement
        report = paint(args, recipe, output, on_step)
    console.print_report(report, args.json)
    return 0


def _rerun_pastiche(args: argparse.Namespace, recipe: Recipe, output: Path, on_step: OnStep | None) -> dict[str, Any]:
    given = args.photo, output, arguments.picture_format(output), args.painting, args.mask, args.model
    return console.file_report(args.photo, output, rerun.rerun_file(recipe, *given, on_step))


def _rerun_refinement(args: argparse.Namespace, recipe: Recipe, output: Path, on_step: OnStep | None) -> dict[str, Any]:
    format, quality = arguments.picture_format(output), recipes.to_options(recipe).quality
    pastiche = rerun.rerun(recipe, args.photo, args.painting, args.mask, args.model, on_step, args.start)
    image_files.write_bytes(output, encode(pastiche.picture, format, quality, pastiche.recipe))
    return console.pastiche_report(args.photo, output, pastiche)
