"""Remakes static/styles, the styles that ship: `python -m docs.gallery` (needs scikit-image, for its photo).

For each painting of paintings/: <id>.jpg, <id>-cat.jpg (how the weights that ship paint a photo in that style) and its
entry in styles.json. cat.jpg is the photo: Chelsea, by Stefan van der Walt (CC0), as it comes inside scikit-image.
Where a painting has changed, its network must be trained and exported anew: `python -m training.gallery`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image
from skimage import data

from docs.paintings import PAINTINGS, Painting

ROOT = Path(__file__).resolve().parents[1]
STYLES = ROOT / "static" / "styles"
WIDTH = 480  # pixels, of the photo
CREDIT = "Made by code for this project (docs/paintings/{id}.py)"


def cat() -> Image.Image:
    photo = Image.fromarray(data.chelsea())
    return photo.resize((WIDTH, round(WIDTH * photo.height / photo.width)), Image.Resampling.LANCZOS)


def pastiche(photo: Image.Image, style: Path | list[Path], **options: Any) -> Image.Image:
    """With the weights that ship, whatever else this machine has."""
    from API import transfer_style
    from model.weights.registry import SHIPPED_MAGENTA

    pixels = transfer_style(photo, style, SHIPPED_MAGENTA, **options)
    return Image.fromarray((pixels * 255).round().astype("uint8"))


def save(picture: Image.Image, path: Path, most: int) -> None:
    """As the best JPEG of at most `most` bytes."""
    for quality in range(90, 40, -2):
        picture.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= most:
            return
    raise ValueError(f"{path.name} does not fit in {most} bytes.")


def entry(painting: Painting) -> dict[str, str | int]:
    about = {"id": painting.id, "name": painting.name, "about": painting.about}
    return {**about, "credit": CREDIT.format(id=painting.id), "licence": "CC0-1.0", "seed": painting.seed}


def main() -> None:
    STYLES.mkdir(exist_ok=True)
    entries = [entry(painting) for painting in PAINTINGS.values()]
    (STYLES / "styles.json").write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
    photo = cat()
    save(photo, STYLES / "cat.jpg", 45_000)
    for painting in PAINTINGS.values():
        save(painting(), STYLES / f"{painting.id}.jpg", 80_000)
        # From the file: its own network is found by its pixels.
        save(pastiche(photo, STYLES / f"{painting.id}.jpg"), STYLES / f"{painting.id}-cat.jpg", 40_000)


if __name__ == "__main__":
    main()
