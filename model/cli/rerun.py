"""python -m model rerun: a pastiche made again, from the recipe that it carries."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from model import recipe
from model.cli import files, flags, reports, times
from model.cli.quiet import load_tensorflow
from model.errors import InvalidOption
from model.images import encode
from model.progress import OnStep
from model.recipe import Recipe


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = "With the same weights on the same machine it has the same pixels."
    parser.add_argument("picture", type=Path, help="a pastiche that was made here")
    parser.add_argument("photo", type=Path, nargs="?", help="the photo it was made of, or another one")
    parser.add_argument("painting", type=Path, nargs="*", help="where they are at hand; else the recipe's own numbers")
    parser.add_argument("-o", "--output", type=Path, help="left out: beside the picture, as in out-again.png")
    parser.add_argument("--show", action="store_true", help="only print the recipe, as JSON")
    parser.add_argument("--start", metavar="PICTURE", help="what a refinement began with, where that was a picture")
    flags.add_mask(parser)
    flags.add_model(parser)
    flags.add_json(parser, "a photo")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    flags.check_masks(args.mask)
    found = recipe.extract(args.picture)
    if args.show:
        print(json.dumps(found.told(), indent=2, ensure_ascii=False))
        return 0
    if args.photo is None:
        raise InvalidOption("photo: name the photo too, or only look at the recipe with --show.", "photo")
    output = args.output or args.picture.with_stem(f"{args.picture.stem}-again")
    files.check_overwrites(output, [args.picture, args.photo, *args.painting, *args.mask])
    load_tensorflow()
    with times.bar(disable=args.json) as on_step:
        paint = _painted if found.method == "magenta" else _refined
        report = paint(args, found, output, on_step)
    reports.show(report, args.json)
    return 0


def _painted(args: argparse.Namespace, found: Recipe, output: Path, on_step: OnStep | None) -> dict[str, Any]:
    given = args.photo, output, files.picture_kind(output), args.painting, args.mask, args.model
    return reports.of_file(args.photo, output, recipe.rerun_file(found, *given, on_step))


def _refined(args: argparse.Namespace, found: Recipe, output: Path, on_step: OnStep | None) -> dict[str, Any]:
    format, quality = files.picture_kind(output), recipe.options(found).quality
    made = recipe.rerun(found, args.photo, args.painting, args.mask, args.model, on_step, args.start)
    files.write(output, encode(made.picture, format, quality, made.recipe))
    return reports.of_pastiche(args.photo, output, made)
