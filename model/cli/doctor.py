"""python -m model doctor"""

from __future__ import annotations

import argparse

from model import doctor
from model.cli.quiet import hushed
from model.cli.reports import checklist


def add(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with hushed():
        findings = doctor.examine()
    return checklist((found.state != "fault", f"{found.subject}: {found.text}", found.fix) for found in findings)
