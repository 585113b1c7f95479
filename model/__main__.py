"""The command line: python -m model stylize | weights | doctor. Options, limits and help come from options.py."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from model import Pastiche, StyleTransferError, StylizeOptions, doctor, settings, style_vector, stylize, weights
from model.device import device
from model.errors import InvalidOption
from model.images import encode

FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
PICTURES = {*FORMATS, ".gif", ".avif", ".heic", ".heif"}  # what a folder of photos is searched for


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all done, 1 something failed and was reported, 2 the command itself is wrong."""
    settings.quieten_tensorflow()
    args = _parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except StyleTransferError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InvalidOption) else 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model", description="Paint photos in the style of paintings.")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_stylize(commands.add_parser("stylize", help="paint a photo, or a folder of them"))
    _add_weights(commands.add_parser("weights", help="the networks' weights on this machine"))
    checkup = commands.add_parser("doctor", help="check this machine and say how to mend what is wrong")
    checkup.set_defaults(run=_doctor)
    return parser


def _add_stylize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="a picture, or a folder of pictures")
    parser.add_argument("painting", type=Path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .png, .jpg or .webp, or a folder")
    for name, field in StylizeOptions.model_fields.items():
        kind = "N,N,…" if name == "weights" else name.upper()
        default = "" if field.default is None else f" Default: {field.default}."
        parser.add_argument(f"--{name}", metavar=kind, help=f"{field.description}{default}")
    parser.add_argument("--model", help="weights: their name, a .npz, an official SavedModel or its archive")
    parser.add_argument("--json", action="store_true", help="print one JSON object a photo, for scripts")
    parser.set_defaults(run=_stylize)


def _add_weights(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    actions.add_parser("list", help="all known weights and where they are").set_defaults(run=_list)
    fetch = actions.add_parser("fetch", help="download some")
    fetch.add_argument("name", choices=weights.TABLE)
    fetch.set_defaults(run=_fetch)
    take = actions.add_parser("import", help="take a file you have into the cache")
    take.add_argument("path", type=Path)
    take.add_argument("name", nargs="?", choices=weights.TABLE, default=weights.OFFICIAL)
    take.set_defaults(run=_import)
    verify = actions.add_parser("verify", help="read the files anew and compare their hashes")
    verify.add_argument("name", nargs="*", help="left out: all that are here")
    verify.set_defaults(run=_verify)


def _stylize(args: argparse.Namespace) -> int:
    options = _options(args)
    options.blend_weights(len(args.painting))
    jobs = list(_jobs(args.photo, args.output, options.format))
    with _hushed():
        device()  # loads TensorFlow
    styles = [style_vector(painting, args.model) for painting in args.painting]
    failed = []
    for photo, output in tqdm(jobs, unit="photo", disable=len(jobs) == 1 or args.json):
        try:
            pastiche = stylize(photo, styles, options, args.model)
            _write(output, encode(pastiche.picture, options.format, options.quality))
        except InvalidOption:
            raise  # wrong for every photo alike
        except (StyleTransferError, OSError) as error:
            failed.append(f"{photo}: {error}")
            report: dict[str, Any] = {"photo": str(photo), "error": str(error)}
        else:
            report = _report(photo, output, pastiche)
        if args.json:
            print(json.dumps(report), flush=True)
        elif len(jobs) == 1 and "error" not in report:
            print("{output}: {width} x {height} pixels, {seconds} s, weights {weights}".format(**report))
    for line in failed if not args.json else []:
        print(f"error: {line}", file=sys.stderr)
    return 1 if failed else 0


@contextmanager
def _hushed() -> Iterator[None]:
    """Without what native code says on stderr: TensorFlow greets, and reports a missing GPU as an error."""
    sys.stderr.flush()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


def _options(args: argparse.Namespace) -> StylizeOptions:
    """What was typed; the kind of file follows the output's name unless --format says otherwise."""
    typed = {name: getattr(args, name) for name in StylizeOptions.model_fields}
    given = {name: value for name, value in typed.items() if value is not None}
    suffix = args.output.suffix.lower()
    if not args.photo.is_dir() and suffix not in FORMATS:
        raise InvalidOption(f"--output must end in {', '.join(FORMATS)}, not '{args.output.name}'.", "output")
    if args.photo.is_dir() and args.output.is_file():
        raise InvalidOption(f"--output must be a folder, as the photo is one; '{args.output}' is a file.", "output")
    if args.output.resolve() in {path.resolve() for path in (args.photo, *args.painting)}:
        raise InvalidOption(f"--output would overwrite '{args.output}': name another.", "output")
    return StylizeOptions.parse({"format": FORMATS.get(suffix, "png")} | given)


def _jobs(photo: Path, output: Path, format: str) -> Iterator[tuple[Path, Path]]:
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
        yield path, output / f"{name}.{'jpg' if format == 'jpeg' else format}"


def _write(path: Path, data: bytes) -> None:
    """The whole file or nothing: a full disk must not leave half a picture under a good name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _report(photo: Path, output: Path, pastiche: Pastiche) -> dict[str, Any]:
    height, width = pastiche.picture.rgb.shape[:2]
    return {
        "photo": str(photo),
        "output": str(output),
        "width": width,
        "height": height,
        "seconds": round(pastiche.seconds, 2),
        "weights": pastiche.weights,
        "recipe": pastiche.recipe,
    }


def _list(args: argparse.Namespace) -> int:
    for status in weights.statuses():
        entry = weights.TABLE[status.name]
        here = f"{status.where}: {status.path}" if status.path else "not on this machine"
        print(f"{entry.name}  ({entry.licence})  {entry.about}\n    {here}")
    return 0


def _fetch(args: argparse.Namespace) -> int:
    print(weights.fetch(args.name, progress=True))
    return 0


def _import(args: argparse.Namespace) -> int:
    print(weights.import_file(args.path, args.name))
    return 0


def _verify(args: argparse.Namespace) -> int:
    statuses = [weights.verify(name) for name in args.name] or [s for s in weights.statuses() if s.path]
    return _print_all(
        (status.ok, f"{status.name}: {status.problem or status.path}", weights.fix(status)) for status in statuses
    )


def _doctor(args: argparse.Namespace) -> int:
    with _hushed():
        findings = doctor.examine()
    return _print_all((f.state != "fault", f"{f.subject}: {f.text}", f.fix) for f in findings)


def _print_all(rows: Iterable[tuple[bool, str, str | None]]) -> int:
    """One line a row, its remedy below it; 1 if any row is bad."""
    status = 0
    for good, text, remedy in rows:
        print(f"{'ok   ' if good else 'FAULT'}  {text}")
        if remedy:
            print(f"       -> {remedy}")
        status |= not good
    return status


if __name__ == "__main__":
    sys.exit(main())
