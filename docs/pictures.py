"""Remakes the README's pictures from code: `python -m docs.pictures` (needs scikit-image, for its photos).

The photos come inside scikit-image: Chelsea the cat (CC0, Stefan van der Walt), a cup of coffee (CC0, Rachel Michetti)
and Eileen Collins (NASA, public domain). The paintings are those of paintings/.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps
from skimage import data

from docs.gallery import ROOT, STYLES, pastiche, save

IMAGES = ROOT / "docs" / "images"
SIZE = (480, 384)  # of the photos
SIDES = (640, 2048, 4096)  # pixels, of a preview, a large result and a print
WIDTH, GAP = 1200, 12  # pixels, of a sheet and between its pictures
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
CUP = ((26, 64, 410, 374), (117, 15, 344, 200), (318, 62, 362, 250))  # what saucer, cup and spoon lie within, in pixels
HERO = ("flow", "mosaic", "stained_glass", "woodcut", "marble")  # the paintings along its top


def photos() -> list[Image.Image]:
    """In the shape of the paintings, cut around what matters."""
    taken = ((data.chelsea(), (0.5, 0.5)), (data.coffee(), (0.5, 0.5)), (data.astronaut(), (0.5, 0.0)))
    return [ImageOps.fit(Image.fromarray(pixels), SIZE, centering=middle) for pixels, middle in taken]


def painting_path(name: str) -> Path:
    return STYLES / f"{name}.jpg"


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
    IMAGES.mkdir(exist_ok=True)
    shots, along = photos(), [painting_path(name) for name in HERO]
    rows = [[shot, *(pastiche(shot, style) for style in along)] for shot in shots]
    save(sheet([[None, *map(Image.open, along)], *rows]), IMAGES / "hero.jpg", 300_000)
    cat, coffee, _ = shots
    gentle = [pastiche(cat, painting_path("mosaic"), strength=strength) for strength in STRENGTHS]
    save(sheet([gentle]), IMAGES / "strength.jpg", 120_000)
    ends = [painting_path("woodcut"), painting_path("dots")]
    mixed = [pastiche(coffee, style) for style in (ends[0], ends, ends[1])]
    save(sheet([[Image.open(ends[0]), *mixed, Image.open(ends[1])]]), IMAGES / "blend.jpg", 120_000)
    save(sheet([brushes(cat, painting_path("woodcut"))]), IMAGES / "brush.jpg", 120_000)
    save(sheet(sizes(coffee, painting_path("stained_glass"))), IMAGES / "sizes.jpg", 200_000)
    save(sheet([wishes(coffee, painting_path("flow"), painting_path("azulejo"))]), IMAGES / "wishes.jpg", 120_000)


def brushes(photo: Image.Image, style: Path) -> list[Image.Image]:
    """From fine to broad, all by the network for any painting."""
    return [pastiche(photo, style, style_scale=scale, network="shared") for scale in SCALES]


def sizes(photo: Image.Image, style: Path) -> list[list[Image.Image]]:
    """A preview, a large result and a print: as a whole, and as much of each as fits at its own pixels."""
    painted = [pastiche(photo, style, size=side) for side in SIDES]
    middles = [(picture.width * 3 // 8, picture.height // 2) for picture in painted]
    boxes = [(x - SIZE[0] // 2, y - SIZE[1] // 2, x + SIZE[0] // 2, y + SIZE[1] // 2) for x, y in middles]
    return [painted, [picture.crop(box) for picture, box in zip(painted, boxes, strict=True)]]


def wishes(photo: Image.Image, style: Path, other: Path) -> list[Image.Image]:
    """Plain, with the photo's colours, with the photo's light, on a part only, and in two styles."""
    dish = cup(photo.size)
    return [
        pastiche(photo, style),
        pastiche(photo, style, keep_colours=1),
        pastiche(photo, style, keep_light=1),
        pastiche(photo, style, mask=dish, paint="outside", feather=2),
        pastiche(photo, [style, other], mask=["everywhere", dish], feather=2),
    ]


def cup(size: tuple[int, int]) -> Image.Image:
    """A mask that is white on the cup and its saucer."""
    mask = Image.new("L", size)
    for box in CUP:
        ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask


if __name__ == "__main__":
    main()
