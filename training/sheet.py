"""Contact sheets: many small pictures side by side, to look at rather than to measure."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw


def contact_sheet(rows: list[list[np.ndarray]], titles: list[str], tile: int = 256) -> Image.Image:
    """Each row's pictures, (H, W, 3) in 0..1, fitted into square tiles of that many pixels under the titles."""
    sheet = Image.new("RGB", (tile * len(titles), 20 + tile * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        draw.text((column * tile + 6, 4), title, "black")
    for y, row in enumerate(rows):
        for x, pixels in enumerate(row):
            picture = Image.fromarray(np.uint8(np.rint(pixels * 255)))
            picture.thumbnail((tile - 4, tile - 4))
            sheet.paste(picture, (x * tile + 2, 22 + y * tile))
    return sheet
