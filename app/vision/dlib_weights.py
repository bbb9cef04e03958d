"""Weights of dlib's face recognition ResNet, read from the ``.dat`` file dlib itself loads.

The file is dlib's own serialisation of nested layers. Three record kinds carry numbers
(``con_*``, ``affine_*``, ``fc_*``), each a name followed by a float32 tensor; everything else is
configuration which the published network definition already fixes
(dlib, examples/dnn_face_recognition_ex.cpp).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

CONVOLUTIONS = 29
_RECORD = re.compile(rb"\x01[\x04-\x08](con_|affine_|fc_)\d?(?=\x01)")


class WeightsUnreadable(ValueError):
    """The file is not the dlib ResNet this module knows."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with the affine layer after it folded in."""

    kernel: Float32  # (out, in, height, width)
    bias: Float32  # (out,)


@dataclass(frozen=True, slots=True)
class ResNetWeights:
    """The convolutions from input to output, and the last projection."""

    convolutions: tuple[Convolution, ...]
    projection: Float32  # (256, 128)


def read_weights(path: Path) -> ResNetWeights:
    """Parse ``dlib_face_recognition_resnet_model_v1.dat``; raises WeightsUnreadable, OSError."""
    data = path.read_bytes()
    kernels: list[Convolution] = []
    convolutions: list[Convolution] = []
    projections: list[Float32] = []
    position = 0
    try:
        while record := _RECORD.search(data, position):
            position = record.end()
            if record.group(1) == b"con_":
                convolution, position = _convolution(data, position)
                kernels.append(convolution)
            elif record.group(1) == b"affine_":
                affine, position = _tensor(data, position)
                convolutions.append(_fold(kernels[-1], affine))
            else:
                for _ in range(2):  # the number of outputs and of inputs
                    _, position = _integer(data, position)
                projection, position = _tensor(data, position)
                projections.append(projection.reshape(256, 128))
    except (IndexError, ValueError) as broken:
        raise WeightsUnreadable(f"{path.name}: {broken}") from broken
    if (len(kernels), len(convolutions), len(projections)) != (CONVOLUTIONS, CONVOLUTIONS, 1):
        raise WeightsUnreadable(
            f"{path.name}: {len(kernels)} convolutions, {len(convolutions)} affine and "
            f"{len(projections)} fc layers; expected {CONVOLUTIONS}, {CONVOLUTIONS} and 1"
        )
    return ResNetWeights(tuple(convolutions), projections[0])


def _integer(data: bytes, position: int) -> tuple[int, int]:
    """dlib's packed integer: a control byte (sign, length), then little-endian bytes."""
    control = data[position]
    end = position + 1 + (control & 0x0F)
    value = int.from_bytes(data[position + 1 : end], "little")
    return (-value if control & 0x80 else value), end


def _integers(data: bytes, position: int, count: int) -> tuple[list[int], int]:
    values = []
    for _ in range(count):
        value, position = _integer(data, position)
        values.append(value)
    return values, position


def _tensor(data: bytes, position: int) -> tuple[Float32, int]:
    """A flat copy of the tensor at ``position``: version, four extents, then the floats."""
    (version, *extents), position = _integers(data, position, 5)
    if version != 2:
        raise ValueError(f"tensor version {version} at byte {position}")
    size = int(np.prod(extents))
    values = np.frombuffer(data, "<f4", size, position)
    return values.astype(np.float32), position + 4 * size


def _convolution(data: bytes, position: int) -> tuple[Convolution, int]:
    values, position = _tensor(data, position)
    (filters, height, width), position = _integers(data, position, 3)
    kernel, bias = values[:-filters], values[-filters:]
    return Convolution(kernel.reshape(filters, -1, height, width), bias), position


def _fold(convolution: Convolution, affine: Float32) -> Convolution:
    gamma, beta = affine.reshape(2, -1)
    kernel = convolution.kernel * gamma[:, None, None, None]
    return Convolution(kernel, convolution.bias * gamma + beta)
