"""The archive itself: a plain zip whose every byte follows from its members.

Members are stored, not compressed, under one fixed date. Writing the same members again gives the
same bytes, so a changed byte shows even where a zip reader would not look.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

_DATE = (2000, 1, 1, 0, 0, 0)
_HEADER = 30  # bytes of a local file header before the name
_STRETCH = 1 << 16


class UnreadableArchive(Exception):
    """Not an archive that can be opened; `member` names where it broke, if that is known."""

    def __init__(self, detail: str, member: str = "") -> None:
        super().__init__(detail)
        self.member = member


def pack(members: Mapping[str, bytes]) -> bytes:
    """The archive of these members, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The members of an archive. Raises Unreadable."""
    members: dict[str, bytes] = {}
    name, room = "", len(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():  # before any is read: some Pythons name another
                name = entry.filename
                _require_plain(entry, name, room)
                room -= entry.file_size
                if name in members:
                    raise UnreadableArchive("stands in the archive twice", name)
                members[name] = b""
            for entry in archive.infolist():
                name = entry.filename
                members[name] = archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise UnreadableArchive(str(error), name) from error
    except (OSError, MemoryError, OverflowError) as error:
        raise UnreadableArchive(f"{type(error).__name__}: {error}", name) from error
    return members


def _require_plain(entry: zipfile.ZipInfo, name: str, room: int) -> None:
    """Nothing that grows when it is read, and nothing that an unzip program would put elsewhere.

    room: what the archive's bytes leave for this member and those after it.
    """
    if entry.compress_type != zipfile.ZIP_STORED:
        raise UnreadableArchive("is compressed, which no member of a package is", name)
    if entry.file_size > room:
        raise UnreadableArchive("lies over other members, or is told longer than the archive", name)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise UnreadableArchive("has a name that leads out of the folder it is unpacked in", name)


def altered(data: bytes, members: Mapping[str, bytes]) -> str | None:
    """Where the archive differs from what its members give: a member's name or the directory."""
    expected = pack(members)
    if expected == data:
        return None
    short = min(len(expected), len(data))
    stretches = (slice(it, it + _STRETCH) for it in range(0, short, _STRETCH))
    first = next((it for it in stretches if expected[it] != data[it]), slice(short, short))
    at = next(
        (i for i in range(first.start, min(first.stop, short)) if expected[i] != data[i]), short
    )
    start = 0
    for name, content in members.items():
        start += _HEADER + len(name.encode()) + len(content)
        if at < start:
            return name
    return "the archive's directory"
