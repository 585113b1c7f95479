"""Importing styles: networks that others have trained, as style files."""

from __future__ import annotations

import os
from pathlib import Path

from model.style_file import StyleFile
from model.weights import johnson_files

ARCHITECTURE = "johnson"  # stands in style files where others name their weights


def import_style(path: str | os.PathLike[str], *, name: str, credit: str = "", licence: str = "") -> StyleFile:
    """Return the style file of a network of PyTorch's fast neural style example, from its state dict.

    Raises WeightsBroken for a file that holds anything else, and InvalidOption for texts too long; runs nothing in it.
    """
    network = johnson_files.import_torch(Path(path).expanduser(), name)
    return StyleFile.with_imported(network, ARCHITECTURE, name=name, credit=credit, licence=licence)
