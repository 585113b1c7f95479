from __future__ import annotations

import numpy as np

from docs.paintings.brushes import flecks
from docs.paintings.fields import engraved, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting

CRESTS = (
    (0.34, 0.055, 3.1, 0.4),
    (0.47, 0.075, 2.5, 2.0),
    (0.60, 0.085, 2.9, 4.4),
    (0.76, 0.085, 2.3, 0.6),
    (0.93, 0.08, 2.7, 3.0),
)


@painting(2)
def waves(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Breakers one behind the other, foam in claws, printed in Prussian blue under a buff sky."""
    x, y = grid(size)
    wood = noise(rng, size, (0.5, 0.008), 3)
    picture = ramp(y / 0.55 + 0.1 * (wood - 0.5), "9fb4b4 d8c9a0 ecd9ac f0dfb8")
    sun = smooth(0.115, 0.112, np.hypot(x - 0.95, y - 0.2))
    picture = lay(picture, (214, 92, 62), sun * (0.75 + 0.4 * wood).clip(0, 1))
    for base, height, often, start in CRESTS:
        lean = x + 0.10 * np.sin(often * 2 * x + start) + 0.02 * noise(rng, size, 0.1)
        top = base - height * abs(np.sin(often * lean + start)) ** 1.6 * 1.6 + 0.02 * np.sin(11 * x + start)
        depth = y - top
        claws = 0.022 * (abs(np.sin(31 * lean + 4 * np.sin(9 * x + start))) + 0.6 * abs(np.sin(67 * lean + 40 * y)))
        foam = depth < 0.012 + claws * (0.4 + 1.2 * noise(rng, size, 0.08))
        stripe = engraved(depth * 17 - 1.2 * lean * often + 0.3 * noise(rng, size, 0.2), 0.55)
        water = ramp((0.25 + 2.2 * depth + 0.3 * (wood - 0.5)).clip(0, 1), "6f9fb4 2f6a94 1b4678 132c58")
        water = lay(water, (196, 216, 208), stripe * smooth(0.30, 0.05, depth) * 0.9)
        body = lay(water, (246, 240, 222), foam * 1.0)
        line = np.maximum(smooth(0.005, 0.002, abs(depth)), smooth(0.004, 0.002, abs(depth - 0.012 - claws)) * 0.8)
        picture = lay(picture, body, depth > 0)
        picture = lay(picture, (18, 30, 62), line)
    spray = flecks(rng, size, 500, 0.0035) * smooth(0.9, 0.3, y)
    return lay(picture, (250, 246, 232), spray) * (0.93 + 0.1 * wood)[..., None]
