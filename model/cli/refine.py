"""python -m model refine: optimise a pastiche step by step."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from model.cli import arguments, console
from model.cli.runtime import graceful_interrupt, load_tensorflow
from model.errors import InvalidOption
from model.imaging import image_files
from model.imaging.image_files import encode
from model.options import START_WORDS, RefineOptions
from model.pipelines.refine import refine
from model.pipelines.stylization import Pastiche
from model.progress import Cancelled, Step
from model.video.film import Film

FILM_FORMATS: dict[str, Literal["gif", "webp"]] = {".gif": "gif", ".webp": "webp"}


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = "Defaults are those of the preset 'balanced'; others have their own."
    parser.add_argument("photo", type=Path, help="a picture")
    parser.add_argument("painting", type=arguments.style_path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help=arguments.OUTPUT_HELP)
    parser.add_argument("--film", type=Path, help="a .webp or .gif that shows the steps")
    arguments.add_mask(parser)
    arguments.add_options(
        parser, RefineOptions, format=arguments.FORMAT_DEFAULT_HELP, start="Or a picture's path. Default: pastiche."
    )
    arguments.add_model(parser)
    arguments.add_json(parser, "a photo")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Refine; Control-C keeps the best picture so far, and a second one none."""
    options, start = _parse_options(args)
    film = Film() if args.film else None
    load_tensorflow()
    pastiche = _run_refinement(args, options, start, film)
    image_files.write_bytes(args.output, encode(pastiche.picture, options.format, options.quality, pastiche.recipe))
    if film:
        image_files.write_bytes(args.film, film.encode(FILM_FORMATS[args.film.suffix.lower()]))
    console.print_report(console.pastiche_report(args.photo, args.output, pastiche), args.json)
    return 0


def _parse_options(args: argparse.Namespace) -> tuple[RefineOptions, str | None]:
    """Return the options, and the path of the picture to begin with where one was given instead of a word."""
    given = arguments.given_options(args, RefineOptions)
    start = given.get("start")
    if start not in (None, *START_WORDS):
        del given["start"]
    else:
        start = None
    _check_paths(args)
    return RefineOptions.parse({"format": arguments.picture_format(args.output)} | given), start


def _check_paths(args: argparse.Namespace) -> None:
    if args.photo.is_dir():
        raise InvalidOption(f"photo must be a picture; '{args.photo}' is a folder.", "photo")
    arguments.picture_format(args.output)
    inputs = [args.photo, *args.painting, *args.mask]
    if args.film:
        arguments.output_format(args.film, FILM_FORMATS, "--film")
        arguments.check_overwrites(args.film, [*inputs, args.output], "--film")
    arguments.check_overwrites(args.output, inputs)
    arguments.check_masks(args.mask)


def _run_refinement(args: argparse.Namespace, options: RefineOptions, start: str | None, film: Film | None) -> Pastiche:
    with tqdm(total=options.steps, unit="step", disable=args.json) as bar, graceful_interrupt() as stopped:

        def on_step(step: Step) -> None:
            bar.set_postfix({name: f"{loss:.3g}" for name, loss in step.losses.items()}, refresh=False)
            bar.update(step.step - bar.n)
            if film:
                film.add(step)
            if stopped.is_set():
                raise Cancelled

        return refine(args.photo, args.painting, options, start, on_step, args.model, masks=args.mask)
