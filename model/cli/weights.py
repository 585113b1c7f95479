"""python -m model weights: list, fetch, import or verify the networks' weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.cli import arguments
from model.cli.console import print_checklist
from model.imaging import image_files
from model.pipelines.style_import import import_style
from model.style_file import SUFFIX
from model.weights import registry, torch_files


def add(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    actions.add_parser("list", help="all known weights and where they are").set_defaults(run=list_weights)
    fetch = actions.add_parser("fetch", help="download some")
    fetch.add_argument("name", choices=registry.ENTRIES)
    fetch.set_defaults(run=fetch_weights)
    take = actions.add_parser("import", help="take weights you have into the cache, or make a network a style")
    take.add_argument("path", type=Path, help="weights, or a network of PyTorch's fast neural style example: a .pth")
    take.add_argument("entry", nargs="?", choices=registry.ENTRIES, default=registry.OFFICIAL, help="which weights")
    take.add_argument("-o", "--output", type=Path, help=f"of a network; left out: its name with {SUFFIX}, here")
    take.add_argument("--name", default="", help="of the style; left out: the output's, or the network's")
    take.add_argument("--credit", default="", help="who trained the network")
    take.add_argument("--licence", default="", help="what may be done with it")
    take.set_defaults(run=import_weights)
    check = actions.add_parser("verify", help="read the files anew and compare their hashes")
    check.add_argument("name", nargs="*", help="left out: all that are here")
    check.set_defaults(run=verify_weights)


def list_weights(args: argparse.Namespace) -> int:
    for status in registry.statuses():
        entry = registry.ENTRIES[status.name]
        here = f"{status.where}: {status.path}" if status.path else "not on this machine"
        print(f"{entry.name}  ({entry.licence})  {entry.about}\n    {here}")
    return 0


def fetch_weights(args: argparse.Namespace) -> int:
    print(registry.fetch(args.name, progress=True))
    return 0


def import_weights(args: argparse.Namespace) -> int:
    if not torch_files.looks_like_torch(args.path):
        print(registry.import_file(args.path, args.entry))
        return 0
    output = args.output or Path(f"{args.path.stem}{SUFFIX}")
    arguments.check_overwrites(output, [args.path])
    name = args.name or output.name.split(".")[0]
    file = import_style(args.path, name=name, credit=args.credit, licence=args.licence)
    image_files.write_bytes(output, file.to_bytes())
    print(f"{output}: the style '{file.name}', which its own network paints")
    return 0


def verify_weights(args: argparse.Namespace) -> int:
    statuses = [registry.verify(name) for name in args.name] or [s for s in registry.statuses() if s.path]
    return print_checklist(
        (status.ok, f"{status.name}: {status.problem or status.path}", registry.remedy(status)) for status in statuses
    )
