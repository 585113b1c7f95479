"""Numba's compiler as it is used here, and where it keeps what it has compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import numba

from model import settings

Function: TypeAlias = Callable[..., Any]

config: Any = numba.config  # a module whose names are made when it is loaded

# Without Python's lock; a * b + c in one step; divisions that do not look for zeros.
_JIT_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}


def cached_njit(**options: Any) -> Callable[[Function], Function]:
    """Decorates a function that Numba is to compile.

    The result is kept where Numba keeps it, beside the code or in the user's cache; where neither can be written, in
    the cache folder of the settings. Where that cannot be, each process compiles anew, which takes some seconds.
    """

    def decorate(function: Function) -> Function:
        for folder in str(config.CACHE_DIR), str(settings.cache_dir() / "numba"):
            with suppress(RuntimeError), _use_cache_dir(folder):
                return numba.njit(cache=True, **_JIT_OPTIONS, **options)(function)  # type: ignore[no-any-return]
        return numba.njit(**_JIT_OPTIONS, **options)(function)  # type: ignore[no-any-return]

    return decorate


@contextmanager
def _use_cache_dir(folder: str) -> Iterator[None]:
    """Numba looks where to keep a function when it is decorated; its setting is the whole process's."""
    before, config.CACHE_DIR = config.CACHE_DIR, folder
    try:
        yield
    finally:
        config.CACHE_DIR = before
