"""Paintings made by code, one file and one seed each: style images that belong to nobody but this project.

    from docs.paintings import PAINTINGS
    PAINTINGS["flow"]().save("flow.jpg")

Positions are in units of the picture's height: y from 0 at the top to 1, x from 0 at the left to width / height.
"""

from docs.paintings.aurora import aurora
from docs.paintings.azulejo import azulejo
from docs.paintings.blossom import blossom
from docs.paintings.cubes import cubes
from docs.paintings.dots import dots
from docs.paintings.engraving import engraving
from docs.paintings.flow import flow
from docs.paintings.gilt import gilt
from docs.paintings.ink import ink
from docs.paintings.jungle import jungle
from docs.paintings.marble import marble
from docs.paintings.mosaic import mosaic
from docs.paintings.neon import neon
from docs.paintings.papercut import papercut
from docs.paintings.stained_glass import stained_glass
from docs.paintings.studio import SIZE, Painting
from docs.paintings.tapestry import tapestry
from docs.paintings.vase import vase
from docs.paintings.watercolour import watercolour
from docs.paintings.waves import waves
from docs.paintings.woodcut import woodcut

__all__ = ["PAINTINGS", "SIZE", "Painting"]

SHOWN = (  # in this order, so that neighbours differ
    *(flow, azulejo, papercut, jungle, waves),
    *(gilt, stained_glass, woodcut, blossom, mosaic),
    *(ink, aurora, tapestry, watercolour, vase),
    *(marble, neon, engraving, dots, cubes),
)
PAINTINGS = {painting.id: painting for painting in SHOWN}
