"""The command line: python -m model stylize | refine | vector | weights | doctor. Options are options.py's."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Literal, TypeVar

from tqdm import tqdm

from model import (
    Pastiche,
    RefineOptions,
    StyleTransferError,
    StylizeOptions,
    doctor,
    refine,
    settings,
    style_vector,
    stylize,
    weights,
)
from model.device import device
from model.errors import InvalidOption
from model.film import Film
from model.images import encode
from model.options import START_WORDS
from model.progress import Cancelled, Step
from model.transfer import style_file
from model.vectors import SUFFIX

SUMMARY = "{output}: {width} x {height} pixels, {seconds} s, weights {weights}"
FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
FILMS: dict[str, Literal["gif", "webp"]] = {".gif": "gif", ".webp": "webp"}
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
    _add_refine(
        commands.add_parser("refine", help="optimise a pastiche step by step: slower, and closer to the painting")
    )
    _add_vector(commands.add_parser("vector", help="keep a style as a small file, without the artwork"))
    _add_weights(commands.add_parser("weights", help="the networks' weights on this machine"))
    checkup = commands.add_parser("doctor", help="check this machine and say how to mend what is wrong")
    checkup.set_defaults(run=_doctor)
    return parser


def _add_stylize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="a picture, or a folder of pictures")
    parser.add_argument("painting", type=Path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .png, .jpg or .webp, or a folder")
    _add_options(parser, StylizeOptions)
    parser.set_defaults(run=_stylize)


def _add_refine(parser: argparse.ArgumentParser) -> None:
    parser.description = "Defaults are those of the preset 'balanced'; others have their own."
    parser.add_argument("photo", type=Path, help="a picture")
    parser.add_argument("painting", type=Path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .png, .jpg or .webp")
    parser.add_argument("--film", type=Path, help="a .webp or .gif that shows the steps")
    _add_options(parser, RefineOptions)
    parser.set_defaults(run=_refine)


def _add_options(parser: argparse.ArgumentParser, options: type[StylizeOptions | RefineOptions]) -> None:
    for name, field in options.model_fields.items():
        kind = "N,N,…" if name == "weights" else name.upper()
        also = " Or a picture's path." if name == "start" else ""
        default = "" if field.default is None else f" Default: {field.default}."
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, metavar=kind, help=f"{field.description}{also}{default}")
    parser.add_argument("--model", help="weights: their name, a .npz, an official SavedModel or its archive")
    parser.add_argument("--json", action="store_true", help="print one JSON object a photo, for scripts")


def _add_vector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("painting", type=Path, nargs="+", help="a picture; of several the average is kept")
    parser.add_argument("-o", "--output", type=Path, required=True, help=f"as in flow{SUFFIX}")
    parser.add_argument("--name", help="left out: the output's")
    parser.add_argument("--credit", default="", help="who made the artwork")
    parser.add_argument("--licence", default="", help="what may be done with it")
    parser.add_argument("--weights", metavar="N,N,…", help=StylizeOptions.model_fields["weights"].description)
    parser.add_argument("--model", help="weights: their name, a .npz, an official SavedModel or its archive")
    parser.set_defaults(run=_vector)


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
    options = _options(args, StylizeOptions)
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
            print(SUMMARY.format(**report))
    for line in failed if not args.json else []:
        print(f"error: {line}", file=sys.stderr)
    return 1 if failed else 0


def _refine(args: argparse.Namespace) -> int:
    """Stopped from the keyboard, it keeps the best picture so far; stopped again, none."""
    start = None if args.start in (None, *START_WORDS) else args.start
    args.start = None if start else args.start
    options = _options(args, RefineOptions)
    film = Film() if args.film else None
    with _hushed():
        device()  # loads TensorFlow
    with tqdm(total=options.steps, unit="step", disable=args.json) as bar, _stopped_gently() as stopped:

        def on_step(step: Step) -> None:
            bar.set_postfix({name: f"{loss:.3g}" for name, loss in step.losses.items()}, refresh=False)
            bar.update(step.step - bar.n)
            if film:
                film.add(step)
            if stopped.is_set():
                raise Cancelled

        pastiche = refine(args.photo, args.painting, options, start, on_step, args.model)
    _write(args.output, encode(pastiche.picture, options.format, options.quality))
    if film:
        _write(args.film, film.encode(FILMS[args.film.suffix.lower()]))
    report = _report(args.photo, args.output, pastiche)
    print(json.dumps(report | {"notes": pastiche.notes}) if args.json else SUMMARY.format(**report))
    for note in pastiche.notes if not args.json else []:
        print(f"note: {note}", file=sys.stderr)
    return 0


@contextmanager
def _stopped_gently() -> Iterator[Event]:
    """Control-C sets the event; a second one interrupts as ever."""
    stopped = Event()

    def stop(number: int, frame: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _vector(args: argparse.Namespace) -> int:
    options = StylizeOptions.parse({"weights": args.weights} if args.weights else {})
    shares = options.blend_weights(len(args.painting))
    with _hushed():
        device()
    about = {"name": args.name or args.output.name.split(".")[0], "credit": args.credit, "licence": args.licence}
    file = style_file(args.painting, shares, args.model, **about)
    _write(args.output, file.to_bytes())
    print(f"{args.output}: {file.vector.size} numbers of the weights {file.weights}")
    return 0


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


Options = TypeVar("Options", StylizeOptions, RefineOptions)


def _options(args: argparse.Namespace, options: type[Options]) -> Options:
    """What was typed; the kind of file follows the output's name unless --format says otherwise."""
    typed = {name: getattr(args, name) for name in options.model_fields}
    given = {name: value for name, value in typed.items() if value is not None}
    _check_paths(args, folders=options is StylizeOptions)
    return options.parse({"format": FORMATS.get(args.output.suffix.lower(), "png")} | given)


def _check_paths(args: argparse.Namespace, folders: bool) -> None:
    """Raises InvalidOption for an output that would be of no kind, or would overwrite an input."""
    output, film, isdir = args.output, getattr(args, "film", None), args.photo.is_dir()
    if isdir and not folders:
        raise InvalidOption(f"photo must be a picture; '{args.photo}' is a folder.", "photo")
    if not isdir and output.suffix.lower() not in FORMATS:
        raise InvalidOption(f"--output must end in {', '.join(FORMATS)}, not '{output.name}'.", "output")
    if isdir and output.is_file():
        raise InvalidOption(f"--output must be a folder, as the photo is one; '{output}' is a file.", "output")
    if film and film.suffix.lower() not in FILMS:
        raise InvalidOption(f"--film must end in {', '.join(FILMS)}, not '{film.name}'.", "film")
    inputs = {path.resolve() for path in (args.photo, *args.painting)}
    if output.resolve() in inputs:
        raise InvalidOption(f"--output would overwrite '{output}': name another.", "output")
    if film and film.resolve() in {*inputs, output.resolve()}:
        raise InvalidOption(f"--film would overwrite '{film}': name another.", "film")


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
