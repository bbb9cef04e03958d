"""dlib's face recognition ResNet as an ONNX model, written without the ``onnx`` package.

An ONNX file is a protocol buffer with a handful of fields; the few needed here are encoded by
hand (field numbers: github.com/onnx/onnx, onnx/onnx.proto). Input ``faces``: float32
(n, 3, 150, 150), normalised RGB. Output ``embeddings``: float32 (n, 128).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.vision.dlib_weights import ResNetWeights

INPUT, OUTPUT = "faces", "embeddings"

_IR_VERSION, _OPSET = 8, 13
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType

# The residual blocks in order; True where a block halves the picture (anet_type in dlib's example).
_BLOCKS = [*[False] * 3, True, *[False] * 3, True, *[False] * 2, True, *[False] * 2, True]


def onnx_model(weights: ResNetWeights) -> bytes:
    """The serialised model; onnxruntime loads it from memory."""
    graph = Graph()
    convolutions = iter(weights.convolutions)

    def convolve(x: str, stride: int) -> str:
        layer = next(convolutions)
        padding = layer.kernel.shape[2] // 2 if stride == 1 else 0  # dlib pads stride 1 only
        inputs = [x, graph.constant(layer.kernel), graph.constant(layer.bias)]
        return graph.node("Conv", inputs, strides=[stride] * 2, pads=[padding] * 4)

    x = graph.node("Relu", [convolve(INPUT, 2)])
    x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, 35
    for halves, last in zip(_BLOCKS, weights.convolutions[2::2], strict=True):
        branch = convolve(x, 2 if halves else 1)
        branch = convolve(graph.node("Relu", [branch]), 1)
        if halves:
            x = graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
            out_channels, convolved, side = last.kernel.shape[0], (side - 3) // 2 + 1, side // 2
            # dlib's add layer takes the larger extent of both and fills with zeros at the end.
            x = graph.pad(x, channels=out_channels - channels, side=0)
            branch = graph.pad(branch, channels=0, side=side - convolved)
            channels = out_channels
        x = graph.node("Relu", [graph.node("Add", [branch, x])])
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])])
    graph.node("MatMul", [x, graph.constant(weights.projection)], output=OUTPUT)
    return graph.model(inputs=[3, 150, 150], outputs=[weights.projection.shape[1]])


class Graph:
    """Collects the encoded nodes and constants of one GraphProto."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"c{len(self._constants)}"
        kind = _INT64 if values.dtype == np.int64 else _FLOAT
        dims = [_varint(1, extent) for extent in values.shape]
        raw = _bytes(9, np.ascontiguousarray(values).tobytes())
        self._constants.append(b"".join([*dims, _varint(2, kind), _bytes(8, name), raw]))
        return name

    def node(
        self, operator: str, inputs: list[str], output: str | None = None, **attributes: list[int]
    ) -> str:
        name = output or f"n{len(self._nodes)}"
        self._nodes.append(
            b"".join(
                [
                    *(_bytes(1, each) for each in inputs),
                    _bytes(2, name),
                    _bytes(4, operator),
                    *(_bytes(5, _integers_attribute(*item)) for item in attributes.items()),
                ]
            )
        )
        return name

    def pad(self, x: str, channels: int, side: int) -> str:
        if not channels and not side:
            return x
        ends = np.array([0, 0, 0, 0, 0, channels, side, side], np.int64)
        return self.node("Pad", [x, self.constant(ends)])

    def model(self, inputs: Iterable[int], outputs: Iterable[int]) -> bytes:
        graph = b"".join(
            [
                *(_bytes(1, node) for node in self._nodes),
                _bytes(2, "dlib-resnet"),
                *(_bytes(5, constant) for constant in self._constants),
                _bytes(11, _float_value(INPUT, inputs)),
                _bytes(12, _float_value(OUTPUT, outputs)),
            ]
        )
        return _varint(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, _varint(2, _OPSET))


def _integers_attribute(name: str, values: list[int]) -> bytes:
    """AttributeProto of type INTS."""
    return b"".join([_bytes(1, name), *(_varint(8, v) for v in values), _varint(20, 7)])


def _float_value(name: str, extents: Iterable[int]) -> bytes:
    """ValueInfoProto of a float tensor whose first dimension, ``n``, is free."""
    dims = [_bytes(1, _bytes(2, "n")), *(_bytes(1, _varint(1, extent)) for extent in extents)]
    tensor = _varint(1, _FLOAT) + _bytes(2, b"".join(dims))
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


def _varint(field: int, value: int) -> bytes:
    return _packed(field << 3) + _packed(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    encoded = value.encode() if isinstance(value, str) else value
    return _packed(field << 3 | 2) + _packed(len(encoded)) + encoded


def _packed(value: int) -> bytes:
    """A protocol-buffer varint of a value >= 0."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
