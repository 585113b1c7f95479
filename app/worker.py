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
from app.alive import SignOfLife, is_dead
from app.attempts import Attempts, Painted
from app.engine import Engine
from app.failures import Missing
from app.jobs import Job, Jobs
from app.library import Library
from app.painting import PaintedFile, as_far_as_it_is, as_file, paint_order, small_jpeg
from app.report import Report
from model import canvas, images, memory, transfer
from model.errors import ImageError
from model.options import StylizeOptions
from model.progress import Cancelled, Checkpoint
from model.refine import checked
from model.transfer import Pastiche

_log = logging.getLogger(__name__)

_BEAT = 1.0  # seconds between signs of life; a job whose message was lost waits no longer either
_LISTEN = 0.2  # seconds, at most, between two looks into a queue where one cannot wait, as SQLite's
_RETRY = 5.0  # seconds, at most, until a queue out of reach is tried again
_SWEEP = 300.0  # seconds between sweeps of the library
_GRACE = 5.0  # seconds for the threads to end, once all is given back
_BEFORE, _THUMBNAIL = 1024, 360  # pixels, long side


class Worker:
    def __init__(self, jobs: Jobs, library: Library, engine: Engine, threads: int) -> None:
        self._engine = engine
        self._begin: Callable[[], _Shift] = lambda: _Shift(jobs, library, engine, threads)
        self._shift: _Shift | None = None
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


class _Shift:
    """A worker from its start to its end, under one name."""

    def __init__(self, jobs: Jobs, library: Library, engine: Engine, threads: int) -> None:
        self._jobs = jobs
        self._library = library
        self._engine = engine
        self._sign = SignOfLife()
        self._attempts = Attempts(jobs, library, self._sign.name)
        self._threads = threads
        self._painting: set[Report] = set()
        self._claiming = threading.Lock()
        self._over = threading.Event()
        self._consumer = _Consumer(
            jobs.huey,
            workers=threads,
            periodic=False,
            scheduler_interval=60,  # nothing is scheduled
            initial_delay=_LISTEN / 4,
            max_delay=_RETRY if jobs.huey.storage.blocking else _LISTEN,
            shutdown_timeout=_GRACE,
        )
        jobs.listen(self._paint_waiting)
        _log.info("worker %s begins, with threads for %d pictures", self._sign.name, threads)
        self._consumer.start()
        for work, seconds in ((self._beat, _BEAT), (library.sweep, _SWEEP), (canvas.sweep, _SWEEP)):
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

    def _beat(self) -> None:
        self._attempts.renew({report.job.id for report in tuple(self._painting)})
        self._attempts.requeue_abandoned(is_dead)
        self._jobs.wake_for_waiting()

    def _paint_waiting(self) -> None:
        while report := self._claim():
            try:
                self._paint(report)
            finally:
                self._painting.discard(report)

    def _claim(self) -> Report | None:
        with self._claiming:  # nothing is claimed once all has been given back
            job = None if self._over.is_set() else self._next()
            if job is None:
                return None
            report = Report(self._attempts, job, self._over)
            self._painting.add(report)
            return report

    def _next(self) -> Job | None:
        """Pastiches never wait behind refinements: one of several threads is theirs, a single one takes them first."""
        refining = sum(not report.job.short for report in tuple(self._painting))
        return self._attempts.claim(only_short=refining >= max(1, self._threads - 1), short_first=self._threads == 1)

    def _paint(self, report: Report) -> None:
        job = report.job
        try:
            painted = _painted(self._library.picture(job.order.content), self._outcome(report))
        except Cancelled:
            report.keep()
            self._attempts.stopped(job)
        except Exception as error:
            report.keep()
            told = failures.public(error)
            again = failures.status(error) >= 500  # it is not the order that is wrong
            self._attempts.retry(job, told) if again else self._attempts.fail(job, told)
        else:
            report.tell_last()
            self._keep(job, painted)

    def _outcome(self, report: Report) -> Pastiche | PaintedFile:
        job, checkpoint = report.job, self._checkpoint(report)
        if not job.cancelling:
            return self._engine.run_job(lambda: self._brought_further(report, checkpoint))
        if checkpoint is None:
            raise Cancelled
        return as_far_as_it_is(job.order, self._library, checkpoint)

    def _brought_further(self, report: Report, checkpoint: Checkpoint | None) -> Pastiche | PaintedFile:
        job = report.job
        with self._memory(report):
            outcome = paint_order(job.order, self._library, report, checkpoint, self._engine.refine_seconds)
        if not (outcome.complete or self._attempts.cancelling(job)):
            raise Cancelled  # for now only
        return outcome

    def _memory(self, report: Report) -> AbstractContextManager[None]:
        """Set aside for a refinement, whatever the shape of its photo; a pastiche is no such load."""
        options = report.job.order.options
        if isinstance(options, StylizeOptions):
            return nullcontext()
        needed = math.ceil(memory.refining_bytes_per_pixel(checked(options)) * options.size**2)
        return self._engine.memory.set_aside(needed, report.look)

    def _checkpoint(self, report: Report) -> Checkpoint | None:
        """One that cannot be read is none."""
        kept = report.job.checkpoint
        if kept is None:
            return None
        try:
            picture = images.read(self._library.picture(kept["picture"]), field="checkpoint")
        except (Missing, ImageError):
            _log.exception("the checkpoint of job %s is lost: it begins anew", report.job.id)
            report.begin_anew()
            return None
        return Checkpoint(transfer.as_array(picture), kept["step"], kept["seconds"], kept.get("paused", False))

    def _keep(self, job: Job, painted: Painted) -> None:
        """A disk or database that fails now may do better next time."""
        try:
            if self._attempts.finish(job, painted):
                _log.info("job %s: %.1f s", job.id, painted.seconds)
        except Exception as error:
            _log.exception("the result of job %s could not be kept", job.id)
            self._attempts.retry(job, failures.public(error))


class _Consumer(Consumer):  # type: ignore[misc]
    def _set_signal_handlers(self) -> None:
        """They are the process's own business, and this may not be its main thread."""


def _painted(content: bytes, outcome: Pastiche | PaintedFile) -> Painted:
    file = outcome if isinstance(outcome, PaintedFile) else as_file(outcome)
    made = file.report
    return Painted(
        picture=file.png,
        before=images.encode(images.decode(content, limit=_BEFORE), "jpeg", 88),
        thumbnail=small_jpeg(file.png, _THUMBNAIL),
        width=made.width,
        height=made.height,
        seconds=made.seconds,
        weights=made.weights,
        recipe=_told(made.recipe) | ({"notes": made.notes} if made.notes else {}),
        complete=file.complete,
    )


def _told(recipe: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of it; the pictures of masks are in the picture's own."""
    return recipe | ({"masks": [_without_png(mask) for mask in recipe["masks"]]} if recipe.get("masks") else {})


def _without_png(mask: Any) -> Any:
    return {name: value for name, value in mask.items() if name != "png"} if isinstance(mask, dict) else mask
