"""A face to a vector: dlib's network by default, any ONNX embedder with a card when supplied."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from app.vision import dlib_graph, dlib_models
from app.vision.dlib_weights import WeightsUnreadable, read_weights
from app.vision.errors import ModelFileRejected
from app.vision.image import Rgb
from app.vision.landmarks import Points, eye_centres
from app.vision.model_card import DLIB_RESNET, EmbedderInput, ModelCard, read_card

log = logging.getLogger(__name__)

Embedding = NDArray[np.float32]  # (card.dim,)

_CHIP_SIZE, _CHIP_PADDING = 150, 0.25
_CHANNEL_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # dlib: input_rgb_image_sized
_AGREEMENT = 1e-5
_DIM = 128


class Embedder(Protocol):
    """Turns an aligned face into a vector; distances mean what the card says."""

    @property
    def card(self) -> ModelCard: ...

    def embed(self, picture: Rgb, points: Points) -> Embedding:
        """float32 (card.dim,) of the face with these 68 landmarks."""
        ...


class DlibEmbedder:
    """dlib's ResNet run by onnxruntime: the same weights, about 20 times faster.

    ``weights``: a `.dat` file of the same network, trained by somebody else, with its card. On
    construction the port is compared with dlib on one picture; should they differ by 1e-5 or more,
    or the weights be unreadable, dlib itself computes and a warning says so. Raises
    ModelFileRejected when dlib cannot load the file either.
    """

    def __init__(self, weights: Path | None = None, card: ModelCard | None = None) -> None:
        self.card = card or read_card(DLIB_RESNET)
        self._encoder = _encoder(weights)
        if self.card.dim != _DIM:
            raise ModelFileRejected(
                f"dlib's network gives {_DIM} numbers, its card says {self.card.dim}"
            )
        self._session = self._checked_session(weights or dlib_models.resnet_weights_path())

    def embed(self, picture: Rgb, points: Points) -> Embedding:
        chip = face_chip(picture, points)
        if self._session is None:
            return self._by_dlib(chip)
        return _port_embedding(self._session, chip)

    @property
    def ported(self) -> bool:
        """Whether onnxruntime computes, rather than dlib."""
        return self._session is not None

    def _checked_session(self, path: Path) -> onnxruntime.InferenceSession | None:
        try:
            session = inference_session(dlib_graph.onnx_model(read_weights(path)))
        except (WeightsUnreadable, OSError) as unreadable:
            log.warning("dlib's weights cannot be read, falling back to dlib: %s", unreadable)
            return None
        chip = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
        difference = float(np.abs(_port_embedding(session, chip) - self._by_dlib(chip)).max())
        if difference >= _AGREEMENT:
            log.warning("port of dlib's network differs by %.1e, falling back to dlib", difference)
            return None
        return session

    def _by_dlib(self, chip: Rgb) -> Embedding:
        return np.asarray(self._encoder.compute_face_descriptor(chip), np.float32)


class OnnxEmbedder:
    """A user-supplied embedder: aligned by its card's five-point template, L2-normalised output."""

    def __init__(self, path: Path, card: ModelCard) -> None:
        if card.input is None:
            raise ModelFileRejected(f"the card of {card.model} has no [input] section")
        self.card = card
        self._input = card.input
        try:
            self._session = inference_session(path.read_bytes())
            blank = np.full((card.input.height, card.input.width, 3), 127, np.uint8)
            dim = self._run(blank).size
        except Exception as broken:  # onnxruntime's own errors share no public base
            raise ModelFileRejected(f"{path.name} does not run: {broken}") from broken
        if dim != card.dim:
            raise ModelFileRejected(f"{path.name} gives {dim} numbers, its card says {card.dim}")

    def embed(self, picture: Rgb, points: Points) -> Embedding:
        vector = self._run(align(picture, points, self._input))
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)

    def _run(self, crop: Rgb) -> Embedding:
        pixels = crop if self._input.channels == "rgb" else crop[..., ::-1]
        scaled = (pixels - np.array(self._input.mean, np.float32)) * np.float32(self._input.scale)
        batch = np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)
        name = self._session.get_inputs()[0].name
        return np.asarray(self._session.run(None, {name: batch})[0], np.float32).ravel()


def inference_session(model: bytes) -> onnxruntime.InferenceSession:
    """One thread: a worker process owns one core, and parallelism is between processes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def face_chip(picture: Rgb, points: Points) -> Rgb:
    """dlib's aligned crop, uint8 (150, 150, 3)."""
    dlib = dlib_models.dlib()
    whole = dlib.rectangle(0, 0, picture.shape[1], picture.shape[0])
    parts = [dlib.point(int(x), int(y)) for x, y in points]
    shape = dlib.full_object_detection(whole, parts)
    chip: Rgb = dlib.get_face_chip(picture, shape, size=_CHIP_SIZE, padding=_CHIP_PADDING)
    return chip


def align(picture: Rgb, points: Points, wanted: EmbedderInput) -> Rgb:
    """The similarity transform of eyes, nose tip and mouth corners onto the card's template."""
    anchors = np.vstack([eye_centres(points), points[[30, 48, 54]]]).astype(np.float32)
    template = np.array(wanted.template, np.float32)
    matrix, _ = cv2.estimateAffinePartial2D(anchors, template, method=cv2.LMEDS)
    return np.asarray(cv2.warpAffine(picture, matrix, (wanted.width, wanted.height)), np.uint8)


def _port_embedding(session: onnxruntime.InferenceSession, chip: Rgb) -> Embedding:
    normalised = (chip - _CHANNEL_MEAN) / np.float32(256)
    batch = np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])
    return np.asarray(session.run([dlib_graph.OUTPUT], {dlib_graph.INPUT: batch})[0][0])


def _encoder(weights: Path | None) -> Any:
    """dlib's own network, of its usual weights or of a file."""
    if weights is None:
        return dlib_models.face_recognition_api().face_encoder
    try:
        return dlib_models.dlib().face_recognition_model_v1(str(weights))
    except RuntimeError as broken:
        raise ModelFileRejected(f"{weights.name} is no face network of dlib: {broken}") from broken
