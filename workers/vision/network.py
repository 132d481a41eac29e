"""MediaPipe's networks (TFLite files), behind one interface, run by LiteRT or by OpenCV.

Both give the same numbers (tests/unit/vision/test_network.py); LiteRT takes a third of the time (docs/adr/0006), but has no
wheels for some systems. One object belongs to one thread, and is made after the last fork.
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

#: What runs the networks.
Runtime = Literal["litert", "opencv"]
#: Numbers of one output: pictures, then whatever one picture gives.
Output = NDArray[np.float32]


class Network(Protocol):
    """One network."""

    def __call__(self, *pictures: Picture) -> list[Output]:
        """The outputs that were asked for at loading, each (pictures, numbers); the pictures have the input's size."""


def usual_runtime() -> Runtime:
    """LiteRT where it is installed."""
    return "litert" if importlib.util.find_spec("ai_edge_litert") else "opencv"


def load_network(file: Path, outputs: Sequence[str], *, lowest: float = 0.0, runtime: Runtime | None = None) -> Network:
    """Load a network that takes colour pictures.

    outputs: names of what it is to give, in this order. lowest: what a black pixel is to the network (0 or -1); a white one
    is 1. runtime: LiteRT or OpenCV; by default what there is.
    """
    kind = LiteRtNetwork if (runtime or usual_runtime()) == "litert" else OpenCvNetwork
    return kind(file, outputs, lowest)


class LiteRtNetwork:
    """Run by LiteRT (Apache-2.0), on the calling thread."""

    def __init__(self, file: Path, outputs: Sequence[str], lowest: float) -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 # not everywhere installed

        with _quiet():
            self._interpreter = Interpreter(str(file), num_threads=1)
            self._interpreter.allocate_tensors()
        (given,) = self._interpreter.get_input_details()
        self._input = self._interpreter.tensor(given["index"])
        indices = {output["name"]: output["index"] for output in self._interpreter.get_output_details()}
        self._outputs = [indices[name] for name in outputs]
        self._scale, self._lowest = np.float32((1 - lowest) / 255), np.float32(lowest)

    def __call__(self, *pictures: Picture) -> list[Output]:
        """See Network."""
        given = [self._run(picture) for picture in pictures]
        return [np.stack(output) for output in zip(*given, strict=True)]

    def _run(self, picture: Picture) -> list[Output]:
        # Straight into the network's own memory. The view is not kept: LiteRT does not run while somebody holds one.
        seen = self._input()[0]
        np.multiply(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), self._scale, out=seen)
        if self._lowest:
            seen += self._lowest
        del seen
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index).ravel() for index in self._outputs]


class OpenCvNetwork:
    """Run by OpenCV."""

    def __init__(self, file: Path, outputs: Sequence[str], lowest: float) -> None:
        # The classic engine: OpenCV 5's new one offers some of the outputs only.
        self._net = cv2.dnn.readNetFromTFLite(str(file), cv2.dnn.ENGINE_CLASSIC)
        self._outputs = list(outputs)
        self._scale = (1 - lowest) / 255
        self._mean = (-lowest / self._scale,) * 3

    def __call__(self, *pictures: Picture) -> list[Output]:
        """See Network."""
        # One by one: some of the networks are written for one picture, and OpenCV would mix several up.
        given = [self._run(picture) for picture in pictures]
        return [np.stack(output) for output in zip(*given, strict=True)]

    def _run(self, picture: Picture) -> list[Output]:
        self._net.setInput(cv2.dnn.blobFromImage(picture, self._scale, mean=self._mean, swapRB=True))
        return [np.array(output, np.float32).ravel() for output in self._net.forward(self._outputs)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what a library writes to the process's standard error by itself: LiteRT greets with a line a network."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
