"""Paints what waits in the table of jobs: in threads of the server, or in a process of its own."""

from __future__ import annotations

import atexit
import logging
import math
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from huey.consumer import Consumer

from app import failures
from app.failures import Missing
from app.jobs.attempts import AttemptOutput, Attempts
from app.jobs.engine import RenderEngine
from app.jobs.liveness import Heartbeat, is_dead
from app.jobs.progress import ProgressReporter
from app.jobs.queue import Job, Jobs
from app.jobs.rendering import PastichePng, render_checkpoint, render_order, small_jpeg, to_png
from app.storage.library import Library
from model.errors import ImageError
from model.hardware import memory
from model.imaging import image_files, pixel_ops, scratch
from model.options import StylizeOptions
from model.pipelines.refine import resolve_options
from model.pipelines.stylization import Pastiche
from model.progress import Cancelled, Checkpoint

_log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 1.0  # seconds between signs of life; a job whose message was lost waits no longer either
_POLL_SECONDS = 0.2  # seconds, at most, between two looks into a queue where one cannot wait, as SQLite's
_RECONNECT_SECONDS = 5.0  # seconds, at most, until a queue out of reach is tried again
_SWEEP_SECONDS = 300.0  # seconds between sweeps of the library
_SHUTDOWN_SECONDS = 5.0  # seconds for the threads to end, once all is given back
_BEFORE_SIDE, _THUMBNAIL_SIDE = 1024, 360  # pixels, long side


class Worker:
    def __init__(self, jobs: Jobs, library: Library, engine: RenderEngine, threads: int) -> None:
        self._engine = engine
        self._begin: Callable[[], _WorkerRun] = lambda: _WorkerRun(jobs, library, engine, threads)
        self._shift: _WorkerRun | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """In threads of this process; returns at once, and starts no second time."""
        with self._lock:
            if self._shift is None:
                self._shift = self._begin()
                atexit.register(self.stop)

    def stop(self) -> None:
        """Jobs that are being painted are given back, for another worker to begin anew, or to go on with."""
        with self._lock:
            shift, self._shift = self._shift, None
        if shift:
            atexit.unregister(self.stop)
            shift.end()

    def run(self) -> None:
        """Until it is told to end, or its terminal is closed."""
        ends = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before there are threads, which inherit it
        self._engine.load()
        self.start()
        signal.sigwait(ends)
        self.stop()


