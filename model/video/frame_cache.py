"""The finished frames of a clip in a folder beside its output, so that whoever is interrupted goes on from there."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from model.video.frames import Frame


class FrameCache:
    """digest: of all that the frames come from. Frames of another digest are thrown away.

    moments: what the painter remembered after the last of them. times: (n, 2), start and length of each in seconds.
    """

    def __init__(self, output: Path, digest: str) -> None:
        self.folder = output.with_name(f".{output.name}.parts")
        self.result = self.folder / f"result{output.suffix.lower()}"
        self.times, self.moments = np.zeros((0, 2)), np.zeros((0,), "float32")
        self._digest, self._state = digest, self.folder / "state.npz"
        if not self._restore():
            self.remove()
            self.folder.mkdir(exist_ok=True)

    def __len__(self) -> int:
        return len(self.times)

    def add(self, frame: Frame, moments: np.ndarray | None) -> None:
        pixels = frame.pixels
        whole = pixels.rgb if pixels.alpha is None else np.dstack([pixels.rgb, pixels.alpha])
        beside = self.folder / "new"
        Image.fromarray(whole).save(beside, "PNG", compress_level=1)
        os.replace(beside, self._frame_path(len(self)))
        self.times = np.vstack([self.times, [frame.start, frame.seconds]])
        if moments is not None:
            self.moments = moments
        with beside.open("wb") as file:
            np.savez(file, digest=np.array(self._digest), times=self.times, moments=self.moments)
        os.replace(beside, self._state)

    def picture(self, index: int) -> Image.Image:
        with Image.open(self._frame_path(index)) as image:
            image.load()
        return image

    def remove(self) -> None:
        """Nothing but what is ours: nobody's files are lost to a name that looked free."""
        for path in (*self.folder.glob("[0-9]*.png"), self._state, self.folder / "new", self.result):
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _restore(self) -> bool:
        try:
            with self._state.open("rb") as file, np.load(file, allow_pickle=False) as state:
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
