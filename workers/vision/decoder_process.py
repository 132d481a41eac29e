"""The process that decodes pictures for a worker: `python -m workers.vision.decoder_process MEMORY`.

`workers.vision.isolated` starts it and is its other side. Each worker has such a process: it imports as little as it can.
"""

from __future__ import annotations

import mmap
import resource
import signal
import socket
import struct
import sys
import time

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.decode import WORKING_SIDE, decode
from workers.vision.errors import BadImage

#: Of a question: number, most pixels, seconds of the processor, bytes of the picture that follow.
QUESTION = struct.Struct("!QQdQ")
#: Of an answer: number, seconds of the processor spent, kind, height, width, bytes of the text that follows.
ANSWER = struct.Struct("!QdBIIQ")
#: The kinds of an answer: a picture in the shared memory, a BadImage, or a fault of the process.
PICTURE, BAD_IMAGE, FAULT = range(3)
#: Bytes that the socket between both processes holds.
BUFFER = 1 << 20
#: Bytes of the largest decoded picture: those of the shared memory.
MOST_BYTES = 3 * WORKING_SIDE**2


def mapped(memory: int) -> NDArray[np.uint8]:
    """The shared memory behind an open file, as bytes (MOST_BYTES,)."""
    return np.frombuffer(mmap.mmap(memory, MOST_BYTES), np.uint8)


def main(memory: int) -> None:
    """Decode one picture after the other, until the worker has gone.

    memory: the open file in which decoded pictures are left.
    """
    cv2.setNumThreads(1)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for limited in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):  # no dump of a face, no file
        resource.setrlimit(limited, (0, 0))
    pixels = mapped(memory)
    with socket.socket(fileno=0) as worker:
        stream = worker.makefile("rwb", buffering=BUFFER)
        stream.write(b"!")
        stream.flush()
        while len(head := stream.read(QUESTION.size)) == QUESTION.size:
            number, max_pixels, seconds, length = QUESTION.unpack(head)
            data = stream.read(length)
            began = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, seconds)
            kind, height, width, text = _answer(data, max_pixels, pixels)
            signal.setitimer(signal.ITIMER_PROF, 0)
            stream.write(ANSWER.pack(number, time.process_time() - began, kind, height, width, len(text)) + text)
            stream.flush()


def _answer(data: bytes, max_pixels: int, pixels: NDArray[np.uint8]) -> tuple[int, int, int, bytes]:
    try:
        picture = decode(data, max_pixels)
    except BadImage as error:
        return BAD_IMAGE, 0, 0, f"{error.code}\n{error.detail}".encode()
    except Exception as error:  # noqa: BLE001 - the worker logs it
        return FAULT, 0, 0, repr(error).encode()
    height, width = picture.shape[:2]
    pixels[: picture.size] = picture.ravel()
    return PICTURE, height, width, b""


if __name__ == "__main__":
    main(int(sys.argv[1]))
