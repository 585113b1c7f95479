"""python -m model refine"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from model.cli import files, flags, reports
from model.cli.quiet import load_tensorflow
from model.cli.stopping import stopped_gently
from model.errors import InvalidOption
from model.film import Film
from model.images import encode
from model.options import START_WORDS, RefineOptions
from model.progress import Cancelled, Step
from model.refine import refine
from model.transfer import Pastiche

FILMS: dict[str, Literal["gif", "webp"]] = {".gif": "gif", ".webp": "webp"}


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = "Defaults are those of the preset 'balanced'; others have their own."
    parser.add_argument("photo", type=Path, help="a picture")
    parser.add_argument("painting", type=Path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .png, .jpg, .webp or .tif")
    parser.add_argument("--film", type=Path, help="a .webp or .gif that shows the steps")
    flags.add_mask(parser)
    flags.add(parser, RefineOptions, format=files.BY_NAME, start="Or a picture's path. Default: pastiche.")
    flags.add_model(parser)
    flags.add_json(parser, "a photo")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Stopped from the keyboard, it keeps the best picture so far; stopped again, none."""
    options, start = _options(args)
    film = Film() if args.film else None
    load_tensorflow()
    pastiche = _refined(args, options, start, film)
    files.write(args.output, encode(pastiche.picture, options.format, options.quality, pastiche.recipe))
    if film:
        files.write(args.film, film.encode(FILMS[args.film.suffix.lower()]))
    reports.show(reports.of_pastiche(args.photo, args.output, pastiche), args.json)
    return 0


def _options(args: argparse.Namespace) -> tuple[RefineOptions, str | None]:
    """And the picture to begin with, where a path stands in the place of one of the option's words."""
    given = flags.given(args, RefineOptions)
    start = given.get("start")
    if start not in (None, *START_WORDS):
        del given["start"]
    else:
        start = None
    _check_paths(args)
    return RefineOptions.parse({"format": files.picture_kind(args.output)} | given), start


def _check_paths(args: argparse.Namespace) -> None:
    if args.photo.is_dir():
        raise InvalidOption(f"photo must be a picture; '{args.photo}' is a folder.", "photo")
    files.picture_kind(args.output)
    inputs = [args.photo, *args.painting, *args.mask]
    if args.film:
        files.kind(args.film, FILMS, "--film")
        files.check_overwrites(args.film, [*inputs, args.output], "--film")
    files.check_overwrites(args.output, inputs)
    flags.check_masks(args.mask)


def _refined(args: argparse.Namespace, options: RefineOptions, start: str | None, film: Film | None) -> Pastiche:
    with tqdm(total=options.steps, unit="step", disable=args.json) as bar, stopped_gently() as stopped:

        def on_step(step: Step) -> None:
            bar.set_postfix({name: f"{loss:.3g}" for name, loss in step.losses.items()}, refresh=False)
            bar.update(step.step - bar.n)
            if film:
                film.add(step)
            if stopped.is_set():
                raise Cancelled

        return refine(args.photo, args.painting, options, start, on_step, args.model, masks=args.mask)
