"""Which detector, embedder and anti-spoofing model a worker uses; loaded once a process.

The defaults come with the installation. Every other model is a file that the operator supplies by
path and SHA-256: nothing is downloaded. A missing or altered file is reported in
``Backends.notices`` and the default stays, so that a broken disk never stops the face checks.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import cv2

from app.vision.anti_spoof import AntiSpoof, MiniFasNetPair
from app.vision.detector import FaceDetector, HogDetector, YunetDetector
from app.vision.embedder import DlibEmbedder, Embedder, OnnxEmbedder
from app.vision.errors import ModelFileRejected
from app.vision.landmarks import Landmarker
from app.vision.model_card import read_card
from app.vision.model_files import NO_FILES, BackendFiles, ModelFile

log = logging.getLogger(__name__)

_Model = TypeVar("_Model")


@dataclass(frozen=True, slots=True)
class Backends:
    """Loaded models; hold them per process, they neither pickle nor survive a fork."""

    detector: FaceDetector
    landmarker: Landmarker
    embedder: Embedder
    anti_spoof: AntiSpoof | None
    notices: tuple[str, ...]


def load(files: BackendFiles = NO_FILES) -> Backends:
    """The models of this process (2-4 s and 150 MB the first time, then shared).

    Raises VisionUnavailable when face_recognition itself cannot be loaded; a rejected
    user-supplied file only adds a notice.
    """
    return _load(files)


@functools.cache
def _load(files: BackendFiles) -> Backends:
    cv2.setNumThreads(1)  # as for onnxruntime: parallelism is between processes
    notices: list[str] = []

    def supplied(what: str, build: Callable[[], _Model]) -> _Model | None:
        try:
            return build()
        except ModelFileRejected as rejected:
            notices.append(f"{what}: {rejected}; the default stays")
            log.warning(notices[-1])
            return None

    detector: FaceDetector | None = None
    if yunet := files.yunet:
        detector = supplied("yunet", lambda: _yunet(yunet))
    embedder: Embedder | None = None
    if (network := files.embedder) and (card := files.embedder_card):
        embedder = supplied("embedder", lambda: _embedder(network, card))
    elif files.embedder or files.embedder_card:
        notices.append("embedder: a model and its card are needed together; the default stays")
        log.warning(notices[-1])
    anti_spoof: AntiSpoof | None = None
    if files.anti_spoof:
        anti_spoof = supplied("anti_spoof", lambda: _mini_fas_net(files.anti_spoof))
    return Backends(
        detector=detector or HogDetector(),
        landmarker=Landmarker(),
        embedder=embedder or DlibEmbedder(),
        anti_spoof=anti_spoof,
        notices=tuple(notices),
    )


def _yunet(file: ModelFile) -> YunetDetector:
    return YunetDetector(file.verified(), file.sha256[:8])


def _embedder(network: ModelFile, card: ModelFile) -> Embedder:
    of_dlib = network.path.suffix == ".dat"
    return (DlibEmbedder if of_dlib else OnnxEmbedder)(
        network.verified(), read_card(card.verified())
    )


def _mini_fas_net(files: tuple[ModelFile, ...]) -> MiniFasNetPair:
    return MiniFasNetPair([file.verified() for file in files], files[0].sha256[:8])
