"""How much memory is free, and how much a pastiche takes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from model.errors import ImageTooLarge

# Highest use seen for a pastiche above that for none: 478 with the weights that ship, 602 with v1-256.
BYTES_PER_PIXEL = 650


def total_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def free_bytes() -> int | None:
    """None where the system does not say."""
    table = Path("/proc/meminfo")
    match = re.search(r"MemAvailable:\s+(\d+) kB", table.read_text()) if table.exists() else None
    return 1024 * int(match[1]) if match else None


def refuse_beyond(height: int, width: int) -> None:
    """Raises ImageTooLarge for a pastiche that would not fit into what is free: the system would end the process."""
    free, needed = free_bytes(), height * width * BYTES_PER_PIXEL
    if free is not None and needed > free:
        raise too_large(
            f"A result of {width} x {height} pixels needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB is free"
        )


def too_large(reason: str) -> ImageTooLarge:
    return ImageTooLarge(f"{reason}: ask for a smaller size.", "size")
