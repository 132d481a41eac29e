"""Returns memory that a process has freed to the system, which the C library otherwise keeps for the process."""

from __future__ import annotations

import ctypes


def return_free_memory() -> None:
    """Return all freed memory to the system. Does nothing where the C library is not glibc.

    Worth its while once, after models are loaded: decoding and converting them takes several times their size.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
