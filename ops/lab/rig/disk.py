"""A small disk that can be filled: a tmpfs, which needs root to be mounted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class SmallDisk:
    """A disk of a given size, mounted on `path`."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path, self._megabytes = path, megabytes
        self._filler = path / "filler"

    def mount(self) -> None:
        """Mount the disk. Raises PermissionError without root."""
        if os.geteuid() != 0:
            raise PermissionError("a small disk needs root, to mount a tmpfs")
        self.path.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m,mode=755", "chaos", self.path], check=True
        )

    def unmount(self) -> None:
        """Unmount the disk, even if files on it are open."""
        subprocess.run(["umount", "-l", self.path], check=False)

    def fill(self) -> None:
        """Fill the disk to its last byte."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        """Free what `fill` took."""
        self._filler.unlink(missing_ok=True)
