"""What became of it, for people and for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from model.transfer import Pastiche, Report

SUMMARY = "{output}: {width} x {height} pixels, {seconds} s, weights {weights}"


def of_pastiche(photo: Path, output: Path, made: Pastiche) -> dict[str, Any]:
    height, width = made.picture.rgb.shape[:2]
    return of_file(photo, output, Report(width, height, made.weights, made.seconds, made.recipe, made.notes))


def of_file(photo: Path, output: Path, made: Report) -> dict[str, Any]:
    return {
        "photo": str(photo),
        "output": str(output),
        "width": made.width,
        "height": made.height,
        "seconds": round(made.seconds, 2),
        "weights": made.weights,
        "recipe": made.recipe,
        "notes": made.notes,
    }


def show(found: dict[str, Any], as_json: bool) -> None:
    """One line, and what did not go as it was asked for on stderr; or all of it in JSON."""
    if as_json:
        print(json.dumps(found), flush=True)
        return
    print(SUMMARY.format(**found))
    say(found["notes"])


def say(notes: Iterable[str], of: str = "") -> None:
    """On stderr, past a bar that is there."""
    for note in notes:
        tqdm.write(f"note: {of}{note}", file=sys.stderr)


def checklist(rows: Iterable[tuple[bool, str, str | None]]) -> int:
    """One line a row, its remedy below it; 1 if any row is bad."""
    status = 0
    for good, text, remedy in rows:
        print(f"{'ok   ' if good else 'FAULT'}  {text}")
        if remedy:
            print(f"       -> {remedy}")
        status |= not good
    return status
