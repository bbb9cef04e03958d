"""A network in ncnn's form (`.param` and `.bin`) as an ONNX model.

Only the layers of the MiniFASNet pair are known; any other is refused by name. The form is that of
github.com/Tencent/ncnn, docs/developer-guide (operators.md, param-and-model-file-structure.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.vision.errors import ModelFileRejected
from app.vision.onnx_graph import Graph

Float32 = NDArray[np.float32]

_MAGIC = "7767517"
_PLAIN = 0  # the tag before weights that are neither halved nor quantised
_TWO_INPUTS = -233  # of a Scale layer: its factor is its second input
_WHOLE = 0  # padding mode of a Pooling layer: the last window may reach over the end


@dataclass(frozen=True, slots=True)
class _Layer:
    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    parameters: dict[int, str]

    def number(self, key: int, default: int = 0) -> int:
        return int(self.parameters.get(key, default))

    def real(self, key: int, default: float = 0.0) -> float:
        return float(self.parameters.get(key, default))


class _Weights:
    """The numbers of the `.bin` file, in the order of the layers."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def plain(self, count: int) -> Float32:
        end = self._at + 4 * count
        if count < 1 or end > len(self._data):
            raise ValueError(f"{count} numbers wanted at byte {self._at} of {len(self._data)}")
        values = np.frombuffer(self._data, "<f4", count, self._at).astype(np.float32)
        self._at = end
        return values

    def tagged(self, count: int) -> Float32:
        tag = int.from_bytes(self._data[self._at : self._at + 4], "little")
        if tag != _PLAIN:
            raise ValueError(f"weights of another storage (tag {tag:#x}) at byte {self._at}")
        self._at += 4
        return self.plain(count)

    @property
    def spent(self) -> bool:
        return self._at == len(self._data)


def onnx_model(param: Path, weights: Path, shape: tuple[int, int, int]) -> bytes:
    """The serialised model of one input of ``shape`` (channels, height, width) and one output.

    Raises ModelFileRejected naming the file and the layer that cannot be converted, OSError.
    """
    try:
        layers = _layers(param.read_text("ascii"))
        return _converted(layers, _Weights(weights.read_bytes()), shape)
    except (ValueError, KeyError, IndexError) as wrong:
        raise ModelFileRejected(f"{param.name} with {weights.name}: {wrong}") from wrong


def _layers(text: str) -> list[_Layer]:
    magic, _, *lines = text.splitlines()
    if magic.strip() != _MAGIC:
        raise ValueError(f"no ncnn network: it begins with {magic[:20]!r}")
    layers = []
    for line in filter(str.strip, lines):
        kind, name, n_inputs, n_outputs, *rest = line.split()
        ends = int(n_inputs), int(n_inputs) + int(n_outputs)
        pairs = (each.partition("=") for each in rest[ends[1] :])
        parameters = {int(key): value for key, _, value in pairs}
        layers.append(_Layer(kind, name, rest[: ends[0]], rest[ends[0] : ends[1]], parameters))
    return layers


def _converted(layers: list[_Layer], weights: _Weights, shape: tuple[int, int, int]) -> bytes:
    graph = Graph()
    blobs: dict[str, str] = {}
    source, *rest = layers
    if source.kind != "Input":
        raise ValueError(f"the first layer is {source.kind}, not Input")
    blobs[source.outputs[0]] = source.outputs[0]
    made = ""
    for layer in rest:
        if layer.kind not in _CONVERT:
            raise ValueError(f"layer {layer.name} is of the unknown kind {layer.kind}")
        made = _CONVERT[layer.kind](graph, layer, [blobs[name] for name in layer.inputs], weights)
        blobs |= dict.fromkeys(layer.outputs, made)
    if not weights.spent:
        raise ValueError("there are more weights than layers that use them")
    classes = next(it.number(0) for it in reversed(rest) if it.kind == "InnerProduct")
    return graph.model("ncnn", (source.outputs[0], shape), (made, [classes]))


