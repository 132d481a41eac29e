"""A minimal ONNX encoder, with which a network is handed to OpenCV: nodes, weights, one input and one output.

ONNX is a Protocol Buffers format; the field numbers are those of onnx.proto3 (Apache-2.0). This module replaces the much
larger package `onnx`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: TensorProto.DataType.FLOAT and AttributeProto.AttributeType.INTS of onnx.proto3.
_FLOAT, _INTS = 1, 7
#: Versions of the format and of the operators; operator set 10 is the last in which Pad takes its widths as an attribute.
_IR_VERSION, _OPSET = 4, 10


class Graph:
    """A network under construction. `add` and `weights` return the name by which nodes refer to their result."""

    def __init__(self, name: str, shape: Sequence[int]) -> None:
        """shape: the shape of the network's input, which is named "input"."""
        self._name = name
        self._shape = shape
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []

    def add(self, operator: str, *inputs: str, **attributes: Sequence[int]) -> str:
        """Add a node by its operator's ONNX name; attributes are lists of integers. Returns the name of its output."""
        output = f"{operator}{len(self._nodes)}"
        node = (
            b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(3, output) + _field(4, operator)
        )
        for name, values in attributes.items():
            numbers = b"".join(_field(8, int(value)) for value in values)
            node += _field(5, _field(1, name) + numbers + _field(20, _INTS))
        self._nodes.append(node)
        return output

    def weights(self, values: NDArray[Any]) -> str:
        """Add constant numbers, stored as 32-bit floats, as an input for nodes. Returns their name."""
        name = f"weights{len(self._weights)}"
        raw = np.ascontiguousarray(values, dtype="<f4").tobytes()
        shape = b"".join(_field(1, size) for size in values.shape)
        self._weights.append(shape + _field(2, _FLOAT) + _field(8, name) + _field(9, raw))
        return name

    def encode(self, output: str, shape: Sequence[int]) -> bytes:
        """The encoded network; output, shape: name and shape of the network's output."""
        graph = b"".join(_field(1, node) for node in self._nodes) + _field(2, self._name)
        graph += b"".join(_field(5, tensor) for tensor in self._weights)
        graph += _field(11, _described("input", self._shape)) + _field(12, _described(output, shape))
        return _field(1, _IR_VERSION) + _field(8, _field(1, "") + _field(2, _OPSET)) + _field(7, graph)


def _described(name: str, shape: Sequence[int]) -> bytes:
    sizes = b"".join(_field(1, _field(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, sizes)))


def _field(number: int, value: int | str | bytes) -> bytes:
    """A Protocol Buffers field: a varint, or bytes preceded by their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
