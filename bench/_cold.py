"""Where the time of a process's first pastiche goes, as JSON.

python -m bench._cold PHOTO PAINTING
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_spent: dict[str, float] = {}


def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def timing(*given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return call(*given, **named)
        finally:
            _spent[name] = _spent.get(name, 0.0) + time.perf_counter() - start

    return timing


def main(photo: Path, painting: Path) -> None:
    stylize = timed("import the library", _library)()
    timed("import TensorFlow", _tensorflow)()
    magenta = timed("import Keras and the networks", _networks)()
    magenta.read_weights = timed("read the weights", magenta.read_weights)
    magenta.Magenta = timed("build the networks", magenta.Magenta)
    first = timed("first pastiche", stylize)
    first(photo, [painting])
    _spent["first pastiche"] -= _spent["read the weights"] + _spent["build the networks"]
    timed("second pastiche", stylize)(photo, [painting])
    print(json.dumps(_spent))


def _library() -> Any:
    from model.pipelines.stylization import stylize

    return stylize


def _tensorflow() -> None:
    from model.hardware.device import gc_disabled  # not above: that would import the library

    with gc_disabled():
        import tensorflow  # noqa: F401


def _networks() -> Any:
    from model.hardware.device import gc_disabled

    with gc_disabled():
        from model.inference import magenta

    return magenta


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
