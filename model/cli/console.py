"""Output on the terminal: reports, notes, checklists, a progress bar, durations and forecasts."""

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
BAR_FORMAT = "{percentage:3.0f}%|{bar}| {elapsed}{postfix}"
FORECAST_PIXELS = 3_000_000  # of a result; smaller ones take a few seconds at most


def pastiche_report(photo: Path, output: Path, pastiche: Pastiche) -> dict[str, Any]:
    height, width = pastiche.picture.rgb.shape[:2]
    report = StylizeReport(width, height, pastiche.weights, pastiche.seconds, pastiche.recipe, pastiche.notes)
    return file_report(photo, output, report)


def file_report(photo: Path, output: Path, report: StylizeReport) -> dict[str, Any]:
    """Return the report as --json prints it."""
    return {
        "photo": str(photo),
        "output": str(output),
        "width": report.width,
        "height": report.height,
        "seconds": round(report.seconds, 2),
        "weights": report.weights,
        "recipe": report.recipe,
        "notes": report.notes,
    }


def print_report(report: dict[str, Any], as_json: bool) -> None:
    """Print a summary in one line, and the notes on stderr; or the whole report as JSON."""
    if as_json:
        print(json.dumps(report), flush=True)
        return
    print(PASTICHE_SUMMARY.format(**report))
    print_notes(report["notes"])


def print_notes(notes: Iterable[str], prefix: str = "") -> None:
    """Print notes on stderr without breaking a progress bar."""
    for note in notes:
        tqdm.write(f"note: {prefix}{note}", file=sys.stderr)


def print_checklist(rows: Iterable[tuple[bool, str, str | None]]) -> int:
    """Print each row, (good, text, remedy), and return the exit status: 1 if any row is bad."""
    status = 0
    for good, text, remedy in rows:
        print(f"{'ok   ' if good else 'FAULT'}  {text}")
        if remedy:
            print(f"       -> {remedy}")
        status |= not good
    return status


def format_duration(seconds: float) -> str:
    """Format seconds as "45 s", "2 min 10 s" or "1 h 5 min", no more exact than a forecast is."""
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
    """Show a bar on stderr from the first step on, with the time left; it is removed at the end."""
    with ExitStack() as stack:
        bar: tqdm[NoReturn] | None = None

        def on_step(step: Step) -> None:
            nonlocal bar
            if bar is None:
                bar = stack.enter_context(tqdm(disable=disable, leave=False, bar_format=BAR_FORMAT))
            bar.total, bar.n = step.steps, step.step
            if step.seconds_left is not None:
                bar.set_postfix_str(f"about {format_duration(step.seconds_left)} left", refresh=False)
            bar.refresh()

        yield on_step


def forecast_photo(
    photo: Path, options: StylizeOptions, masks: int, model_path: str | None, imported: bool = False
) -> Forecast:
    return estimate(*image_files.peek_size(photo), options, masks, model_path, imported)


def is_large(photo: Path, options: StylizeOptions) -> bool:
    """Tell whether a result takes long enough for a forecast and a progress bar."""
    width, height = options.result_size(*image_files.peek_size(photo))
    return width * height >= FORECAST_PIXELS


def describe_forecast(forecast: Forecast) -> str:
    """Describe a forecast, as in "about 2 min 10 s, 1.1 GB of memory, 4.8 GB of disk, painted in pieces"."""
    parts = [f"{_format_bytes(forecast.memory)} of memory"]
    if forecast.seconds is not None:
        parts.insert(0, f"about {format_duration(forecast.seconds)}")
    if forecast.disk:
        parts.append(f"{_format_bytes(forecast.disk)} of disk")
    if forecast.tiled:
        parts.append("painted in pieces")
    return ", ".join(parts)


def _format_bytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 50_000_000 else f"{size / 1e6:.0f} MB"
