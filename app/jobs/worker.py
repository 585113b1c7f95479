"""The worker: it paints queued jobs, in threads of the server or in a process of its own."""

from __future__ import annotations

import atexit
import logging
import math
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, assert_never

from huey.consumer import Consumer

from app import failures
from app.failures import Missing
from app.jobs.attempts import AttemptOutput, Attempts
from app.jobs.liveness import Heartbeat, is_dead
from app.jobs.progress import ProgressReporter
from app.jobs.queue import Job, Jobs
from app.jobs.render_engine import RenderEngine
from app.jobs.rendering import THUMBNAIL_SIDE, PastichePng, render_checkpoint, render_order, small_jpeg, to_png
from app.jobs.training import Trainer, TrainingReporter
from app.storage.library import Library
from model.errors import ImageError
from model.imaging import image_files, pixel_ops, scratch
from model.options import RefineOptions, StylizeOptions
from model.pipelines.refine import refining_bytes_per_pixel, resolve_options
from model.pipelines.stylization import Pastiche
from model.progress import Cancelled, Checkpoint

_log = logging.getLogger(__name__)
ReporterT = TypeVar("ReporterT", bound=ProgressReporter)

_HEARTBEAT_SECONDS = 1.0  # between renewals of the leases; also the longest wait of a job whose wake-up was lost
_POLL_SECONDS = 0.2  # at most, between two reads of a queue that cannot block, as SQLite's
_RECONNECT_SECONDS = 5.0  # at most, until a queue out of reach is tried again
_SWEEP_SECONDS = 300.0  # between sweeps of the library
_SHUTDOWN_SECONDS = 5.0  # for the threads to end, once all jobs are given back
_BEFORE_SIDE = 1024  # pixels, long side


