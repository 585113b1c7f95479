from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from docs.paintings.fields import at, engraved, grid, lay, noise, panes, smooth
from docs.paintings.studio import Size, painting


@painting(29)
def papercut(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Rosettes of folded red paper, cut into lace, casting a little shadow on cream."""
    x, y = grid(size)
    rows, columns = np.mgrid[-1:5, -1:6]
    middles = np.stack([(columns + rows % 2 / 2) * 0.31, rows * 0.268 + 0.1], -1).reshape(-1, 2)
    sites = middles + rng.normal(0, 0.018, middles.shape)
    owner, edge = panes(sites.astype("float32"), x, y)
    u, v = x - sites[owner, 0], y - sites[owner, 1]
    away, turn = np.hypot(u, v), np.arctan2(v, u) / (2 * np.pi)
    folds = rng.integers(4, 9, len(sites))[owner] * 2
    folded = abs((turn * folds) % 1 - 0.5)
    lace, start = noise(rng, (2 * size[1], 2 * size[1]), 0.055), rng.random((len(sites), 2))
    cut = at(lace, np.stack([1.9 * away, 14 * folded * away / folds], -1) + start[owner])
    holes = smooth(0.62, 0.65, cut)
    rings = engraved(away * 17, 0.30 + 0.3 * folded) * (away > 0.03)
    paper = (1 - np.maximum(holes, rings)) * smooth(0.008, 0.011, edge)
    paper = np.maximum(paper, smooth(0.011, 0.009, abs(edge - 0.016) + 0.004 * np.cos(turn * folds * 18)))
    sheet = Image.fromarray((paper * 255).astype("uint8"))
    shadow = np.roll(np.asarray(sheet.filter(ImageFilter.GaussianBlur(5)), "float32") / 255, (7, 7), (0, 1))
    fibre = 0.92 + 0.12 * noise(rng, size, (0.02, 0.006), 3)
    ground = lay(np.full((*x.shape, 3), (250, 238, 214)), (150, 70, 50), 0.55 * shadow)
    red = np.array((206, 26, 34)) * (0.82 + 0.36 * noise(rng, size, 0.12, 3))[..., None]
    return lay(ground, red, paper) * fibre[..., None]
