"""python -m model stylize: a photo, or a folder of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from tqdm import tqdm

from model.cli import files, flags, forecasts, reports, times
from model.cli.quiet import load_tensorflow
from model.errors import InvalidOption, StyleTransferError
from model.images import contents
from model.options import Format, StylizeOptions
from model.transfer import read_style, stylize_file

PICTURES = {*files.FORMATS, ".gif", ".avif", ".heic", ".heif"}  # what a folder of photos is searched for
OF_ONE_PHOTO = ("mask", "print", "size")  # options that may fit one photo and not the next

Done: TypeAlias = tuple[str, dict[str, Any]]  # one line, and the whole report
Work: TypeAlias = Callable[[Path, Path], Done]  # of a photo and its output


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="a picture, or a folder of pictures")
    parser.add_argument("painting", type=Path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .png, .jpg, .webp or .tif, or a folder")
    flags.add_mask(parser)
    flags.add(parser, StylizeOptions, format=files.BY_NAME)
    flags.add_model(parser)
    flags.add_json(parser, "a photo")
    parser.add_argument("--dry-run", action="store_true", help="only say how long it will take, and how much memory")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    options = _options(args)
    jobs = list(_jobs(args.photo, args.output, options.format))
    load_tensorflow()
    if args.dry_run:
        return _each(args, jobs, lambda photo, output: _forecast(args, options, photo, output))
    styles = [contents(painting, field="style") for painting in args.painting]
    for style in styles:
        read_style(style)  # told once, not for every photo
    return _each(args, jobs, lambda photo, output: _painted(args, options, styles, photo, output))


def _options(args: argparse.Namespace) -> StylizeOptions:
    """What was typed; the kind of file follows the output's name unless --format says otherwise."""
    _check_paths(args)
    kind: Format = "png" if args.photo.is_dir() else files.picture_kind(args.output)
    options = StylizeOptions.parse({"format": kind} | flags.given(args, StylizeOptions))
    options.blend_weights(len(args.painting))
    options.regions(len(args.mask), len(args.painting))
    return options


def _check_paths(args: argparse.Namespace) -> None:
    if args.photo.is_dir():
        _check_folder(args.output)
    files.check_overwrites(args.output, [args.photo, *args.painting, *args.mask])
    flags.check_masks(args.mask)


def _check_folder(output: Path) -> None:
    """A folder called out.png is nobody's wish, unless it is there already."""
    if output.is_dir() or not (output.is_file() or output.suffix.lower() in PICTURES):
        return
    problem = "is a file" if output.is_file() else "is named as a picture"
    raise InvalidOption(f"-o, --output must be a folder, as the photo is one; '{output}' {problem}.", "output")


def _jobs(photo: Path, output: Path, format: Format) -> Iterator[tuple[Path, Path]]:
    """Each photo with the file its pastiche goes to. Photos that differ in their suffix alone keep it in the name."""
    if not photo.is_dir():
        yield photo, output
        return
    photos = sorted(path for path in photo.iterdir() if path.suffix.lower() in PICTURES)
    if not photos:
        raise InvalidOption(f"There is no picture in the folder '{photo}'.", "photo")
    stems = [path.stem for path in photos]
    for path in photos:
        name = path.stem if stems.count(path.stem) == 1 else path.name
        yield path, output / f"{name}{files.SUFFIXES[format]}"


def _each(args: argparse.Namespace, jobs: list[tuple[Path, Path]], work: Work) -> int:
    """One photo that cannot be painted does not stop the others of its folder."""
    failed = []
    for photo, output in tqdm(jobs, unit="photo", disable=len(jobs) == 1 or args.json or args.dry_run):
        try:
            line, report = work(photo, output)
        except (StyleTransferError, OSError) as error:
            if isinstance(error, InvalidOption) and not (args.photo.is_dir() and error.field in OF_ONE_PHOTO):
                raise  # wrong for every photo alike
            failed.append(f"{photo}: {error}")
            line, report = None, {"photo": str(photo), "error": str(error)}
        if args.json:
            print(json.dumps(report), flush=True)
        elif line and (args.dry_run or len(jobs) == 1):
            print(line)
    for problem in failed if not args.json else []:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if failed else 0


def _forecast(args: argparse.Namespace, options: StylizeOptions, photo: Path, output: Path) -> Done:
    found = forecasts.of_photo(photo, options, len(args.mask), args.model)
    line = f"{output}: {found.width} x {found.height} pixels, {forecasts.words(found)}"
    return line, {"photo": str(photo), "output": str(output)} | asdict(found)


def _painted(args: argparse.Namespace, options: StylizeOptions, styles: list[bytes], photo: Path, output: Path) -> Done:
    large = forecasts.is_large(photo, options)
    if large and not args.json:
        found = forecasts.of_photo(photo, options, len(args.mask), args.model)
        tqdm.write(f"{output}: {forecasts.words(found)}", file=sys.stderr)
    output.parent.mkdir(parents=True, exist_ok=True)
    with times.bar(disable=args.json) as on_step:
        made = stylize_file(photo, styles, output, options, args.model, on_step if large else None, args.mask)
    if not args.json:
        reports.say(made.notes, f"{photo}: " if args.photo.is_dir() else "")
    report = reports.of_file(photo, output, made)
    return reports.SUMMARY.format(**report), report
