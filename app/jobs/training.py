"""Training of styles: a job trains the network of one painting, beside the painters and behind all that they paint."""

from __future__ import annotations

import io
import logging
import threading
import time
import zipfile
from pathlib import Path

from app.failures import Missing
from app.jobs.attempts import Attempts
from app.jobs.progress import ProgressReporter, append_losses
from app.jobs.queue import Job
from app.jobs.render_engine import RenderEngine
from app.storage.library import Library
from app.storage.records import TrainingSummary
from model.finetuning import STATE_FILE
from model.imaging import scratch
from model.pipelines.style_training import TRAINING_BYTES, TrainedStyle
from model.progress import Cancelled, Step

_log = logging.getLogger(__name__)

REST_SECONDS = 5.0  # at most, after each step, while pictures are painted: else it would never end on a busy server
_REST_POLL_SECONDS = 0.02
_STOP_SECONDS = 5.0  # for a step to end and its state to be saved, when the worker stops


class TrainingReporter(ProgressReporter):
    """The callback for each step of a training; it rests there while pictures are painted.

    The training itself writes its state into a file now and then, which is saved as the job's checkpoint.
    """

    def __init__(self, attempts: Attempts, job: Job, stopping: threading.Event, engine: RenderEngine) -> None:
        super().__init__(attempts, job, stopping)
        self._engine = engine
        self._state_file: Path | None = None
        self._saved_state = 0  # the time of that file's last change, ns
        self._ended = threading.Event()

    def __call__(self, step: Step) -> None:
        super().__call__(step)
        self.save_state(step.step)
        if self._engine.refinement_memory.is_wanted:
            raise Cancelled
        self._rest()

    def begin(self, folder: Path, state: bytes | None) -> None:
        """Go on from `state` in `folder`."""
        self._state_file = folder / STATE_FILE
        if state is not None:
            self._state_file.write_bytes(state)
            self._saved_state = self._state_file.stat().st_mtime_ns

    def save_state(self, step: int) -> None:
        """Save the state after so many steps, where it was written anew."""
        file = self._state_file
        changed = file.stat().st_mtime_ns if file and file.exists() else 0
        if file and changed > self._saved_state:
            self._saved_state = changed
            self._save_state_file(file, step)

    def end(self) -> None:
        self._ended.set()

    def stop(self) -> None:
        """Wait until the training has come to a stop, which saves its state."""
        self._ended.wait(_STOP_SECONDS)

    def _save_state_file(self, file: Path, step: int) -> None:
        try:
            self._attempts.save_checkpoint(self.job, file.read_bytes(), step, time.monotonic() - self._begun_at)
        except Exception:  # a lost checkpoint must not cost the training
            _log.exception("the state of job %s could not be saved", self.job.id)

    def _remember(self, step: Step, now: float) -> None:
        self._begun_at = self._begun_at or now - self._earlier_seconds
        if step.losses:
            self._losses = append_losses(self._losses or [], step)

    def _rest(self) -> None:
        deadline = time.monotonic() + REST_SECONDS
        while self._engine.is_painting and time.monotonic() < deadline and not self._stopping.is_set():
            time.sleep(_REST_POLL_SECONDS)


class Trainer:
    """Trains the networks of a worker, one after the other."""

    def __init__(self, attempts: Attempts, library: Library, engine: RenderEngine) -> None:
        self._attempts, self._library, self._engine = attempts, library, engine

    def process(self, reporter: TrainingReporter) -> None:
        """Train and store the network of a claimed job, or give the job back."""
        job = reporter.job
        try:
            trained = self._engine.run_training(lambda: self._train(reporter))
            self._finish(job, trained)
        except Cancelled:
            self._attempts.give_back(job)
        except Exception as error:
            self._attempts.end_with(job, error)
        finally:
            reporter.end()

    def _train(self, reporter: TrainingReporter) -> TrainedStyle:
        order, state = reporter.job.training_order, self._read_state(reporter)
        painting, memory = self._library.picture(order.picture), self._engine.refinement_memory
        with memory.reserve(TRAINING_BYTES, reporter.raise_if_stopped, last=True), scratch.temporary_folder() as folder:
            reporter.begin(folder, state)
            trained = self._engine.painter.train(
                painting, order.options, name=order.name, folder=folder, on_step=reporter
            )
            reporter.save_state(trained.steps)
        reporter.write_last_step()
        return trained

    def _finish(self, job: Job, trained: TrainedStyle) -> None:
        """Store the network, unless the training was only interrupted."""
        if not (trained.complete or self._attempts.cancelling(job)):
            raise Cancelled
        training = TrainingSummary(job.id, trained.steps, round(trained.seconds, 1), trained.complete, trained.notes)
        if self._attempts.finish_training(job, trained.style, training):
            _log.info("job %s: trained %d steps in %.0f s", job.id, trained.steps, trained.seconds)

    def _read_state(self, reporter: TrainingReporter) -> bytes | None:
        """Return the state to go on from; None where there is none or it cannot be read."""
        saved = reporter.job.checkpoint
        if saved is None:
            return None
        try:
            state = self._library.picture(saved["picture"])
            if zipfile.ZipFile(io.BytesIO(state)).testzip() is not None:
                raise zipfile.BadZipFile("damaged")
        except (Missing, zipfile.BadZipFile):
            _log.exception("the checkpoint of job %s is lost: it begins anew", reporter.job.id)
            reporter.restart()
            return None
        return state
