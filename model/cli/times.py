"""How long a thing takes, in words and as a bar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from tqdm import tqdm

from model.progress import OnStep, Step

FORMAT = "{percentage:3.0f}%|{bar}| {elapsed}{postfix}"


def duration(seconds: float) -> str:
    """ "45 s", "2 min 10 s" or "1 h 5 min": no more exact than a forecast can be."""
    if round(seconds) < 60:
        return f"{max(1, round(seconds))} s"
    tens = round(seconds / 10)
    if tens < 360:
        return _joined(tens // 6, "min", tens % 6 * 10, "s")
    minutes = round(seconds / 60)
    return _joined(minutes // 60, "h", minutes % 60, "min")


def _joined(many: int, large: str, rest: int, small: str) -> str:
    return f"{many} {large} {rest} {small}" if rest else f"{many} {large}"


@contextmanager
def bar(disable: bool = False) -> Iterator[OnStep]:
    """On stderr from the first step on, with the time that is left; gone once it is over."""
    with ExitStack() as stack:
        shown: list[tqdm[NoReturn]] = []

        def on_step(step: Step) -> None:
            if not shown:
                shown.append(stack.enter_context(tqdm(disable=disable, leave=False, bar_format=FORMAT)))
            shown[0].total, shown[0].n = step.steps, step.step
            if step.seconds_left is not None:
                shown[0].set_postfix_str(f"about {duration(step.seconds_left)} left", refresh=False)
            shown[0].refresh()

        yield on_step
