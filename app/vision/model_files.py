"""Model files that the operator supplies, by path and SHA-256; light enough for any process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.vision.errors import ModelFileRejected
from app.vision.model_card import DLIB_RESNET, ModelCard, read_card


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A user-supplied file, and the SHA-256 (hex) it must have."""

    path: Path
    sha256: str

    def verified(self) -> Path:
        """The path, once the file is there and unaltered. Raises ModelFileRejected."""
        try:
            with self.path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as missing:
            raise ModelFileRejected(f"{self.path} cannot be read: {missing.strerror}") from missing
        if found != self.sha256.lower():
            raise ModelFileRejected(
                f"{self.path} has SHA-256 {found}, the configuration says {self.sha256}"
            )
        return self.path


@dataclass(frozen=True, slots=True)
class BackendFiles:
    """The user-supplied files; all optional. `unknown`: why it is not known what is installed."""

    yunet: ModelFile | None = None
    embedder: ModelFile | None = None
    embedder_card: ModelFile | None = None
    anti_spoof: tuple[ModelFile, ...] = ()
    unknown: str = ""

    def named(self) -> dict[str, list[str]]:
        """The files that decide, by what they do; an empty list: the default does it, or nobody."""
        return {
            "detector": [self.yunet.path.name] if self.yunet else [],
            "embedder": [self.embedder.path.name] if self.embedder else [],
            "anti_spoof": [file.path.name for file in self.anti_spoof],
        }

    def complaints(self) -> tuple[str, ...]:
        """What is wrong with the files themselves, found without loading a model."""
        return tuple(self._complaints())

    def card(self) -> ModelCard:
        """The card of the embedder that decides: the supplied one, if it can be used."""
        if self.embedder and self.embedder_card:
            try:
                return read_card(self.embedder_card.verified())
            except ModelFileRejected:
                pass  # told as a complaint; the default stays
        return read_card(DLIB_RESNET)

    def _complaints(self) -> Iterator[str]:
        if self.unknown:
            yield f"{self.unknown}; the defaults stay"
        if bool(self.embedder) != bool(self.embedder_card):
            yield "embedder: a model and its card are needed together; the default stays"
        named = [("yunet", self.yunet)]
        if self.embedder and self.embedder_card:
            named += [("embedder", self.embedder_card), ("embedder", self.embedder)]
        named += [("anti_spoof", file) for file in self.anti_spoof]
        for what, file in named:
            try:
                if file is not None:
                    file.verified()
            except ModelFileRejected as rejected:
                yield f"{what}: {rejected}; the default stays"


NO_FILES = BackendFiles()