def _convolution(graph: Graph, layer: _Layer, inputs: list[str], weights: _Weights) -> str:
    filters, kernel, dilation = layer.number(0), layer.number(1), layer.number(2, 1)
    stride, padding, group = layer.number(3, 1), layer.number(4), layer.number(7, 1)
    values = weights.tagged(layer.number(6)).reshape(filters, -1, kernel, kernel)
    operands = [*inputs, graph.constant(values)]
    if layer.number(5):
        operands.append(graph.constant(weights.plain(filters)))
    return graph.node(
        "Conv",
        operands,
        strides=[stride] * 2,
        pads=[padding] * 4,
        dilations=[dilation] * 2,
        group=group,
    )


def _batch_norm(graph: Graph, layer: _Layer, inputs: list[str], weights: _Weights) -> str:
    slope, mean, variance, bias = (weights.plain(layer.number(0)) for _ in range(4))
    operands = [graph.constant(each) for each in (slope, bias, mean, variance)]
    return graph.node("BatchNormalization", [*inputs, *operands], epsilon=layer.real(1))


def _scale(graph: Graph, layer: _Layer, inputs: list[str], weights: _Weights) -> str:
    if layer.number(0) == _TWO_INPUTS:
        spread = graph.node("Unsqueeze", [inputs[1], graph.constant(np.array([2, 3], np.int64))])
        return graph.node("Mul", [inputs[0], spread])
    channels = layer.number(0)
    slope = weights.plain(channels)
    bias = weights.plain(channels) if layer.number(1) else np.zeros(channels, np.float32)
    blank, whole = np.zeros(channels, np.float32), np.ones(channels, np.float32)
    operands = [graph.constant(each) for each in (slope, bias, blank, whole)]
    return graph.node("BatchNormalization", [*inputs, *operands], epsilon=0.0)


def _prelu(graph: Graph, layer: _Layer, inputs: list[str], weights: _Weights) -> str:
    slope = weights.plain(layer.number(0)).reshape(-1, 1, 1)
    return graph.node("PRelu", [*inputs, graph.constant(slope)])


def _inner_product(graph: Graph, layer: _Layer, inputs: list[str], weights: _Weights) -> str:
    values = weights.tagged(layer.number(2)).reshape(layer.number(0), -1)
    product = graph.node("MatMul", [*inputs, graph.constant(np.ascontiguousarray(values.T))])
    if not layer.number(1):
        return product
    return graph.node("Add", [product, graph.constant(weights.plain(layer.number(0)))])


def _pooling(graph: Graph, layer: _Layer, inputs: list[str], _: _Weights) -> str:
    operator = "AveragePool" if layer.number(0) else "MaxPool"
    if layer.number(4):
        return graph.node(f"Global{operator}", inputs)
    kernel, stride, padding = layer.number(1), layer.number(2, 1), layer.number(3)
    return graph.node(
        operator,
        inputs,
        kernel_shape=[kernel] * 2,
        strides=[stride] * 2,
        pads=[padding] * 4,
        ceil_mode=int(layer.number(5) == _WHOLE),
    )


def _relu(graph: Graph, layer: _Layer, inputs: list[str], _: _Weights) -> str:
    return graph.node("LeakyRelu", inputs, alpha=layer.real(0))


def _sum(graph: Graph, layer: _Layer, inputs: list[str], _: _Weights) -> str:
    if layer.number(0) != 1:
        raise ValueError(f"layer {layer.name} is no sum (operation {layer.number(0)})")
    return graph.node("Add", inputs)


def _same(_: Graph, __: _Layer, inputs: list[str], ___: _Weights) -> str:
    return inputs[0]


def _plain(operator: str, **attributes: Any) -> Callable[..., str]:
    def convert(graph: Graph, _: _Layer, inputs: list[str], __: _Weights) -> str:
        return graph.node(operator, inputs, **attributes)

    return convert


_CONVERT: dict[str, Callable[[Graph, _Layer, list[str], _Weights], str]] = {
    "BatchNorm": _batch_norm,
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution,
    "Dropout": _same,
    "Eltwise": _sum,
    "Flatten": _plain("Flatten"),
    "InnerProduct": _inner_product,
    "Pooling": _pooling,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Scale": _scale,
    "Sigmoid": _plain("Sigmoid"),
    "Softmax": _plain("Softmax", axis=1),
    "Split": _same,
}
