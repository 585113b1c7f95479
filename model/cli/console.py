"""What became of it, for people and for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from model.imaging import image_files
from model.options import StylizeOptions
from model.pipelines.forecast import Forecast, estimate
from model.pipelines.stylization import Pastiche, StylizeReport
from model.progress import OnStep, Step

PASTICHE_SUMMARY = "{output}: {width} x {height} pixels, {seconds} s, weights {weights}"


def pastiche_report(photo: Path, output: Path, made: Pastiche) -> dict[str, Any]:
    height, width = made.picture.rgb.shape[:2]
    return file_report(photo, output, StylizeReport(width, height, made.weights, made.seconds, made.recipe, made.notes))


def file_report(photo: Path, output: Path, made: StylizeReport) -> dict[str, Any]:
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


def print_report(found: dict[str, Any], as_json: bool) -> None:
    """One line, and what did not go as it was asked for on stderr; or all of it in JSON."""
    if as_json:
        print(json.dumps(found), flush=True)
        return
    print(PASTICHE_SUMMARY.format(**found))
    print_notes(found["notes"])


def print_notes(notes: Iterable[str], of: str = "") -> None:
    """On stderr, past a bar that is there."""
    for note in notes:
        tqdm.write(f"note: {of}{note}", file=sys.stderr)


def print_checklist(rows: Iterable[tuple[bool, str, str | None]]) -> int:
    """One line a row, its remedy below it; 1 if any row is bad."""
    status = 0
    for good, text, remedy in rows:
        print(f"{'ok   ' if good else 'FAULT'}  {text}")
        if remedy:
            print(f"       -> {remedy}")
        status |= not good
    return status


BAR_FORMAT = "{percentage:3.0f}%|{bar}| {elapsed}{postfix}"


def format_duration(seconds: float) -> str:
    """ "45 s", "2 min 10 s" or "1 h 5 min": no more exact than a forecast can be."""
    if round(seconds) < 60:
        return f"{max(1, round(seconds))} s"
    tens = round(seconds / 10)
    if tens < 360:
        return _join_units(tens // 6, "min", tens % 6 * 10, "s")
    minutes = round(seconds / 60)
    return _join_units(minutes // 60, "h", minutes % 60, "min")


def _join_units(many: int, large: str, rest: int, small: str) -> str:
    return f"{many} {large} {rest} {small}" if rest else f"{many} {large}"


@contextmanager
def progress_bar(disable: bool = False) -> Iterator[OnStep]:
    """On stderr from the first step on, with the time that is left; gone once it is over."""
    with ExitStack() as stack:
        shown: list[tqdm[NoReturn]] = []

        def on_step(step: Step) -> None:
            if not shown:
                shown.append(stack.enter_context(tqdm(disable=disable, leave=False, bar_format=BAR_FORMAT)))
            shown[0].total, shown[0].n = step.steps, step.step
            if step.seconds_left is not None:
                shown[0].set_postfix_str(f"about {format_duration(step.seconds_left)} left", refresh=False)
            shown[0].refresh()

        yield on_step


LARGE_PIXELS = 3_000_000  # pixels; what has fewer takes no longer than a few seconds


def forecast_photo(photo: Path, options: StylizeOptions, masks: int, model_path: str | None) -> Forecast:
    return estimate(*image_files.peek_size(photo), options, masks, model_path)


def is_large(photo: Path, options: StylizeOptions) -> bool:
    width, height = options.result_size(*image_files.peek_size(photo))
    return width * height >= LARGE_PIXELS


def describe_forecast(found: Forecast) -> str:
    """As in "about 2 min 10 s, 1.1 GB of memory, 4.8 GB of disk, painted in pieces"."""
    parts = [f"{_format_bytes(found.memory)} of memory"]
    if found.seconds is not None:
        parts.insert(0, f"about {format_duration(found.seconds)}")
    if found.disk:
        parts.append(f"{_format_bytes(found.disk)} of disk")
    if found.tiled:
        parts.append("painted in pieces")
    return ", ".join(parts)


def _format_bytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 50_000_000 else f"{size / 1e6:.0f} MB"
