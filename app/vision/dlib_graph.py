"""dlib's face recognition ResNet as an ONNX model.

Input ``faces``: float32 (n, 3, 150, 150), normalised RGB. Output ``embeddings``: float32 (n, 128).
"""

from __future__ import annotations

import numpy as np

from app.vision.dlib_weights import ResNetWeights
from app.vision.onnx_graph import Graph

INPUT, OUTPUT = "faces", "embeddings"

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
            x = _padded(graph, x, channels=out_channels - channels, side=0)
            branch = _padded(graph, branch, channels=0, side=side - convolved)
            channels = out_channels
        x = graph.node("Relu", [graph.node("Add", [branch, x])])
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])])
    graph.node("MatMul", [x, graph.constant(weights.projection)], output=OUTPUT)
    made = (OUTPUT, [weights.projection.shape[1]])
    return graph.model("dlib-resnet", (INPUT, [3, 150, 150]), made)


def _padded(graph: Graph, x: str, channels: int, side: int) -> str:
    if not channels and not side:
        return x
    ends = np.array([0, 0, 0, 0, 0, channels, side, side], np.int64)
    return graph.node("Pad", [x, graph.constant(ends)])
