"""Numba's compiler as it is used here, and the folder of its cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import numba

from model import settings

Function: TypeAlias = Callable[..., Any]

config: Any = numba.config  # a module that defines its names when it is loaded

# Without the global interpreter lock; a * b + c in one step; divisions that do not check for zeros.
_JIT_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}


def cached_njit(**options: Any) -> Callable[[Function], Function]:
    """Decorate a function that Numba is to compile.

    The result is cached where Numba puts it, beside the code or in the user's cache; where neither can be written, in
    the cache folder of the settings. Where that cannot be written either, each process compiles anew, for some seconds.
    """

    def decorate(function: Function) -> Function:
        for folder in str(config.CACHE_DIR), str(settings.cache_dir() / "numba"):
            with suppress(RuntimeError), _use_cache_dir(folder):
                return numba.njit(cache=True, **_JIT_OPTIONS, **options)(function)  # type: ignore[no-any-return]
        return numba.njit(**_JIT_OPTIONS, **options)(function)  # type: ignore[no-any-return]

    return decorate


@contextmanager
def _use_cache_dir(folder: str) -> Iterator[None]:
    """Set the cache folder while a function is decorated: Numba reads it then, from a setting of the whole process."""
    before, config.CACHE_DIR = config.CACHE_DIR, folder
    try:
        yield
    finally:
        config.CACHE_DIR = before
