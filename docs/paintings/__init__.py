"""Paintings made by code, one file and one seed each: style images that belong to nobody but this project.

    from paintings import PAINTINGS
    PAINTINGS["flow"]().save("flow.jpg")

Positions are in units of the picture's height: y from 0 at the top to 1, x from 0 at the left to width / height.
"""

from .aurora import aurora
from .azulejo import azulejo
from .blossom import blossom
from .cubes import cubes
from .dots import dots
from .engraving import engraving
from .flow import flow
from .gilt import gilt
from .ink import ink
from .jungle import jungle
from .marble import marble
from .mosaic import mosaic
from .neon import neon
from .papercut import papercut
from .stained_glass import stained_glass
from .studio import SIZE, Painting
from .tapestry import tapestry
from .vase import vase
from .watercolour import watercolour
from .waves import waves
from .woodcut import woodcut

__all__ = ["PAINTINGS", "SIZE", "Painting"]

SHOWN = (  # in this order, so that neighbours differ
    *(flow, azulejo, papercut, jungle, waves),
    *(gilt, stained_glass, woodcut, blossom, mosaic),
    *(ink, aurora, tapestry, watercolour, vase),
    *(marble, neon, engraving, dots, cubes),
)
PAINTINGS = {painting.id: painting for painting in SHOWN}
