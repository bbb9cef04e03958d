"""What a package's manifest and its index of verdicts look like, to be read from strangers."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

_YEAR_9999 = 253_370_000_000_000  # ms; later days no calendar tells


class PackagedClass(msgspec.Struct):
    id: int
    class_id: str
    official_class_no: str | None
    institution: str
    platform: str


class PackagedPack(msgspec.Struct):
    name: str
    sha256: str


class PackageFile(msgspec.Struct):
    size: int
    sha256: str


class Indexed(msgspec.Struct):
    """A verdict in the index, as far as it is asked here."""

    subject_id: int
    hour: int
    sha256: str
    current: bool


class Manifest(msgspec.Struct):
    created_ms: Annotated[int, msgspec.Meta(ge=0, lt=_YEAR_9999)]
    klass: PackagedClass = msgspec.field(name="class")
    pack: PackagedPack
    detectors: dict[str, Any]
    members: dict[str, PackageFile]
