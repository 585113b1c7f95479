from __future__ import annotations

import numpy as np

from docs.paintings.brushes import scattered
from docs.paintings.fields import engraved, grid, lay, lit, noise, panes, ramp, smooth
from docs.paintings.studio import Size, painting


@painting(19)
def gilt(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Gold leaf set with spirals, eyes and chequers in black, silver and enamel."""
    x, y = grid(size)
    leaf = noise(rng, size, 0.02, 3) * 0.6 + noise(rng, size, (0.16, 0.16)) * 0.5
    picture = ramp(leaf, "6a4410 a8741c d8a42c f2cc50 fff0a8")
    sites = scattered(rng, size, 0.135)
    owner, edge = panes(sites.astype("float32"), x, y)
    u, v = x - sites[owner, 0], y - sites[owner, 1]
    away, turn = np.hypot(u, v), np.arctan2(v, u) / (2 * np.pi)
    kind, spin = rng.integers(0, 4, len(sites))[owner], rng.random(len(sites))[owner]
    spiral = engraved(away * 38 + turn * np.where(spin < 0.5, 1, -1) + spin, 0.34)
    eyes = engraved(away * 30, 0.55) * smooth(0.075, 0.07, away)
    chequer = ((np.floor(u * 55) + np.floor(v * 55)) % 2 == 0) * 1.0
    rays = engraved(turn * 18, 0.5)
    mark = np.choose(kind, [spiral, eyes, chequer * (edge > 0.012), rays * (edge > 0.02)])
    enamel = ramp(rng.random(len(sites)), "101014 1c1a2a 7a1a20 14464a 2a1a10 141420")[owner]
    picture = lay(picture, enamel, mark * 0.95)
    silver = (kind == 2) & (chequer == 0) & (edge > 0.012)
    picture = lay(picture, (238, 230, 206), 0.8 * silver)
    picture = lay(picture, (30, 20, 12), smooth(0.006, 0.003, edge))
    relief = noise(rng, size, 0.008, 2) + 0.5 * mark
    return lit(picture, relief, 1.2)
