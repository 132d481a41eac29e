"""Decoding in a process of its own, which may be killed: pictures come from strangers, and decoders are large C libraries.

`workers.vision.decoder_process` is that process. It holds no secret and no connection, and each picture may take a
limited time of the processor: the kernel ends the process at that time, also within C, where no exception can interrupt.
Decoded pictures come back in memory that both processes share; the worker copies each one before it looks at it.
`Decoder` is the other side: it starts the process, and starts it again after it has ended. A picture that stalls or crashes
the decoder costs its own frame a 422, and the frames behind it in the same worker about a second.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from workers.vision import decoder_process
from workers.vision.decoder_process import ANSWER, BAD_IMAGE, BUFFER, MOST_BYTES, PICTURE, QUESTION, mapped
from workers.vision.errors import BadImage
from workers.vision.landmarks import Picture

log = structlog.get_logger(__name__)

#: Seconds of the processor that a picture may take: so many, and so many more for each permitted pixel. Ordinary frames take
#: milliseconds; the costliest permitted picture (a PNG of 16 bits with alpha) takes 60 ns a pixel.
STALLED, STALLED_PER_PIXEL = 0.6, 1e-7
#: How many times that in seconds of the clock the process may be silent: other processes may hold the processors.
PATIENCE = 3.0
#: Most seconds of the clock; less than a frame's deadline.
LONGEST = 4.0
#: Seconds of the clock that the process may take to start.
STARTING = 30.0
#: Milliseconds of one wait; in between the time limit can interrupt.
_WAIT = 100

#: Variables that the process is given; the others may be secrets.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
#: Variables of its own. The C library keeps the memory of an ordinary frame for the next one; it would return it each time.
_OWN_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(8 << 20),
}
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture, and the seconds of the processor that decoding took."""

    picture: Picture
    cost: float


#: Signals that end the process by the picture's fault: at the end of its time, by a crash, or for want of memory.
_BY_THE_PICTURE = (
    signal.SIGPROF,
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGKILL,
)


class DecoderError(RuntimeError):
    """Raised if the decoding process cannot work or is silent, which may be no fault of the picture.

    `cost` is the processor time in seconds that is charged for it.
    """

    def __init__(self, text: str, cost: float = 0.0) -> None:
        super().__init__(text)
        self.cost = cost


class Decoder:
    """Decodes pictures of at most `max_pixels` in a process of its own. One object belongs to one thread and process."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._seconds = STALLED + STALLED_PER_PIXEL * max_pixels
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        #: The shared memory, in which the process leaves a decoded picture.
        self._pixels: NDArray[np.uint8] | None = None
        self._ready = False
        self._number = 0

    def start(self) -> None:
        """Start the process, unless it runs; `__call__` does so too, but the picture then waits for it."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        with theirs, _memory() as memory:
            self._pixels = mapped(memory)
            self._process = subprocess.Popen(  # noqa: S603 - no input is part of the command
                [sys.executable, "-m", decoder_process.__name__, str(memory)],
                pass_fds=(memory,),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # the libraries' warnings about each broken picture
                cwd=_ROOT,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | _OWN_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C in a terminal is for the worker
            )
        ours.setblocking(False)
        self._socket = ours

    def close(self) -> None:
        """End the process."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = self._pixels = None
        self._ready = False

    def __call__(self, data: bytes) -> Decoded:
        """Decode as `workers.vision.decode.decode` does. Raises BadImage, also if the picture stalled the process."""
        self.start()
        if not self._ready:
            self._receive(1, time.monotonic() + STARTING)
            self._ready = True
        try:
            return self._ask(data)
        except BadImage:
            raise
        except BaseException:
            # Also when the time limit interrupts: the answer under way must not be taken for the next picture's.
            self.close()
            raise

    def _ask(self, data: bytes) -> Decoded:
        self._number += 1
        until = time.monotonic() + min(LONGEST, PATIENCE * self._seconds)
        self._send(QUESTION.pack(self._number, self._max_pixels, self._seconds, len(data)) + data, until)
        number, cost, kind, height, width, length = ANSWER.unpack(self._receive(ANSWER.size, until))
        text = self._receive(length, until).decode()
        if number != self._number:
            raise DecoderError("the decoder answered another question")
        if kind == PICTURE:
            return Decoded(self._picture(height, width), cost)
        if kind == BAD_IMAGE:
            code, _, detail = text.partition("\n")
            raise BadImage(code, detail, cost)
        raise DecoderError(text)

    def _picture(self, height: int, width: int) -> Picture:
        """A copy of the picture in the shared memory, which the process could change at any time."""
        assert self._pixels is not None
        count = 3 * height * width
        if not 0 < count <= len(self._pixels):
            raise DecoderError("the decoder answered with an impossible size")
        return self._pixels[:count].reshape(height, width, 3).copy()

    def _send(self, data: bytes, until: float) -> None:
        left = memoryview(data)
        while left:
            self._await(select.POLLOUT, until)
            try:
                left = left[self._open.send(left) :]
            except (BrokenPipeError, ConnectionResetError):
                self._ended()

    def _receive(self, length: int, until: float) -> bytearray:
        data = bytearray(length)
        left = memoryview(data)
        while left:
            self._await(select.POLLIN, until)
            try:
                count = self._open.recv_into(left)
            except ConnectionResetError:
                count = 0
            if count == 0:
                self._ended()
            left = left[count:]
        return data

    @property
    def _open(self) -> socket.socket:
        assert self._socket is not None
        return self._socket

    def _await(self, event: int, until: float) -> None:
        poll = select.poll()
        poll.register(self._open, event)
        while not poll.poll(_WAIT):
            if time.monotonic() > until:
                log.error("decoder.silent")
                raise DecoderError("the decoder is silent", self._seconds)

    def _ended(self) -> None:
        """The process has ended within a picture: raise BadImage if that is the picture's fault."""
        assert self._process is not None
        status = self._process.wait()
        self.close()
        if -status in _BY_THE_PICTURE:
            log.warning("decoder.ended", signal=-status)
            # The next picture's process starts meanwhile.
            self.start()
            raise BadImage("image_too_complex", "", self._seconds)
        raise DecoderError(f"the decoder ended with {status}")


@contextmanager
def _memory() -> Iterator[int]:
    """An open file of MOST_BYTES without a name, for memory that is shared.

    On Linux it is sealed: if the process could shrink the file, a worker that reads it would be killed.
    """
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("picture", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(memory, MOST_BYTES)
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            yield memory
        finally:
            os.close(memory)
    else:
        with tempfile.TemporaryFile() as file:
            file.truncate(MOST_BYTES)
            yield file.fileno()
