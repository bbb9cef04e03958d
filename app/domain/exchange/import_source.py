"""What an import is read from: NDJSON, plain or gzip, or a zip with photos beside it.

Nothing is unpacked to disk, names inside an archive are only compared, never opened as paths, and
every stream is counted while it is read, so that a small file cannot become an endless one.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO

from app.domain.zip_members import is_junk, require_usual, typed_name
from app.errors import BadInput, BodyTooLarge, MalformedBody

RECORDS = (".ndjson", ".jsonl", ".json")
PACKED = tuple(f"{it}.gz" for it in RECORDS)
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".heic", ".heif")
MAX_LINE = 4 * 1024 * 1024
MAX_MEMBERS = 500_000
MAX_RATIO = 200  # event logs shrink to a thirtieth, bombs to a thousandth
FREE_BYTES = 64 * 1024 * 1024  # below this no ratio is judged
_PIECE = 1 << 20
# of a directory: an unknown version, a name of no letters, one in no encoding, sizes beyond all
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, LookupError, ValueError, OverflowError)
_DAMAGE = (
    *(zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError),
    UnicodeDecodeError,  # of a name that a file tells beside its bytes
)

Line = tuple[str, int, bytes]  # name of the file inside a zip or "", line from 1, its bytes


class MissingFile(BadInput):
    """A record names a photo that is not there, or is too large."""


class Source:
    """An import file. `beside` is the folder that photos of a bare NDJSON file lie in."""

    def __init__(
        self, path: Path, *, max_bytes: int, max_image_bytes: int, beside: Path | None = None
    ) -> None:
        self._path = path
        self._size = path.stat().st_size
        self._max_bytes = max_bytes
        self._max_image_bytes = max_image_bytes
        self._taken = 0  # bytes, unpacked, of all files together
        self.photo_bytes = 0  # of photos out of a zip, each as often as records name it
        self._beside = beside.resolve() if beside else None
        self._stack = ExitStack()
        self._zip: zipfile.ZipFile | None = None
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._folder = ""  # that all members lie in, as where a folder was packed
        self._asked: set[str] = set()

    def __enter__(self) -> Source:
        with self._path.open("rb") as stream:
            start = stream.read(4)
        if not start:
            raise BadInput("empty_import", "the import holds nothing")
        if start[:2] == b"PK":
            self._open_zip()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def lines(self) -> Iterator[Line]:
        """Every non-empty line. Raises MalformedBody or BodyTooLarge for the whole."""
        try:
            if self._zip is None:
                with self._path.open("rb") as raw:
                    yield from self._split("", self._unpacked(raw))
                return
            for name in sorted(filter(_holds_records, self._members)):
                with self._zip.open(self._members[name]) as member:
                    yield from self._split(name, _plain(name, member))
        except _DAMAGE as error:
            raise MalformedBody("broken_archive", f"the file is damaged: {error}") from error

    def photo(self, name: str) -> bytes:
        """The bytes of a photo by the name a record gives it. Raises MissingFile."""
        if self._zip is not None:
            return self._from_zip(self._zip, name)
        return self._from_folder(name)

    def unread(self) -> list[str]:
        """Files of a zip that are no records, and that no record asked for as a photo. A picture
        without a record is nobody's."""
        return [
            name
            for name in sorted(self._members.keys() - self._asked)
            if not _holds_records(name) and not name.casefold().endswith(PICTURES)
        ]

    def _open_zip(self) -> None:
        try:
            self._zip = self._stack.enter_context(zipfile.ZipFile(self._path))
            members = [info for info in self._zip.infolist() if not info.is_dir()]
            require_usual(members, self._size)
        except _UNREADABLE as error:
            raise MalformedBody("broken_archive", f"not a readable zip: {error}") from error
        if len(members) > MAX_MEMBERS:
            raise BodyTooLarge("too_many_files", f"the zip holds more than {MAX_MEMBERS} files")
        for info in members:
            name = typed_name(info)
            if is_junk(name):
                continue
            if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name:
                raise BadInput("unsafe_path", f"the zip holds an unsafe path: {name!r}")
            if name in self._members:
                raise BadInput("duplicate_file", f"the zip holds {name!r} twice")
            if info.flag_bits & 1:
                raise BadInput("encrypted_zip", "the zip is encrypted")
            self._members[name] = info
        if not any(map(_holds_records, self._members)):
            raise BadInput("no_records", f"the zip holds no file ending in {' or '.join(RECORDS)}")
        folders = {name.partition("/")[0] if "/" in name else "" for name in self._members}
        self._folder = f"{folders.pop()}/" if len(folders) == 1 and "" not in folders else ""

    def _unpacked(self, raw: IO[bytes]) -> IO[bytes]:
        start = raw.read(2)
        raw.seek(0)
        if start == b"\x1f\x8b":
            return io.BufferedReader(gzip.GzipFile(fileobj=raw))
        return raw

    def _split(self, name: str, stream: IO[bytes]) -> Iterator[Line]:
        """Lines of one file; one that is too long comes cut, one byte over MAX_LINE."""
        number, rest = 0, b""
        while piece := stream.read(_PIECE):
            self._count(len(piece))
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()[: MAX_LINE + 1]
            for line in lines:
                number += 1
                if (told := _without_mark(line, number)).strip():
                    yield name, number, told[: MAX_LINE + 1]
        if (told := _without_mark(rest, number + 1)).strip():
            yield name, number + 1, told

    def _count(self, more: int) -> None:
        self._taken += more  # of all files together: many may lie over the same bytes
        if self._taken > self._max_bytes:
            raise BodyTooLarge("import_too_large", f"unpacked, it is over {self._max_bytes} bytes")
        if self._taken > FREE_BYTES and self._taken > MAX_RATIO * self._size:
            raise BodyTooLarge("archive_bomb", "unpacked, it is out of all proportion")

    def _from_zip(self, archive: zipfile.ZipFile, name: str) -> bytes:
        there = name if name in self._members else f"{self._folder}{name}"
        info = self._members.get(there)
        if info is None:
            raise MissingFile("missing_file", f"file: {name!r} is not in the zip")
        self._asked.add(there)
        self._count(min(info.file_size, self._max_image_bytes))
        try:
            with archive.open(info) as stream:
                data = self._whole(name, stream)
        except _DAMAGE as error:
            raise MissingFile("broken_file", f"file: {name!r} is damaged: {error}") from error
        self.photo_bytes += len(data)
        return data

    def _from_folder(self, name: str) -> bytes:
        if self._beside is None:
            raise MissingFile(
                "missing_file", "file: photos come in a zip together with the records"
            )
        path = (self._beside / name).resolve()
        if not path.is_relative_to(self._beside) or not path.is_file():
            raise MissingFile("missing_file", f"file: {name!r} does not lie beside the records")
        with path.open("rb") as stream:
            return self._whole(name, stream)

    def _whole(self, name: str, stream: IO[bytes]) -> bytes:
        data = stream.read(self._max_image_bytes + 1)
        if len(data) > self._max_image_bytes:
            raise MissingFile(
                "file_too_large", f"file: {name!r} is larger than {self._max_image_bytes} bytes"
            )
        return data


def _holds_records(name: str) -> bool:
    return name.casefold().endswith((*RECORDS, *PACKED))


def _plain(name: str, member: IO[bytes]) -> IO[bytes]:
    if not name.casefold().endswith(PACKED):
        return member
    return io.BufferedReader(gzip.GzipFile(fileobj=member))


def _without_mark(line: bytes, number: int) -> bytes:
    return line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
