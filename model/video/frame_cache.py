"""The cache of a clip's finished frames, a folder beside its output, from which an interrupted call continues."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from model.imaging.pixel_ops import stack_alpha
from model.video.frames import Frame


class FrameCache:
    """Painted frames on disk, as PNG files, with the state of the painter after the last one.

    times: (n, 2), start and length of each in seconds. moments: the painter's.
    """

    def __init__(self, output: Path, digest: str) -> None:
        """digest: the hash of everything that the frames depend on; frames of another digest are removed."""
        self.folder = output.with_name(f".{output.name}.parts")
        self.result_path = self.folder / f"result{output.suffix.lower()}"
        self.times, self.moments = np.zeros((0, 2)), np.zeros((0,), "float32")
        self._digest, self._state_path = digest, self.folder / "state.npz"
        if not self._restore():
            self.remove()
            self.folder.mkdir(exist_ok=True)

    def __len__(self) -> int:
        return len(self.times)

    def add(self, frame: Frame, moments: np.ndarray | None) -> None:
        """Write a frame, and the painter's moments after it; None leaves them as they were."""
        partial = self.folder / "new"
        Image.fromarray(stack_alpha(frame.pixels)).save(partial, "PNG", compress_level=1)
        os.replace(partial, self._frame_path(len(self)))
        self.times = np.vstack([self.times, [frame.start, frame.seconds]])
        if moments is not None:
            self.moments = moments
        with partial.open("wb") as file:
            np.savez(file, digest=np.array(self._digest), times=self.times, moments=self.moments)
        os.replace(partial, self._state_path)

    def read_frame(self, index: int) -> Image.Image:
        with Image.open(self._frame_path(index)) as image:
            image.load()
        return image

    def remove(self) -> None:
        """Delete the cache's own files, and the folder where nothing else is left in it."""
        for path in (*self.folder.glob("[0-9]*.png"), self._state_path, self.folder / "new", self.result_path):
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _restore(self) -> bool:
        """Load the state of an earlier call; False where there is none that fits."""
        try:
            with self._state_path.open("rb") as file, np.load(file, allow_pickle=False) as state:
                if str(state["digest"]) != self._digest:
                    return False
                self.times, self.moments = state["times"], state["moments"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return False
        if all(self._frame_path(index).exists() for index in range(len(self))):
            return True
        self.times = self.times[:0]
        return False

    def _frame_path(self, index: int) -> Path:
        return self.folder / f"{index:06d}.png"
