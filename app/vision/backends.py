"""Which detector, embedder and anti-spoofing model a worker uses; loaded once a process.

The defaults come with the installation. Every other model is a file that the operator supplies by
path and SHA-256: nothing is downloaded. A missing or altered file is reported in
``Backends.notices`` and the default stays, so that a broken disk never stops the face checks.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2

from app.vision.anti_spoof import AntiSpoof, MiniFasNetPair
from app.vision.detector import Detector, HogDetector, YunetDetector
from app.vision.embedder import DlibEmbedder, Embedder, OnnxEmbedder
from app.vision.errors import ModelFileRejected
from app.vision.landmarks import Landmarker
from app.vision.model_card import read_card

log = logging.getLogger(__name__)

_Model = TypeVar("_Model")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A user-supplied file, and the SHA-256 (hex) it must have."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class BackendFiles:
    """The user-supplied files; all optional."""

    yunet: ModelFile | None = None
    embedder: ModelFile | None = None
    embedder_card: ModelFile | None = None
    anti_spoof: tuple[ModelFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Backends:
    """Loaded models; hold them per process, they neither pickle nor survive a fork."""

    detector: Detector
    landmarker: Landmarker
    embedder: Embedder
    anti_spoof: AntiSpoof | None
    notices: tuple[str, ...]


DEFAULTS = BackendFiles()


def load(files: BackendFiles = DEFAULTS) -> Backends:
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

    detector: Detector | None = None
    if yunet := files.yunet:
        detector = supplied("yunet", lambda: _yunet(yunet))
    embedder: Embedder | None = None
    if (network := files.embedder) and (card := files.embedder_card):
        embedder = supplied("embedder", lambda: _onnx_embedder(network, card))
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
    return YunetDetector(_verified(file), file.sha256[:8])


def _onnx_embedder(network: ModelFile, card: ModelFile) -> OnnxEmbedder:
    return OnnxEmbedder(_verified(network), read_card(_verified(card)))


def _mini_fas_net(files: tuple[ModelFile, ...]) -> MiniFasNetPair:
    return MiniFasNetPair([_verified(file) for file in files], files[0].sha256[:8])


def _verified(file: ModelFile) -> Path:
    """The path, once the file is there and unaltered."""
    try:
        with file.path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as missing:
        raise ModelFileRejected(f"{file.path} cannot be read: {missing.strerror}") from missing
    if found != file.sha256.lower():
        raise ModelFileRejected(
            f"{file.path} has SHA-256 {found}, the configuration says {file.sha256}"
        )
    return file.path
