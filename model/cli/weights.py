"""python -m model weights: list, fetch, import or verify the networks' weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.cli.console import print_checklist
from model.weights import registry


def add(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    actions.add_parser("list", help="all known weights and where they are").set_defaults(run=list_weights)
    fetch = actions.add_parser("fetch", help="download some")
    fetch.add_argument("name", choices=registry.ENTRIES)
    fetch.set_defaults(run=fetch_weights)
    take = actions.add_parser("import", help="take a file you have into the cache")
    take.add_argument("path", type=Path)
    take.add_argument("name", nargs="?", choices=registry.ENTRIES, default=registry.OFFICIAL)
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
    print(registry.import_file(args.path, args.name))
    return 0


def verify_weights(args: argparse.Namespace) -> int:
    statuses = [registry.verify(name) for name in args.name] or [s for s in registry.statuses() if s.path]
    return print_checklist(
        (status.ok, f"{status.name}: {status.problem or status.path}", registry.remedy(status)) for status in statuses
    )
