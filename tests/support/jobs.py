"""What tests of jobs and attempts have in common."""

from __future__ import annotations

from app.jobs.attempts import AttemptOutput

ANN, BOB = "a" * 32, "b" * 32


FAILED = {"code": "broken_image", "message": "This picture is damaged.", "field": "content"}


def is_never_dead(worker: str) -> bool:
    return False


def attempt_output(complete: bool = True, picture: bytes = b"the picture") -> AttemptOutput:
    files = {"picture": picture, "before": b"before", "thumbnail": b"thumbnail"}
    return AttemptOutput(
        **files, width=4, height=3, seconds=0.5, weights="w", recipe={"strength": 1}, complete=complete
    )


def row_of(step: int) -> list[float]:
    return [step, 0.4, 0.3, 0.2, 0.1]
