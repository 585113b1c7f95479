"""Paints what waits in the table of jobs: in threads of the server, or in a process of its own."""

from __future__ import annotations

import atexit
import logging
import signal
import threading
import time
from collections.abc import Callable

from huey.consumer import Consumer

from app import failures
from app.alive import SignOfLife, is_dead
from app.attempts import Attempts, Painted
from app.engine import Engine
from app.jobs import Job, Jobs
from app.library import Library
from model import images, transfer
from model.images import Picture
from model.progress import Cancelled, Step
from model.transfer import Pastiche

_log = logging.getLogger(__name__)

_BEAT = 1.0  # seconds between signs of life; a job whose message was lost waits no longer either
_LISTEN = 0.2  # seconds, at most, between two looks into a queue where one cannot wait, as SQLite's
_RETRY = 5.0  # seconds, at most, until a queue out of reach is tried again
_SWEEP = 300.0  # seconds between sweeps of the library
_GRACE = 5.0  # seconds for the threads to end, once all is given back
_TELL, _SHOW = 0.3, 1.0  # seconds, at least, between two rows about progress, and two previews
_PREVIEW, _BEFORE, _THUMBNAIL = 512, 1024, 360  # pixels, long side


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
        """Jobs that are being painted are given back, for another worker to begin anew."""
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
        self._painting: set[str] = set()
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
        for work, seconds in ((self._beat, _BEAT), (library.sweep, _SWEEP)):
            threading.Thread(target=self._repeat, args=(work, seconds), daemon=True).start()

    def end(self) -> None:
        with self._claiming:
            self._over.set()
        try:
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
        self._attempts.renew(tuple(self._painting))
        self._attempts.requeue_abandoned(is_dead)
        self._jobs.wake_for_waiting()

    def _paint_waiting(self) -> None:
        while job := self._claim():
            try:
                self._paint(job)
            finally:
                self._painting.discard(job.id)

    def _claim(self) -> Job | None:
        with self._claiming:  # nothing is claimed once all has been given back
            job = None if self._over.is_set() else self._attempts.claim()
            if job:
                self._painting.add(job.id)
            return job

    def _paint(self, job: Job) -> None:
        try:
            painted = self._engine.run_job(lambda: self._painted(job))
        except Cancelled:
            self._attempts.stopped(job)
        except Exception as error:
            told = failures.public(error)
            again = failures.status(error) >= 500  # it is not the order that is wrong
            self._attempts.retry(job, told) if again else self._attempts.fail(job, told)
        else:
            self._keep(job, painted)

    def _painted(self, job: Job) -> Painted:
        content, styles = job.order.sources(self._library)
        report = _Report(self._attempts, job, self._over)
        pastiche = transfer.stylize(content, styles, job.order.options, on_step=report)
        return _painted(content, pastiche)

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


class _Report:
    """What is called at each step: keeps the row and its preview up to date, and stops the painting when told to."""

    def __init__(self, attempts: Attempts, job: Job, over: threading.Event) -> None:
        self._attempts = attempts
        self._job = job
        self._over = over
        self._told = self._showed = -_SHOW  # time.monotonic()

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if self._over.is_set():
            raise Cancelled
        if now - self._told < _TELL and step.step < step.steps:
            return
        self._told = now
        preview = step.preview if now - self._showed >= _SHOW else None
        if preview:
            self._showed = now
        if not self._tell(step, preview):
            raise Cancelled

    def _tell(self, step: Step, preview: Picture | None) -> bool:
        try:
            return self._attempts.progress(self._job, step, _jpeg(preview, _PREVIEW) if preview else None)
        except Exception:  # no preview is worth a picture
            _log.exception("the progress of job %s could not be written down", self._job.id)
            return True


def _painted(content: bytes, pastiche: Pastiche) -> Painted:
    height, width = pastiche.picture.rgb.shape[:2]
    return Painted(
        picture=images.encode(pastiche.picture, "png"),
        before=images.encode(images.read(content, limit=_BEFORE), "jpeg", 88),
        thumbnail=_jpeg(pastiche.picture, _THUMBNAIL),
        width=width,
        height=height,
        seconds=pastiche.seconds,
        weights=pastiche.weights,
        recipe=pastiche.recipe,
        complete=pastiche.complete,
    )


def _jpeg(picture: Picture, side: int) -> bytes:
    return images.encode(images.read(transfer.as_array(picture), limit=side), "jpeg", 85)
