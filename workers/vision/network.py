"""Runs MediaPipe's networks (TFLite files) by LiteRT or by OpenCV, behind one interface.

Both give the same numbers (tests/unit/vision/test_network.py). LiteRT is faster (docs/adr/0006), but has no wheels for some
systems. A network belongs to one thread, and must be loaded after the process has forked.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture

#: The library that runs the networks.
Runtime = Literal["litert", "opencv"]
#: One output (pictures, numbers).
Output = NDArray[np.float32]


class Network(Protocol):
    """A loaded network: call it with pictures."""

    def __call__(self, *pictures: Picture) -> list[Output]:
        """The outputs that `load_network` named, in its order; the pictures must have the size of the network's input."""


def usual_runtime() -> Runtime:
    """LiteRT if it is installed, else OpenCV."""
    return "litert" if importlib.util.find_spec("ai_edge_litert") else "opencv"


def load_network(file: Path, outputs: Sequence[str], *, lowest: float = 0.0, runtime: Runtime | None = None) -> Network:
    """Load a network that takes colour pictures.

    outputs: names of the outputs to return, in this order. lowest: value of a black pixel in the network's input, 0 or -1; a
    white one is 1. runtime: LiteRT or OpenCV; default: `usual_runtime`.
    """
    kind = LiteRtNetwork if (runtime or usual_runtime()) == "litert" else OpenCvNetwork
    return kind(file, outputs, lowest)


class LiteRtNetwork:
    """A network run by LiteRT (Apache-2.0) on the calling thread."""

    def __init__(self, file: Path, outputs: Sequence[str], lowest: float) -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 # not installed everywhere

        with _quiet():
            self._interpreter = Interpreter(str(file), num_threads=1)
            self._interpreter.allocate_tensors()
        (given,) = self._interpreter.get_input_details()
        self._input = self._interpreter.tensor(given["index"])
        indices = {output["name"]: output["index"] for output in self._interpreter.get_output_details()}
        self._outputs = [indices[name] for name in outputs]
        self._scale, self._lowest = np.float32((1 - lowest) / 255), np.float32(lowest)

    def __call__(self, *pictures: Picture) -> list[Output]:
        """Run the network, see `Network`."""
        given = [self._run(picture) for picture in pictures]
        return [np.stack(output) for output in zip(*given, strict=True)]

    def _run(self, picture: Picture) -> list[Output]:
        # Written into the network's own memory. The view is deleted, since LiteRT refuses to run while one exists.
        view = self._input()[0]
        np.multiply(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), self._scale, out=view)
        if self._lowest:
            view += self._lowest
        del view
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index).ravel() for index in self._outputs]


class OpenCvNetwork:
    """A network run by OpenCV."""

    def __init__(self, file: Path, outputs: Sequence[str], lowest: float) -> None:
        # The classic engine, because OpenCV 5's new one offers only some of the outputs.
        self._net = cv2.dnn.readNetFromTFLite(str(file), cv2.dnn.ENGINE_CLASSIC)
        self._outputs = list(outputs)
        self._scale = (1 - lowest) / 255
        self._mean = (-lowest / self._scale,) * 3

    def __call__(self, *pictures: Picture) -> list[Output]:
        """Run the network, see `Network`."""
        # One picture at a time: some networks take just one, and OpenCV would mix several up.
        given = [self._run(picture) for picture in pictures]
        return [np.stack(output) for output in zip(*given, strict=True)]

    def _run(self, picture: Picture) -> list[Output]:
        self._net.setInput(cv2.dnn.blobFromImage(picture, self._scale, mean=self._mean, swapRB=True))
        return [np.array(output, np.float32).ravel() for output in self._net.forward(self._outputs)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what a library writes to the process's standard error: LiteRT writes a line for each network."""
    sys.stderr.flush()
    original, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(devnull)
