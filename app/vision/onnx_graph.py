"""A graph of ONNX operators, node by node, for weights that come in another form.

onnxruntime runs what is built here from memory; input and output are float32, and their first
dimension is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_IR_VERSION, _OPSET = 8, 13


class Graph:
    """Collects nodes and constants; each call returns the name of what it made."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(
        self, operator: str, inputs: Sequence[str], output: str | None = None, **attributes: Any
    ) -> str:
        name = output or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def model(
        self, name: str, given: tuple[str, Sequence[int]], made: tuple[str, Sequence[int]]
    ) -> bytes:
        """The serialised model; ``given`` and ``made`` name input and output with their shape,
        without the first dimension. Raises ValueError when the graph is not sound."""
        source, sink = (
            helper.make_tensor_value_info(blob, onnx.TensorProto.FLOAT, ["n", *shape])
            for blob, shape in (given, made)
        )
        graph = helper.make_graph(self._nodes, name, [source], [sink], self._constants)
        model = helper.make_model(
            graph, ir_version=_IR_VERSION, opset_imports=[helper.make_opsetid("", _OPSET)]
        )
        try:
            onnx.checker.check_model(model)
        except onnx.checker.ValidationError as unsound:
            raise ValueError(str(unsound)) from unsound
        return bytes(model.SerializeToString())
