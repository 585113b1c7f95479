"""Remakes the README's pictures from code: `python docs/pictures.py` (needs scikit-image, for its photos).

The photos come inside scikit-image: Chelsea the cat (CC0, Stefan van der Walt), a cup of coffee (CC0, Rachel Michetti)
and Eileen Collins (NASA, public domain). The paintings are those of paintings/.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gallery import ROOT, pastiche, save
from paintings import PAINTINGS
from PIL import Image, ImageOps
from skimage import data

IMAGES = ROOT / "docs" / "images"
SIZE = (480, 384)  # of the photos: in larger ones strokes look finer
WIDTH, GAP = 1200, 12  # pixels, of a sheet and between its pictures
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
HERO = ("flow", "papercut", "jungle", "azulejo", "woodcut")  # the paintings along its top


def photos() -> list[Image.Image]:
    """In the shape of the paintings, cut around what matters."""
    taken = ((data.chelsea(), (0.5, 0.5)), (data.coffee(), (0.5, 0.5)), (data.astronaut(), (0.5, 0.0)))
    return [ImageOps.fit(Image.fromarray(pixels), SIZE, centering=middle) for pixels, middle in taken]


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


def main() -> None:
    sys.path.append(str(ROOT))  # where API and model are
    IMAGES.mkdir(exist_ok=True)
    styles = {name: PAINTINGS[name]() for name in (*HERO, "dots")}
    shots, along = photos(), [styles[name] for name in HERO]
    rows = [[shot, *(pastiche(shot, style) for style in along)] for shot in shots]
    save(sheet([[None, *along], *rows]), IMAGES / "hero.jpg", 300_000)
    cat, coffee, _ = shots
    save(sheet([[pastiche(cat, styles["flow"], strength) for strength in STRENGTHS]]), IMAGES / "strength.jpg", 120_000)
    ends = [styles["woodcut"], styles["dots"]]
    mixed = [pastiche(coffee, style) for style in (ends[0], ends, ends[1])]
    save(sheet([[ends[0], *mixed, ends[1]]]), IMAGES / "blend.jpg", 120_000)


if __name__ == "__main__":
    main()