class _WorkerRun:
    """A worker from its start to its end, under one name."""

    def __init__(self, jobs: Jobs, library: Library, engine: RenderEngine, threads: int) -> None:
        self._jobs = jobs
        self._library = library
        self._engine = engine
        self._sign = Heartbeat()
        self._attempts = Attempts(jobs, library, self._sign.name)
        self._threads = threads
        self._painting: set[ProgressReporter] = set()
        self._claiming = threading.Lock()
        self._over = threading.Event()
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
        _log.info("worker %s begins, with threads for %d pictures", self._sign.name, threads)
        self._consumer.start()
        for work, seconds in (
            (self._renew_and_requeue, _HEARTBEAT_SECONDS),
            (library.sweep, _SWEEP_SECONDS),
            (scratch.remove_stale_folders, _SWEEP_SECONDS),
        ):
            threading.Thread(target=self._repeat, args=(work, seconds), daemon=True).start()

    def end(self) -> None:
        with self._claiming:
            self._over.set()
        try:
            for report in tuple(self._painting):
                report.keep()
            self._attempts.give_all_back()
            self._consumer.stop(graceful=True)
        finally:
            self._sign.end()

    def _repeat(self, work: Callable[[], object], seconds: float) -> None:
        while not self._over.is_set():
            try:
                work()
            except Exception:
                _log.exception("%s will be tried again in %g s", work.__name__, seconds)
            self._over.wait(seconds)

    def _renew_and_requeue(self) -> None:
        self._attempts.renew({report.job.id for report in tuple(self._painting)})
        self._attempts.requeue_abandoned(is_dead)
        self._jobs.wake_if_queued()

    def _process_queue(self) -> None:
        while report := self._claim():
            try:
                self._process(report)
            finally:
                self._painting.discard(report)

    def _claim(self) -> ProgressReporter | None:
        with self._claiming:  # nothing is claimed once all has been given back
            job = None if self._over.is_set() else self._claim_next()
            if job is None:
                return None
            report = ProgressReporter(self._attempts, job, self._over)
            self._painting.add(report)
            return report

    def _claim_next(self) -> Job | None:
        """Pastiches never wait behind refinements: one of several threads is theirs, a single one takes them first."""
        refining = sum(not report.job.short for report in tuple(self._painting))
        return self._attempts.claim(only_short=refining >= max(1, self._threads - 1), short_first=self._threads == 1)

    def _process(self, report: ProgressReporter) -> None:
        job = report.job
        try:
            painted = _attempt_output(self._library.picture(job.order.content), self._render(report))
        except Cancelled:
            report.keep()
            self._attempts.give_back(job)
        except Exception as error:
            report.keep()
            told = failures.public_error(error)
            again = failures.status(error) >= 500  # it is not the order that is wrong
            self._attempts.retry(job, told) if again else self._attempts.fail(job, told)
        else:
            report.write_last_step()
            self._keep(job, painted)

    def _render(self, report: ProgressReporter) -> Pastiche | PastichePng:
        job, checkpoint = report.job, self._read_checkpoint(report)
        if not job.cancelling:
            return self._engine.run_job(lambda: self._render_order(report, checkpoint))
        if checkpoint is None:
            raise Cancelled
        return render_checkpoint(job.order, self._library, checkpoint)

    def _render_order(self, report: ProgressReporter, checkpoint: Checkpoint | None) -> Pastiche | PastichePng:
        job = report.job
        with self._reserve_memory(report):
            outcome = render_order(job.order, self._library, report, checkpoint, self._engine.refine_seconds)
        if not (outcome.complete or self._attempts.cancelling(job)):
            raise Cancelled  # for now only
        return outcome

    def _reserve_memory(self, report: ProgressReporter) -> AbstractContextManager[None]:
        """Set aside for a refinement, whatever the shape of its photo; a pastiche is no such load."""
        options = report.job.order.options
        if isinstance(options, StylizeOptions):
            return nullcontext()
        needed = math.ceil(memory.refining_bytes_per_pixel(resolve_options(options)) * options.size**2)
        return self._engine.memory.reserve(needed, report.raise_if_stopped)

    def _read_checkpoint(self, report: ProgressReporter) -> Checkpoint | None:
        """One that cannot be read is none."""
        kept = report.job.checkpoint
        if kept is None:
            return None
        try:
            picture = image_files.read(self._library.picture(kept["picture"]), field="checkpoint")
        except (Missing, ImageError):
            _log.exception("the checkpoint of job %s is lost: it begins anew", report.job.id)
            report.restart()
            return None
        return Checkpoint(pixel_ops.stack_alpha(picture), kept["step"], kept["seconds"], kept.get("paused", False))

    def _keep(self, job: Job, painted: AttemptOutput) -> None:
        """A disk or database that fails now may do better next time."""
        try:
            if self._attempts.finish(job, painted):
                _log.info("job %s: %.1f s", job.id, painted.seconds)
        except Exception as error:
            _log.exception("the result of job %s could not be kept", job.id)
            self._attempts.retry(job, failures.public_error(error))


class _Consumer(Consumer):  # type: ignore[misc]
    def _set_signal_handlers(self) -> None:
        """They are the process's own business, and this may not be its main thread."""


def _attempt_output(content: bytes, outcome: Pastiche | PastichePng) -> AttemptOutput:
    file = outcome if isinstance(outcome, PastichePng) else to_png(outcome)
    made = file.report
    return AttemptOutput(
        picture=file.png,
        before=image_files.encode(image_files.read_eight_bit(content, limit=_BEFORE_SIDE), "jpeg", 88),
        thumbnail=small_jpeg(file.png, _THUMBNAIL_SIDE),
        width=made.width,
        height=made.height,
        seconds=made.seconds,
        weights=made.weights,
        recipe=_without_mask_pngs(made.recipe) | ({"notes": made.notes} if made.notes else {}),
        complete=file.complete,
    )


def _without_mask_pngs(recipe: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of it; the pictures of masks are in the picture's own."""
    return recipe | ({"masks": [_without_png(mask) for mask in recipe["masks"]]} if recipe.get("masks") else {})


def _without_png(mask: Any) -> Any:
    return {name: value for name, value in mask.items() if name != "png"} if isinstance(mask, dict) else mask
