"""Presentation attacks by a user-supplied MiniFASNet pair, in ONNX or ncnn form.

The networks and their licence come from minivision's Silent-Face-Anti-Spoofing (Apache-2.0):
input BGR 0-255, 80 by 80, cut 2.7 and 4.0 times the face box; class 1 is "live". The score is the
mean of both. Measured figures and their intervals: docs/model-cards/plug-ins.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.vision import ncnn_net
from app.vision.embedder import inference_session
from app.vision.errors import ModelFileRejected
from app.vision.face_reading import Box
from app.vision.image import Rgb

CROP_SCALES = (2.7, 4.0)
_SIDE = 80
_LIVE = 1

Scores = NDArray[np.float32]  # (3,) class probabilities
_Network = Callable[[NDArray[np.float32]], Scores]  # of float32 (1, 3, 80, 80) BGR


class AntiSpoof(Protocol):
    """Gives one face a score from 0 (attack) to 1 (live)."""

    @property
    def model(self) -> str: ...

    def live_score(self, picture: Rgb, box: Box) -> float: ...


class MiniFasNetPair:
    """Two networks, in the order of CROP_SCALES.

    ``files`` is two ``.onnx`` paths, or four in ncnn's form (param, bin, param, bin), which are
    converted. Raises ModelFileRejected when they cannot be run.
    """

    def __init__(self, files: Sequence[Path], version: str) -> None:
        self.model = f"minifasnet-pair@{version}"
        suffixes = [path.suffix for path in files]
        if suffixes == [".onnx"] * 2:
            models = [(path.read_bytes(), path.name) for path in files]
        elif suffixes == [".param", ".bin"] * 2:
            pairs = zip(files[::2], files[1::2], strict=True)
            models = [
                (ncnn_net.onnx_model(param, weights, (3, _SIDE, _SIDE)), param.name)
                for param, weights in pairs
            ]
        else:
            raise ModelFileRejected(
                "an anti-spoofing pair is two .onnx files, or .param .bin .param .bin; "
                f"got {', '.join(path.name for path in files)}"
            )
        self._networks = [_network(model, name) for model, name in models]

    def live_score(self, picture: Rgb, box: Box) -> float:
        scores = [
            network(_batch(context_crop(picture, box, scale)))[_LIVE]
            for network, scale in zip(self._networks, CROP_SCALES, strict=True)
        ]
        return float(np.mean(scores))


def context_crop(picture: Rgb, box: Box, scale: float) -> Rgb:
    """The face with its surroundings, uint8 (80, 80, 3) RGB.

    As the networks were trained: the enlarged box is shrunk to what the picture can hold and moved
    inside it, never padded.
    """
    height, width = picture.shape[:2]
    fits = min(scale, (height - 1) / box.height, (width - 1) / box.width)
    half_width, half_height = box.width * fits / 2, box.height * fits / 2
    centre_x = np.clip((box.left + box.right) / 2, half_width, width - 1 - half_width)
    centre_y = np.clip((box.top + box.bottom) / 2, half_height, height - 1 - half_height)
    left, top = int(centre_x - half_width), int(centre_y - half_height)
    right, bottom = int(centre_x + half_width), int(centre_y + half_height)
    region = picture[top : bottom + 1, left : right + 1]
    return np.asarray(cv2.resize(region, (_SIDE, _SIDE)), np.uint8)


def _batch(crop: Rgb) -> NDArray[np.float32]:
    return np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], np.float32)


def _network(model: bytes, name: str) -> _Network:
    try:
        session = inference_session(model)
        source = session.get_inputs()[0].name
        output = np.asarray(session.run(None, {source: np.zeros((1, 3, _SIDE, _SIDE), "f4")})[0])
    except Exception as broken:  # onnxruntime's own errors share no public base
        raise ModelFileRejected(f"{name} does not run: {broken}") from broken
    if output.size != 3:
        raise ModelFileRejected(f"{name} gives {output.size} classes, not 3")

    def run(batch: NDArray[np.float32]) -> Scores:
        return _softmax(np.asarray(session.run(None, {source: batch})[0]).ravel())

    return run


def _softmax(values: NDArray[np.generic]) -> Scores:
    """Probabilities; values that already are probabilities are left as they are."""
    numbers = np.asarray(values, np.float32)
    if numbers.min() >= 0 and abs(float(numbers.sum()) - 1) < 1e-3:
        return numbers
    powers = np.exp(numbers - numbers.max())
    return np.asarray(powers / powers.sum(), np.float32)
