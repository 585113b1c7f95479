"""python -m model sheet: many small pastiches of one photo, to choose from."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from model.cli import arguments, console
from model.cli.runtime import load_tensorflow
from model.imaging import image_files
from model.imaging.image_files import encode
from model.options import SheetOptions
from model.pipelines.contact_sheets import make_contact_sheet


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="a picture")
    parser.add_argument("painting", type=arguments.style_path, nargs="+", help="the styles, each in rows of its own")
    parser.add_argument("-o", "--output", type=Path, required=True, help=arguments.OUTPUT_HELP)
    arguments.add_options(parser, SheetOptions, format=arguments.FORMAT_DEFAULT_HELP)
    arguments.add_model(parser)
    arguments.add_json(parser, "with the place of each small picture")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    arguments.check_overwrites(args.output, [args.photo, *args.painting])
    options = SheetOptions.parse(
        {"format": arguments.picture_format(args.output)} | arguments.given_options(args, SheetOptions)
    )
    options.count_cells(len(args.painting))
    load_tensorflow()
    names = [_style_name(painting) for painting in args.painting]
    with console.progress_bar(disable=args.json) as on_step:
        sheet = make_contact_sheet(args.photo, args.painting, options, names, args.model, on_step)
    image_files.write_bytes(args.output, encode(sheet.picture, options.format, options.quality))
    height, width = sheet.picture.rgb.shape[:2]
    report = {"output": str(args.output), "width": width, "height": height, "seconds": round(sheet.seconds, 2)}
    if args.json:
        cells = [asdict(cell) for cell in sheet.cells]
        print(json.dumps({"photo": str(args.photo), **report, "weights": sheet.weights, "cells": cells}))
    else:
        print(f"{args.output}: {len(sheet.cells)} pictures, {round(sheet.seconds, 2)} s, weights {sheet.weights}")
    return 0


def _style_name(painting: Path) -> str:
    """Return the label of a painting; empty for a style file, which has a name of its own."""
    return "" if painting.suffix == ".json" else painting.stem.replace("_", " ")
