"""The secrets that each process needs, and how a process gets rid of the others.

A worker decodes pictures that anybody may send. Whoever takes such a process over finds in it what it holds: so it does not
hold what only others need. Platforms that run a Procfile give all processes one environment, so each process drops at its
start what is not its own. Where each process has an environment of its own (compose, Kubernetes), it never had it.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from shared.addresses import bare
from shared.settings import SECRETS, forget

#: The secret settings that each process needs beside the addresses; a process that is not named needs none.
NEEDED: dict[str, frozenset[str]] = {
    "web": frozenset(SECRETS),
    #: Opens the secrets of webhooks, if they are sealed.
    "events": frozenset({"token_secret"}),
}

#: Fields of /proc/self/stat, after the program's name, that hold the addresses of the environment's start and end.
_ENV_START, _ENV_END = 47, 48


def keep_own(process: str) -> None:
    """Drop the secrets that this process does not need from its settings, its environment and its memory of it.

    To be called before the settings are read and before other processes are started. METRICS replaces METRICS_TOKEN: the
    process still counts, without the token.
    """
    foreign = SECRETS - NEEDED.get(process, frozenset())
    if "metrics_token" in foreign and bare(os.environ.get("METRICS_TOKEN", "")):
        os.environ["METRICS"] = "on"
    names = {name for name in os.environ if name.lower() in foreign}
    for name in names:
        del os.environ[name]
    forget(foreign)
    if names:
        _wipe(names)


def _wipe(names: set[str]) -> None:
    """Overwrite variables in the memory that /proc/PID/environ shows; Linux only.

    The environment that a program was started with stays there, whatever `os.environ` is changed to.
    """
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[_ENV_START]), int(fields[_ENV_END])
        # What libc's `environ` still points to is not moved: only the values become zeros.
        shown = ctypes.string_at(start, end - start) if 0 < start < end else b""
    except (OSError, ValueError, IndexError):
        return
    at = 0
    for entry in shown.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if os.fsdecode(name) in names:
            ctypes.memset(start + at + len(name) + 1, 0, len(value))
        at += len(entry) + 1
