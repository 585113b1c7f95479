"""What a large picture will take, before it is begun."""

from __future__ import annotations

from pathlib import Path

from model import images
from model.cli.times import duration
from model.forecast import Forecast, forecast
from model.options import StylizeOptions

LARGE = 3_000_000  # pixels; what has fewer takes no longer than a few seconds


def of_photo(photo: Path, options: StylizeOptions, masks: int, model_path: str | None) -> Forecast:
    return forecast(*images.peek(photo), options, masks, model_path)


def is_large(photo: Path, options: StylizeOptions) -> bool:
    width, height = options.result_size(*images.peek(photo))
    return width * height >= LARGE


def words(found: Forecast) -> str:
    """As in "about 2 min 10 s, 1.1 GB of memory, 4.8 GB of disk, painted in pieces"."""
    parts = [f"{_gb(found.memory)} of memory"]
    if found.seconds is not None:
        parts.insert(0, f"about {duration(found.seconds)}")
    if found.disk:
        parts.append(f"{_gb(found.disk)} of disk")
    if found.tiled:
        parts.append("painted in pieces")
    return ", ".join(parts)


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 50_000_000 else f"{size / 1e6:.0f} MB"
