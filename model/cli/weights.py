"""python -m model weights list | fetch | import | verify"""

from __future__ import annotations

import argparse
from pathlib import Path

from model import weights
from model.cli.reports import checklist


def add(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    actions.add_parser("list", help="all known weights and where they are").set_defaults(run=show)
    fetch = actions.add_parser("fetch", help="download some")
    fetch.add_argument("name", choices=weights.TABLE)
    fetch.set_defaults(run=download)
    take = actions.add_parser("import", help="take a file you have into the cache")
    take.add_argument("path", type=Path)
    take.add_argument("name", nargs="?", choices=weights.TABLE, default=weights.OFFICIAL)
    take.set_defaults(run=take_in)
    check = actions.add_parser("verify", help="read the files anew and compare their hashes")
    check.add_argument("name", nargs="*", help="left out: all that are here")
    check.set_defaults(run=verify)


def show(args: argparse.Namespace) -> int:
    for status in weights.statuses():
        entry = weights.TABLE[status.name]
        here = f"{status.where}: {status.path}" if status.path else "not on this machine"
        print(f"{entry.name}  ({entry.licence})  {entry.about}\n    {here}")
    return 0


def download(args: argparse.Namespace) -> int:
    print(weights.fetch(args.name, progress=True))
    return 0


def take_in(args: argparse.Namespace) -> int:
    print(weights.import_file(args.path, args.name))
    return 0


def verify(args: argparse.Namespace) -> int:
    statuses = [weights.verify(name) for name in args.name] or [s for s in weights.statuses() if s.path]
    return checklist(
        (status.ok, f"{status.name}: {status.problem or status.path}", weights.fix(status)) for status in statuses
    )
