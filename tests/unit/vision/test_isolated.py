"""Strangers' pictures are decoded in a process of its own, which a bad one may stall or end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from tests.unit.vision.pictures import encode, gradient, jpeg_of_scans
from tests.waiting import until
from workers.vision import isolated
from workers.vision.decode import decode
from workers.vision.decoder_process import MOST_BYTES
from workers.vision.errors import BadImage
from workers.vision.isolated import Decoder, DecoderError

MOST = 25_000_000
FRAME = encode(gradient(640, 480))
#: Passes all checks, and takes a few tenths of a second.
COSTLY = jpeg_of_scans(5000, 5000, 20)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoder]:
    monkeypatch.setattr(isolated, "STALLED_PER_PIXEL", 0.0)
    monkeypatch.setattr(isolated, "STALLED", 0.05)
    # Only this long, so that a test which expects the end by the processor's time is sure to see that one.
    monkeypatch.setattr(isolated, "PATIENCE", 1000.0)
    decoder = Decoder(MOST)
    yield decoder
    decoder.close()


def process_of(decoder: Decoder) -> psutil.Process:
    decoder.start()
    assert decoder._process is not None
    return psutil.Process(decoder._process.pid)


def test_a_picture_is_the_same_as_decoded_here(decoder: Decoder) -> None:
    assert np.array_equal(decoder(FRAME).picture, decode(FRAME, MOST))


def test_a_picture_stays_as_it_is_when_the_next_one_is_decoded(decoder: Decoder) -> None:
    first = decoder(FRAME).picture
    decoder(encode(255 - gradient(640, 480)))
    assert np.array_equal(first, decode(FRAME, MOST))


def test_the_largest_picture_fits_into_the_shared_memory(decoder: Decoder) -> None:
    square = encode(gradient(640, 640))
    assert np.array_equal(decoder(square).picture, decode(square, MOST))


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux seals memory")
def test_the_process_cannot_shrink_the_memory_that_the_worker_reads() -> None:
    with isolated._memory() as memory:
        with pytest.raises(PermissionError):
            os.ftruncate(memory, 0)
        assert os.fstat(memory).st_size == MOST_BYTES


def test_a_picture_of_an_impossible_size_is_not_read(decoder: Decoder) -> None:
    decoder(FRAME)
    with pytest.raises(DecoderError):
        decoder._picture(641, 641)


def test_a_bad_picture_is_refused_as_here(decoder: Decoder) -> None:
    with pytest.raises(BadImage) as raised:
        decoder(b"not a picture")
    assert raised.value.code == "not_an_image"
    assert raised.value.detail.endswith(".")


def test_a_picture_that_stalls_the_decoder_costs_only_its_own_frame(decoder: Decoder) -> None:
    decoder(FRAME)
    before = process_of(decoder).pid
    with pytest.raises(BadImage) as raised:
        decoder(COSTLY)
    assert raised.value.code == "image_too_complex"
    assert raised.value.cost == 0.05
    assert decoder(FRAME).picture.shape == (480, 640, 3)
    assert process_of(decoder).pid != before


@pytest.mark.parametrize("fatal", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_picture_that_crashes_the_decoder_costs_only_its_own_frame(decoder: Decoder, fatal: signal.Signals) -> None:
    decoder(FRAME)
    process = process_of(decoder)
    process.suspend()  # so that the process ends within the picture, not before it

    def end() -> None:
        process.send_signal(fatal)
        if fatal != signal.SIGKILL:
            process.resume()

    ending = threading.Timer(0.2, end)
    ending.start()
    with pytest.raises(BadImage):
        decoder(FRAME)
    ending.join()
    assert decoder(FRAME).picture.shape == (480, 640, 3)


def test_a_decoder_that_is_silent_is_no_fault_of_the_picture(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder(FRAME)
    monkeypatch.setattr(isolated, "LONGEST", 0.3)
    process_of(decoder).suspend()
    began = time.monotonic()
    with pytest.raises(DecoderError):
        decoder(FRAME)
    assert time.monotonic() - began < 3
    monkeypatch.undo()
    assert decoder(FRAME).picture.shape == (480, 640, 3)


def test_an_interrupted_answer_is_not_taken_for_the_next_pictures(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit interrupts anywhere; the picture of one session must not be measured as another's."""
    decoder(FRAME)

    class Interrupted(BaseException):
        pass

    def interrupt(*_: object) -> bytearray:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(decoder, "_receive", interrupt)
        with pytest.raises(Interrupted):
            decoder(FRAME)
    other = encode(gradient(320, 240))
    assert np.array_equal(decoder(other).picture, decode(other, MOST))


def test_the_process_holds_no_secret_and_ends_with_its_worker(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_SECRET", "0123456789abcdef0123456789abcdef")
    decoder(FRAME)
    process = process_of(decoder)
    assert "TOKEN_SECRET" not in process.environ()
    assert not process.net_connections("inet")
    assert process.pid != os.getpid()
    decoder._open.close()  # as the kernel does when the worker has ended
    until(lambda: process.status() == psutil.STATUS_ZOMBIE)