class Worker:
    def __init__(self, jobs: Jobs, library: Library, engine: RenderEngine, threads: int) -> None:
        self._engine = engine
        self._new_run: Callable[[], _WorkerRun] = lambda: _WorkerRun(jobs, library, engine, threads)
        self._current_run: _WorkerRun | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start threads in this process, unless they run, and return at once."""
        with self._lock:
            if self._current_run is None:
                self._current_run = self._new_run()
                atexit.register(self.stop)

    def stop(self) -> None:
        """Give back the jobs that are being painted, for another worker to go on with, and end the threads."""
        with self._lock:
            run, self._current_run = self._current_run, None
        if run:
            atexit.unregister(self.stop)
            run.end()

    def run(self) -> None:
        """Work until the process gets SIGTERM, SIGINT or SIGHUP."""
        signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before there are threads, which inherit it
        self._engine.load()
        self.start()
        signal.sigwait(signals)
        self.stop()


class _WorkerRun:
    """A worker between start and stop, under one name."""

    def __init__(self, jobs: Jobs, library: Library, engine: RenderEngine, threads: int) -> None:
        self._jobs = jobs
        self._library = library
        self._engine = engine
        self._heartbeat = Heartbeat()
        self._attempts = Attempts(jobs, library, self._heartbeat.name)
        self._threads = threads
        self._reporters: set[ProgressReporter] = set()
        self._trainer = Trainer(self._attempts, library, engine)
        self._claiming = threading.Lock()
        self._stopping = threading.Event()
        self._consumer = _Consumer(
            jobs.huey,
            workers=threads,
            periodic=False,
            scheduler_interval=60,  # nothing is scheduled
            initial_delay=_POLL_SECONDS / 4,
            max_delay=_RECONNECT_SECONDS if jobs.huey.storage.blocking else _POLL_SECONDS,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        jobs.listen(self._process_queue)
        _log.info("worker %s has started with %d threads", self._heartbeat.name, threads)
        self._consumer.start()
        for work, seconds in (
            (self._renew_and_requeue, _HEARTBEAT_SECONDS),
            (self._poll_table, _HEARTBEAT_SECONDS),  # apart: a queue out of reach takes its time to say so
            (self._train_queued, _HEARTBEAT_SECONDS),
            (library.sweep, _SWEEP_SECONDS),
            (scratch.remove_stale_folders, _SWEEP_SECONDS),
        ):
            threading.Thread(target=self._repeat, args=(work, seconds), daemon=True).start()

    def end(self) -> None:
        with self._claiming:
            self._stopping.set()
        try:
            for reporter in tuple(self._reporters):
                reporter.stop()
            self._attempts.give_all_back()
            self._consumer.stop(graceful=True)
        finally:
            self._heartbeat.end()

    def _repeat(self, work: Callable[[], object], seconds: float) -> None:
        while not self._stopping.is_set():
            try:
                work()
            except Exception:
                _log.exception("%s will be tried again in %g s", work.__name__, seconds)
            self._stopping.wait(seconds)

    def _renew_and_requeue(self) -> None:
        self._attempts.renew({reporter.job.id for reporter in tuple(self._reporters)})
        self._attempts.requeue_abandoned(is_dead)

    def _poll_table(self) -> None:
        """Wake a painter if anything waits. Where no message comes through, start one more, up to as many as usual."""
        if not self._jobs.wake_if_queued():
            threading.Thread(target=self._process_queue, daemon=True).start()

    def _train_queued(self) -> None:
        """Train in a thread apart: no painter is taken from pictures."""
        while reporter := self._claim(self._attempts.claim_training, self._new_training_reporter):
            try:
                self._trainer.process(reporter)
            finally:
                self._reporters.discard(reporter)

    def _new_training_reporter(self, job: Job) -> TrainingReporter:
        return TrainingReporter(self._attempts, job, self._stopping, self._engine)

    def _new_reporter(self, job: Job) -> ProgressReporter:
        return ProgressReporter(self._attempts, job, self._stopping)

    def _process_queue(self) -> None:
        while reporter := self._claim(self._claim_next, self._new_reporter):
            try:
                self._process(reporter)
            finally:
                self._reporters.discard(reporter)

    def _claim(self, claim: Callable[[], Job | None], new_reporter: Callable[[Job], ReporterT]) -> ReporterT | None:
        with self._claiming:  # no job is claimed once all have been given back
            job = None if self._stopping.is_set() else claim()
            if job is None:
                return None
            reporter = new_reporter(job)
            self._reporters.add(reporter)
            return reporter

    def _claim_next(self) -> Job | None:
        """Claim a picture. Pastiches do not wait behind refinements: of several threads one is kept for them."""
        jobs = [reporter.job for reporter in tuple(self._reporters) if not reporter.job.is_training]
        if len(jobs) >= self._threads:  # some were started without a message, and now there are messages again
            return None
        refining = sum(job.is_refinement and not job.short for job in jobs)
        return self._attempts.claim(only_short=refining >= max(1, self._threads - 1), short_first=self._threads == 1)

    def _process(self, reporter: ProgressReporter) -> None:
        job = reporter.job
        try:
            output = _attempt_output(self._library.picture(job.order.content), self._render(reporter))
        except Cancelled:
            reporter.save_checkpoint()
            self._attempts.give_back(job)
        except Exception as error:
            reporter.save_checkpoint()
            self._attempts.end_with(job, error)
        else:
            reporter.write_last_step()
            self._save_result(job, output)

    def _render(self, reporter: ProgressReporter) -> Pastiche | PastichePng:
        job, checkpoint = reporter.job, self._read_checkpoint(reporter)
        if not job.cancelling:
            return self._engine.run_job(lambda: self._render_order(reporter, checkpoint))
        if checkpoint is None:
            raise Cancelled
        return render_checkpoint(job.order, self._library, checkpoint)

    def _render_order(self, reporter: ProgressReporter, checkpoint: Checkpoint | None) -> Pastiche | PastichePng:
        job = reporter.job
        with self._reserve_memory(reporter):
            outcome = render_order(
                job.order, self._library, self._engine.painter, reporter, checkpoint, self._engine.refine_seconds
            )
        if not (outcome.complete or self._attempts.cancelling(job)):
            raise Cancelled  # the job was paused, or the worker stops
        return outcome

    def _reserve_memory(self, reporter: ProgressReporter) -> AbstractContextManager[None]:
        """Reserve memory for a refinement, as for a square photo; a pastiche needs little."""
        options = reporter.job.order.options
        match options:
            case StylizeOptions():
                return nullcontext()
            case RefineOptions():
                needed = math.ceil(refining_bytes_per_pixel(resolve_options(options)) * options.size**2)
                return self._engine.refinement_memory.reserve(needed, reporter.raise_if_stopped)
            case _:
                assert_never(options)

    def _read_checkpoint(self, reporter: ProgressReporter) -> Checkpoint | None:
        """Return the job's checkpoint; None where there is none or it cannot be read."""
        saved = reporter.job.checkpoint
        if saved is None:
            return None
        try:
            picture = image_files.read(self._library.picture(saved["picture"]), field="checkpoint")
        except (Missing, ImageError):
            _log.exception("the checkpoint of job %s is lost: it begins anew", reporter.job.id)
            reporter.restart()
            return None
        return Checkpoint(pixel_ops.stack_alpha(picture), saved["step"], saved["seconds"], saved.get("paused", False))

    def _save_result(self, job: Job, output: AttemptOutput) -> None:
        """Save the result, or queue the job again when the disk or the database fails."""
        try:
            if self._attempts.finish(job, output):
                _log.info("job %s: done in %.1f s", job.id, output.seconds)
        except Exception as error:
            _log.exception("the result of job %s could not be saved", job.id)
            self._attempts.retry(job, failures.public_error(error))


class _Consumer(Consumer):  # type: ignore[misc]
    def _set_signal_handlers(self) -> None:
        """Leave signals alone: `Worker.run` handles them, and this may not be the main thread."""


def _attempt_output(content: bytes, outcome: Pastiche | PastichePng) -> AttemptOutput:
    file = outcome if isinstance(outcome, PastichePng) else to_png(outcome)
    report = file.report
    return AttemptOutput(
        picture=file.png,
        before=image_files.encode(image_files.read_eight_bit(content, limit=_BEFORE_SIDE), "jpeg", 88),
        thumbnail=small_jpeg(file.png, THUMBNAIL_SIDE),
        width=report.width,
        height=report.height,
        seconds=report.seconds,
        weights=report.weights,
        recipe=_without_mask_pngs(report.recipe) | ({"notes": report.notes} if report.notes else {}),
        complete=file.complete,
    )


def _without_mask_pngs(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return the recipe without the masks' pixels, which only the recipe in the picture file has."""
    return recipe | ({"masks": [_without_png(mask) for mask in recipe["masks"]]} if recipe.get("masks") else {})


def _without_png(mask: Any) -> Any:
    return {name: value for name, value in mask.items() if name != "png"} if isinstance(mask, dict) else mask
