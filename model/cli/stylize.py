"""python -m model stylize: paint a photo, or a folder of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from tqdm import tqdm

from model.cli import arguments, console
from model.cli.runtime import load_tensorflow
from model.errors import InvalidOption, StyleTransferError
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.image_files import read_bytes
from model.options import Format, StylizeOptions
from model.pipelines.stylization import read_style, stylize_file
from model.style_file import StyleFile

PHOTO_SUFFIXES = {*arguments.FORMAT_BY_SUFFIX, ".gif", ".avif", ".heic", ".heif"}  # of photos in a folder
PER_PHOTO_OPTIONS = ("mask", "print", "size")  # errors in these may concern one photo of a folder only

PhotoResult: TypeAlias = tuple[str, dict[str, Any]]  # the line and the JSON report to print
PhotoTask: TypeAlias = Callable[[Path, Path], PhotoResult]  # called with a photo and its output


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="a picture, or a folder of pictures")
    parser.add_argument("painting", type=arguments.style_path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help=f"{arguments.OUTPUT_HELP}, or a folder")
    arguments.add_mask(parser)
    arguments.add_options(parser, StylizeOptions, format=arguments.FORMAT_DEFAULT_HELP)
    arguments.add_model(parser)
    arguments.add_json(parser, "a photo")
    parser.add_argument("--dry-run", action="store_true", help="only say how long it will take, and how much memory")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    options = _parse_options(args)
    jobs = list(_pair_outputs(args.photo, args.output, options.format))
    load_tensorflow()
    styles = [read_bytes(painting, field="style") for painting in args.painting]
    read = [read_style(style) for style in styles]  # raises once, not for every photo
    imported = any(isinstance(style, StyleFile) and style.is_imported for style in read)
    if args.dry_run:
        return _run_tasks(args, jobs, lambda photo, output: _forecast_photo(args, options, imported, photo, output))
    return _run_tasks(args, jobs, lambda photo, output: _stylize_photo(args, options, styles, imported, photo, output))


def _parse_options(args: argparse.Namespace) -> StylizeOptions:
    """Parse the options; the format follows the output's suffix unless --format is given."""
    _check_paths(args)
    format: Format = "png" if args.photo.is_dir() else arguments.picture_format(args.output)
    options = StylizeOptions.parse({"format": format} | arguments.given_options(args, StylizeOptions))
    options.blend_weights(len(args.painting))
    options.resolve_regions(len(args.mask), len(args.painting))
    return options


def _check_paths(args: argparse.Namespace) -> None:
    if args.photo.is_dir():
        _check_folder(args.output)
    arguments.check_overwrites(args.output, [args.photo, *args.painting, *args.mask])
    arguments.check_masks(args.mask)


def _check_folder(output: Path) -> None:
    """Raise InvalidOption for an output that is a file or named like one: out.png is hardly meant as a folder."""
    if output.is_dir() or not (output.is_file() or output.suffix.lower() in PHOTO_SUFFIXES):
        return
    problem = "is a file" if output.is_file() else "is named as a picture"
    raise InvalidOption(f"-o, --output must be a folder, as the photo is one; '{output}' {problem}.", "output")


def _pair_outputs(photo: Path, output: Path, format: Format) -> Iterator[tuple[Path, Path]]:
    """Yield each photo with its output; photos that differ only in their suffix keep it in the name."""
    if not photo.is_dir():
        yield photo, output
        return
    photos = sorted(path for path in photo.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES)
    if not photos:
        raise InvalidOption(f"There is no picture in the folder '{photo}'.", "photo")
    stems = [path.stem for path in photos]
    for path in photos:
        name = path.stem if stems.count(path.stem) == 1 else path.name
        yield path, output / f"{name}{OUTPUT_FORMATS[format].suffixes[0]}"


def _run_tasks(args: argparse.Namespace, jobs: list[tuple[Path, Path]], work: PhotoTask) -> int:
    """Run a task for each photo, and return the exit status; a photo that fails does not stop the others."""
    failed = []
    for photo, output in tqdm(jobs, unit="photo", disable=len(jobs) == 1 or args.json or args.dry_run):
        try:
            line, report = work(photo, output)
        except (StyleTransferError, OSError) as error:
            if isinstance(error, InvalidOption) and not (args.photo.is_dir() and error.field in PER_PHOTO_OPTIONS):
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


def _forecast_photo(
    args: argparse.Namespace, options: StylizeOptions, imported: bool, photo: Path, output: Path
) -> PhotoResult:
    forecast = console.forecast_photo(photo, options, len(args.mask), args.model, imported)
    line = f"{output}: {forecast.width} x {forecast.height} pixels, {console.describe_forecast(forecast)}"
    return line, {"photo": str(photo), "output": str(output)} | asdict(forecast)


def _stylize_photo(
    args: argparse.Namespace,
    options: StylizeOptions,
    styles: list[bytes],
    imported: bool,
    photo: Path,
    output: Path,
) -> PhotoResult:
    is_large = console.is_large(photo, options)
    if is_large and not args.json:
        forecast = console.forecast_photo(photo, options, len(args.mask), args.model, imported)
        tqdm.write(f"{output}: {console.describe_forecast(forecast)}", file=sys.stderr)
    output.parent.mkdir(parents=True, exist_ok=True)
    with console.progress_bar(disable=args.json) as on_step:
        result = stylize_file(photo, styles, output, options, args.model, on_step if is_large else None, args.mask)
    if not args.json:
        console.print_notes(result.notes, f"{photo}: " if args.photo.is_dir() else "")
    report = console.file_report(photo, output, result)
    return console.PASTICHE_SUMMARY.format(**report), report
