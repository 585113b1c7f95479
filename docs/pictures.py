"""Remakes every picture of docs/images from code: `python docs/pictures.py` (needs scikit-image, for its photos).

The photos come inside scikit-image: Chelsea the cat (CC0, Stefan van der Walt), a cup of coffee (CC0, Rachel Michetti)
and Eileen Collins (NASA, public domain). The paintings are paintings.py's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from paintings import PAINTINGS, SIZE
from PIL import Image, ImageOps
from skimage import data

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH, GAP = 1200, 12  # pixels, of a sheet and between its pictures
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
HERO = ("flow", "stained_glass", "woodcut", "mosaic")  # the paintings along its top


def photos() -> list[Image.Image]:
    """In the shape of the paintings, cut around what matters."""
    taken = ((data.chelsea(), (0.5, 0.5)), (data.coffee(), (0.5, 0.5)), (data.astronaut(), (0.5, 0.0)))
    return [ImageOps.fit(Image.fromarray(pixels), SIZE, centering=middle) for pixels, middle in taken]


def pastiche(photo: Image.Image, style: Image.Image | list[Image.Image], strength: float = 1.0) -> Image.Image:
    """With the weights that ship, whatever else this machine has."""
    from API import transfer_style
    from model.weights import SHIPPED

    pixels = transfer_style(photo, style, SHIPPED, strength=strength)
    return Image.fromarray((pixels * 255).round().astype("uint8"))


def sheet(rows: Sequence[Sequence[Image.Image | None]]) -> Image.Image:
    """Pictures in rows and columns, on white; None leaves a place empty."""
    columns = len(rows[0])
    width = (WIDTH - (columns - 1) * GAP) // columns
    height = width * SIZE[1] // SIZE[0]
    page = Image.new("RGB", (columns * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP), "white")
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            if picture is not None:
                small = picture.resize((width, height), Image.Resampling.LANCZOS)
                page.paste(small, (column * (width + GAP), row * (height + GAP)))
    return page


def save(picture: Image.Image, name: str, most: int) -> None:
    """As the best JPEG of at most `most` bytes."""
    path = IMAGES / f"{name}.jpg"
    for quality in range(90, 40, -4):
        picture.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= most:
            return
    raise ValueError(f"{name} does not fit in {most} bytes.")


def main() -> None:
    sys.path.append(str(ROOT))  # where API and model are
    IMAGES.mkdir(exist_ok=True)
    styles = {name: paint() for name, paint in PAINTINGS.items()}
    for name, style in styles.items():
        save(style, name, 80_000)
    shots, along = photos(), [styles[name] for name in HERO]
    rows = [[shot, *(pastiche(shot, style) for style in along)] for shot in shots]
    save(sheet([[None, *along], *rows]), "hero", 300_000)
    cat, coffee, _ = shots
    save(sheet([[pastiche(cat, styles["flow"], strength) for strength in STRENGTHS]]), "strength", 120_000)
    ends = [styles["woodcut"], styles["dots"]]
    mixed = [pastiche(coffee, style) for style in (ends[0], ends, ends[1])]
    save(sheet([[ends[0], *mixed, ends[1]]]), "blend", 120_000)


if __name__ == "__main__":
    main()
