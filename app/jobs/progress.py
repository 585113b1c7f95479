"""What is called at each step of a job: it keeps the job's row up to date, and stops the painting when told to."""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import replace
from itertools import pairwise

from app.jobs.attempts import Attempts
from app.jobs.queue import Job
from app.jobs.rendering import small_jpeg
from model.imaging import image_files, pixel_ops
from model.imaging.pixel_ops import Picture
from model.progress import Cancelled, Checkpoint, Step

_log = logging.getLogger(__name__)

_ROW_SECONDS, _PREVIEW_SECONDS, _CHECKPOINT_SECONDS = (
    0.3,
    1.0,
    5.0,
)  # seconds, at least, between two rows about progress, two previews, two checkpoints
_CHECKPOINT_COST_RATIO = 10  # times as long as the last checkpoint took to be kept, at least, until the next
_PREVIEW_SIDE = 512  # pixels, long side
_LOSS_NAMES = ("loss", "content", "style", "variation")
MAX_LOSS_ROWS = 100  # rows of a job's curve


class ProgressReporter:
    def __init__(self, attempts: Attempts, job: Job, over: threading.Event) -> None:
        self.job = job
        self._attempts = attempts
        self._over = over
        self._told = self._showed = self._keep_next = -math.inf  # time.monotonic()
        self._begun = 0.0
        self._earlier = job.checkpoint["seconds"] if job.checkpoint else 0.0
        self._last: Step | None = None
        self._losses = job.losses
        self._latest: Checkpoint | None = None
        self._kept = job.checkpoint["step"] if job.checkpoint else 0
        self._keeping = threading.Lock()

    def __call__(self, step: Step) -> None:
        now, self._last = time.monotonic(), step
        if self.job.method == "gatys":
            self._note(step, now)
        if self._over.is_set():
            raise Cancelled
        if now - self._told < _ROW_SECONDS and step.step < step.steps:
            return
        self._told = now
        preview = step.preview if now - self._showed >= _PREVIEW_SECONDS else None
        if preview:
            self._showed = now
        if not self._tell(step, preview):
            raise Cancelled
        if now >= self._keep_next:
            self.keep()

    def raise_if_stopped(self) -> None:
        """Raises Cancelled where the painting is to stop before it has begun."""
        if self._over.is_set() or not self._tell(Step(self.job.step, self.job.steps), None):
            raise Cancelled

    def restart(self) -> None:
        """There is no checkpoint after all."""
        self._attempts.forget_checkpoint(self.job)
        self.job = replace(self.job, checkpoint=None)
        self._earlier, self._kept, self._losses = 0.0, 0, self.job.losses and []

    def write_last_step(self) -> None:
        """The step that was the last, however soon after another it came."""
        if self._last:
            self._tell(self._last, None)

    def keep(self) -> None:
        """The latest checkpoint, unless it is kept already."""
        with self._keeping:
            if self._latest and self._latest.step > self._kept:
                begun = time.monotonic()
                self._keep(self._latest)
                ended = time.monotonic()
                self._keep_next = ended + max(_CHECKPOINT_SECONDS, _CHECKPOINT_COST_RATIO * (ended - begun))

    def _note(self, step: Step, now: float) -> None:
        """In memory, where it costs nothing."""
        self._begun = self._begun or now - self._earlier
        if step.preview:
            self._latest = Checkpoint(pixel_ops.stack_alpha(step.preview), step.step, now - self._begun)
        if step.losses:
            self._losses = append_losses(self._losses or [], step)

    def _tell(self, step: Step, preview: Picture | None) -> bool:
        try:
            shown = small_jpeg(preview, _PREVIEW_SIDE) if preview else None
            return self._attempts.report_progress(self.job, step, shown, self._losses)
        except Exception:  # no preview is worth a picture
            _log.exception("the progress of job %s could not be written down", self.job.id)
            return True

    def _keep(self, latest: Checkpoint) -> None:
        try:
            self._attempts.keep(
                self.job, image_files.encode(image_files.read(latest.picture)), latest.step, latest.seconds
            )
            self._kept = latest.step
        except Exception:  # nor is a checkpoint
            _log.exception("the checkpoint of job %s could not be kept", self.job.id)


def append_losses(rows: list[list[float]], step: Step) -> list[list[float]]:
    """At most MOST_LOSSES rows at even distances: where they grow too many, every other one goes. The last stays.

    What a run that goes on from a checkpoint does again takes the place of what was told before.
    """
    rows = [row for row in rows if row[0] < step.step]
    row = [step.step, *(float(f"{step.losses[name]:.6g}") for name in _LOSS_NAMES)]
    if not all(map(math.isfinite, row)):  # which no JSON can tell
        return rows
    apart = min((after[0] - before[0] for before, after in pairwise(rows[:-1])), default=1)
    between = len(rows) > 1 and (rows[-1][0] - rows[0][0]) % apart
    rows = [*(rows[:-1] if between else rows), row]
    return rows if len(rows) <= MAX_LOSS_ROWS else rows[::2]
