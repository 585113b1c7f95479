"""The callback for each step of a job: it writes progress and checkpoints, and stops the painting when asked to."""

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
from model.progress import LOSS_NAMES, Cancelled, Checkpoint, Step

_log = logging.getLogger(__name__)

_ROW_SECONDS = 0.3  # at least, between two updates of the job's row
_PREVIEW_SECONDS = 1.0  # at least, between two previews
_CHECKPOINT_SECONDS = 5.0  # at least, between two checkpoints
_CHECKPOINT_COST_RATIO = 10  # between two checkpoints, at least, in units of the time that the last one took
_PREVIEW_SIDE = 512  # pixels, long side
MAX_LOSS_ROWS = 100  # rows of a job's curve


class ProgressReporter:
    def __init__(self, attempts: Attempts, job: Job, stopping: threading.Event) -> None:
        self.job = job
        self._attempts = attempts
        self._stopping = stopping
        self._row_written_at = self._preview_written_at = self._next_checkpoint_at = -math.inf  # time.monotonic()
        self._begun_at = 0.0
        self._earlier_seconds = job.checkpoint["seconds"] if job.checkpoint else 0.0
        self._last_step: Step | None = None
        self._losses = job.losses
        self._latest_checkpoint: Checkpoint | None = None
        self._saved_step = job.checkpoint["step"] if job.checkpoint else 0
        self._checkpoint_lock = threading.Lock()

    def __call__(self, step: Step) -> None:
        now, self._last_step = time.monotonic(), step
        if self.job.is_stepwise:
            self._remember(step, now)
        if self._stopping.is_set():
            raise Cancelled
        if now - self._row_written_at < _ROW_SECONDS and step.step < step.steps:
            return
        self._row_written_at = now
        preview = step.preview if now - self._preview_written_at >= _PREVIEW_SECONDS else None
        if preview:
            self._preview_written_at = now
        if not self._write_row(step, preview):
            raise Cancelled
        if now >= self._next_checkpoint_at:
            self.save_checkpoint()

    def raise_if_stopped(self) -> None:
        """Raise Cancelled when the job is to stop before its painting has begun."""
        if self._stopping.is_set() or not self._write_row(Step(self.job.step, self.job.steps), None):
            raise Cancelled

    def restart(self) -> None:
        """Start without a checkpoint, as it cannot be read."""
        self._attempts.forget_checkpoint(self.job)
        self.job = replace(self.job, checkpoint=None)
        self._earlier_seconds, self._saved_step, self._losses = 0.0, 0, self.job.losses and []

    def write_last_step(self) -> None:
        """Write the last step, however soon it came after the one before."""
        if self._last_step:
            self._write_row(self._last_step, None)

    def stop(self) -> None:
        """Save what there is, as the worker stops."""
        self.save_checkpoint()

    def save_checkpoint(self) -> None:
        """Save the latest checkpoint, unless that is done."""
        with self._checkpoint_lock:
            if self._latest_checkpoint and self._latest_checkpoint.step > self._saved_step:
                begun = time.monotonic()
                self._write_checkpoint(self._latest_checkpoint)
                ended = time.monotonic()
                self._next_checkpoint_at = ended + max(_CHECKPOINT_SECONDS, _CHECKPOINT_COST_RATIO * (ended - begun))

    def _remember(self, step: Step, now: float) -> None:
        """Keep the checkpoint and the losses in memory."""
        self._begun_at = self._begun_at or now - self._earlier_seconds
        if step.preview:
            self._latest_checkpoint = Checkpoint(pixel_ops.stack_alpha(step.preview), step.step, now - self._begun_at)
        if step.losses:
            self._losses = append_losses(self._losses or [], step)

    def _write_row(self, step: Step, preview: Picture | None) -> bool:
        try:
            jpeg = small_jpeg(preview, _PREVIEW_SIDE) if preview else None
            return self._attempts.report_progress(self.job, step, jpeg, self._losses)
        except Exception:  # a lost preview must not cost the picture
            _log.exception("the progress of job %s could not be written", self.job.id)
            return True

    def _write_checkpoint(self, latest: Checkpoint) -> None:
        try:
            self._attempts.save_checkpoint(
                self.job, image_files.encode(image_files.read(latest.picture)), latest.step, latest.seconds
            )
            self._saved_step = latest.step
        except Exception:  # nor must a lost checkpoint
            _log.exception("the checkpoint of job %s could not be saved", self.job.id)


def append_losses(rows: list[list[float]], step: Step) -> list[list[float]]:
    """Return the rows of a job's curve with those of `step`: at most MAX_LOSS_ROWS, at even distances, and the last.

    Where they grow too many, every other one is dropped. Rows of this step and later ones, of an attempt that was
    interrupted, are replaced.
    """
    rows = [row for row in rows if row[0] < step.step]
    row = [step.step, *(float(f"{step.losses.get(name, 0.0):.6g}") for name in LOSS_NAMES)]
    if not all(map(math.isfinite, row)):  # JSON has no NaN and no infinity
        return rows
    spacing = min((after[0] - before[0] for before, after in pairwise(rows[:-1])), default=1)
    last_is_off_grid = len(rows) > 1 and (rows[-1][0] - rows[0][0]) % spacing
    rows = [*(rows[:-1] if last_is_off_grid else rows), row]
    return rows if len(rows) <= MAX_LOSS_ROWS else rows[::2]
