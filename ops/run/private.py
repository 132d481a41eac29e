"""Keeps what a start makes from the other users of this machine. Runs on a bare Python."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

#: The umask of everything that is started: no rights for the group and for others.
UMASK = 0o077


def make_private(directory: Path) -> None:
    """Make the directory, and take the rights of the group and of others from it and from all that is in it.

    Symbolic links, and what belongs to another user, stay as they are.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    tighten(directory)
    for parent, directories, files in os.walk(directory):
        for name in (*directories, *files):
            tighten(Path(parent, name))


def tighten(path: Path) -> None:
    """Take the rights of the group and of others from a file or directory, if it exists."""
    with suppress(OSError):  # gone meanwhile, or another user's
        mode = path.lstat().st_mode
        if mode & UMASK and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~UMASK)


def is_shared(path: Path) -> bool:
    """Whether the group or others may read the file."""
    with suppress(OSError):
        return bool(path.stat().st_mode & 0o044)
    return False
