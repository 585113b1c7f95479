"""Leases of running jobs, measured by the clock of whoever watches them: no two machines' clocks are compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from app.jobs.queue import Job

# Which attempt of which job, and what its worker changes with each sign of life.
_Sign: TypeAlias = tuple[str, str | None, float | None, float | None]


class LeaseWatch:
    """What one process has seen of the signs of life of all running jobs."""

    def __init__(self, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        """lease: seconds without a sign of life after which a job is taken from its worker."""
        self._lease = lease
        self._clock = clock
        self._last_look = clock()
        self._silences: dict[_Sign, float] = {}

    def expired(self, running: Iterable[Job]) -> list[Job]:
        """Return those of the jobs, all that run at the moment, whose worker has been silent for too long."""
        silence = self._silence_since_last_look()
        signs = {_sign(job): job for job in running}
        self._silences = {sign: self._silences[sign] + silence if sign in self._silences else 0.0 for sign in signs}
        return [job for sign, job in signs.items() if self._silences[sign] > self._lease]

    def _silence_since_last_look(self) -> float:
        """Return the seconds since the last look, but of a long time without a look only a part.

        While the database does not answer, nobody can look and no worker can renew its leases: each gets the time to.
        """
        now = self._clock()
        passed, self._last_look = now - self._last_look, now
        return min(passed, self._lease / 4)


def _sign(job: Job) -> _Sign:
    return job.id, job.worker, job.started, job.lease_until
