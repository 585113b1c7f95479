"""How much memory is free, and how much a pastiche takes."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from model.errors import ImageTooLarge

# At 2 to 4 million pixels a pixel takes 280 with the weights that ship and 580 with v1-256, which must fit as well.
BYTES_PER_PIXEL = 650
MIN_MEMORY_FIT_SIDE = 64  # pixels, long side; nothing smaller is worth refining


def total_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def free_bytes() -> int | None:
    """Return the free memory, None where the system does not say."""
    table = Path("/proc/meminfo")
    match = re.search(r"MemAvailable:\s+(\d+) kB", table.read_text()) if table.exists() else None
    return 1024 * int(match[1]) if match else None


def check_fits(height: int, width: int, bytes_per_pixel: float = BYTES_PER_PIXEL) -> None:
    """Raise ImageTooLarge for a pastiche that free memory cannot hold: the system would end the process."""
    free, needed = free_bytes(), height * width * bytes_per_pixel
    if free is not None and needed > free:
        raise too_large_error(
            f"A result of {width} x {height} pixels needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB is free"
        )


def too_large_error(reason: str) -> ImageTooLarge:
    return ImageTooLarge(f"{reason}: ask for a smaller size.", "size")


def fitting_side(height: int, width: int, bytes_per_pixel: float) -> int:
    """Return the longest side, at most the given picture's, with which it fits into free memory.

    Raises ImageTooLarge where that would be less than MIN_MEMORY_FIT_SIDE.
    """
    free, needed, longest = free_bytes(), height * width * bytes_per_pixel, max(height, width)
    if free is None or free >= needed:
        return longest
    side = int(longest * math.sqrt(free / needed))
    if side < min(longest, MIN_MEMORY_FIT_SIDE):
        raise too_large_error(
            f"Refining {width} x {height} pixels needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB is free"
        )
    return side
