"""Converts dlib's face descriptor network to ONNX, so that OpenCV can run it, faster than dlib and with equal results.

The weights are read from dlib's own model file, once a process. The layers are those of dlib's example
`dnn_face_recognition_ex.cpp` (public domain): a residual network of 29 convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.vision.onnx import Graph

#: Side of the network's input in pixels, and length of its output.
SIDE, NUMBERS = 150, 128
#: The residual levels in the order of computation: channels, blocks, and whether the first block halves the picture.
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
#: Side in pixels of the feature map after the first convolution and the pooling.
_POOLED = 35
#: Names of the layers with weights, as dlib writes them: number of bytes of the length, the length, the name.
_CONVOLUTION, _AFFINE, _FULL = b"\x01\x05con_4", b"\x01\x07affine_", b"\x01\x04fc_2"
#: Numbers between the name of a fully connected layer and its weights: the sizes of output and input.
_FULL_HEAD = 2
#: Version of dlib's tensor format that this module reads.
_TENSOR_VERSION = 2

_Weights = NDArray[np.float32]


class WrongWeights(ValueError):
    """Raised for a file that does not hold the weights of dlib's face descriptor network."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """The weights of a convolution and of the affine scaling after it, as they are in the file."""

    convolution: _Weights
    affine: _Weights


def as_onnx(file: Path) -> bytes:
    """The network encoded as ONNX: input (1, 3, SIDE, SIDE), output (1, NUMBERS, 1, 1). Raises WrongWeights.

    file: dlib's model, `dlib_face_recognition_resnet_model_v1.dat`.
    """
    data = file.read_bytes()
    try:
        convolutions, affines = list(_tensors(data, _CONVOLUTION)), list(_tensors(data, _AFFINE))
        (full,) = _tensors(data, _FULL, _FULL_HEAD)
        layers = [_Layer(*pair) for pair in zip(convolutions, affines, strict=True)]
        if len(layers) != 1 + 2 * sum(blocks for _, blocks, _ in _LEVELS):
            raise WrongWeights(f"it has {len(layers)} convolutions")
        return _build(iter(layers), full)
    except (ValueError, IndexError) as error:  # the file is too short, or its tensors have other sizes
        raise WrongWeights(f"{file.name} is not dlib's face descriptor: {error}") from None


def _build(layers: Iterator[_Layer], full: _Weights) -> bytes:
    graph = Graph("descriptor", (1, 3, SIDE, SIDE))
    last = graph.add("Relu", _convolve(graph, "input", next(layers), (3, 32, 7, 2)))
    last = graph.add("MaxPool", last, kernel_shape=(3, 3), strides=(2, 2), pads=(0, 0, 0, 0))
    channels, side = 32, _POOLED
    for wide, blocks, halving in _LEVELS:
        for block in range(blocks):
            stride = 2 if halving and block == 0 else 1
            new = graph.add("Relu", _convolve(graph, last, next(layers), (channels, wide, 3, stride)))
            new = _convolve(graph, new, next(layers), (wide, wide, 3, 1))
            if stride == 2:
                last = _halve(graph, last, channels, wide)
                # dlib adds feature maps of different sizes as if the smaller one were padded with zeros.
                convolved, side = (side - 3) // 2 + 1, side // 2
                new = graph.add("Pad", new, pads=(0, 0, 0, 0, 0, 0, side - convolved, side - convolved))
            last = graph.add("Relu", graph.add("Add", new, last))
            channels = wide
    last = graph.add("GlobalAveragePool", last)
    weights = graph.weights(full.reshape(channels, NUMBERS).T[:, :, None, None])
    last = graph.add("Conv", last, weights, kernel_shape=(1, 1), strides=(1, 1), pads=(0, 0, 0, 0))
    return graph.encode(last, (1, NUMBERS, 1, 1))


def _convolve(graph: Graph, source: str, layer: _Layer, shape: tuple[int, int, int, int]) -> str:
    """Add a convolution, with the affine scaling after it folded in; shape: channels in and out, kernel's side, stride."""
    before, after, size, stride = shape
    numbers, affine = layer.convolution.ravel(), layer.affine.ravel()
    kernels = numbers[:-after].reshape(after, before, size, size)
    gain, offset = affine[:after], affine[after:].reshape(after)
    padding = size // 2 if stride == 1 else 0
    return graph.add(
        "Conv",
        source,
        graph.weights(kernels * gain[:, None, None, None]),
        graph.weights(numbers[-after:] * gain + offset),
        kernel_shape=(size, size),
        strides=(stride, stride),
        pads=(padding, padding, padding, padding),
    )


def _halve(graph: Graph, source: str, before: int, after: int) -> str:
    """Add a convolution that averages each 2 by 2 pixels, and adds channels of zeros from `before` up to `after`."""
    kernels = np.zeros((after, before, 2, 2))
    kernels[np.arange(before), np.arange(before)] = 0.25
    return graph.add("Conv", source, graph.weights(kernels), kernel_shape=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))


def _tensors(data: bytes, layer: bytes, head: int = 0) -> Iterator[_Weights]:
    """The weights of each layer with this name, in the order of computation, which is the order of the file.

    head: numbers between the name and the weights.
    """
    at = data.find(layer)
    while at >= 0:
        at += len(layer)
        for _ in range(head):
            _, at = _number(data, at)
        version, at = _number(data, at)
        if version != _TENSOR_VERSION:
            raise WrongWeights(f"the weights' format is of version {version}, not {_TENSOR_VERSION}")
        shape: list[Any] = []
        for _ in range(4):
            size, at = _number(data, at)
            shape.append(size)
        count = int(np.prod(shape))
        yield np.frombuffer(data, "<f4", count, at).reshape(shape)
        at = data.find(layer, at + 4 * count)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read a number as dlib writes it: a count of bytes, then the bytes. Returns the number and the offset after it."""
    length = data[at] & 0x0F
    return int.from_bytes(data[at + 1 : at + 1 + length], "little"), at + 1 + length
