"""Files that people attach: of few kinds, by their content and not by their name, without scripts.

Photos of phones that are of another format, or too large, become a JPEG first. They are kept sealed
in the blob store, and given out only to be saved.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.domain.faces import photo_formats
from app.domain.faces.photo_formats import JpegMaker
from app.domain.review import active_content
from app.domain.review.active_content import Locked
from app.domain.wire import shown_only
from app.errors import BadInput, NotFound, ZhenxueError
from app.security import Unsealable
from app.store.faces.blobs import BlobMissing, Blobs
from app.vault import Vault
from app.vision.image_header import ImageLimits

MAX_BYTES = 10 * 1024 * 1024  # this product's choice
MAX_PHOTO_BYTES = 20 * 1024 * 1024  # as a phone takes it; what is kept is smaller
_MOST_UNPACKED, _MOST_PARTS = 200 * 1024 * 1024, 2_000
_PURPOSE = "case-file"
_PICTURES = ImageLimits(MAX_BYTES, max_pixels=64_000_000, max_side=20_000)
# What people choose among, as a form names it.
TAKEN = ("JPG", "PNG", "HEIC", "WebP", "BMP", "PDF", "XLSX", "DOCX")
_OFFICE = "application/vnd.openxmlformats-officedocument."
KINDS = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "xlsx": _OFFICE + "spreadsheetml.sheet",
    "docx": _OFFICE + "wordprocessingml.document",
}
_NO_ARCHIVE = (
    zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, EOFError,
)  # fmt: skip
_NAME = re.compile(r"[/\\:*?\"<>|]")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file that was checked: its name as it may be shown, its kind, and its bytes."""

    name: str
    media_type: str
    data: bytes

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.data).digest()


def checked(name: str, data: bytes, readers: JpegMaker) -> CaseFile:
    """A file as it may be kept. Raises BadInput: `file_too_large`, `bad_file_kind` for what is
    none of KINDS by its content, `active_file` for one with scripts, macros or files inside or that
    fetches any, `locked_file` for one that nobody can look into, and for photos those of
    `photo_formats.kept_form`; NotReady."""
    if photo_formats.is_photo(data):
        data = photo_formats.kept_form(readers, data, _PICTURES)
    if not data or len(data) > MAX_BYTES:
        raise BadInput("file_too_large", f"file: 1 byte to {MAX_BYTES} bytes", field="file")
    try:
        kind = _kind(data)
    except Locked:
        detail = "file: encrypted, or packed so that it cannot be checked"
        raise BadInput("locked_file", detail, field="file") from None
    if kind is None:
        raise BadInput("bad_file_kind", f"file: one of {', '.join(KINDS)}", field="file")
    stem = _NAME.sub("", shown_only(name.rpartition(".")[0] or name)).strip(" .")[:80] or "file"
    return CaseFile(f"{stem}.{kind}", KINDS[kind], data)


def put(vault: Vault, blobs: Blobs, case_id: int, file: CaseFile) -> str:
    """Keep a file sealed; the key under which it lies. Raises StoreAway."""
    blob_key = f"cases/{case_id}/{secrets.token_hex(16)}"
    blobs.put(blob_key, vault.seal(file.data, f"{_PURPOSE}:{blob_key}"))
    return blob_key


@contextmanager
def dropped_if_refused(blobs: Blobs, blob_keys: Iterable[str]) -> Iterator[None]:
    """Files under these keys go again where what they came with is refused in the block: else
    whoever is asked fills the disk with answers that are none."""
    try:
        yield
    except ZhenxueError:
        for key in blob_keys:
            blobs.delete(key)
        raise


def opened(vault: Vault, blobs: Blobs, blob_key: str) -> bytes:
    """The file's bytes. Raises NotFound once it is gone, StoreAway."""
    try:
        return vault.open(blobs.get(blob_key), f"{_PURPOSE}:{blob_key}")
    except (BlobMissing, Unsealable) as error:
        raise NotFound("file_gone", "the file is not there any more") from error


def _kind(data: bytes) -> str | None:
    if data.startswith(b"%PDF-"):
        if active_content.of_pdf(data):
            raise _active()
        return "pdf"
    if photo_formats.is_photo(data):
        return "jpg" if data.startswith(b"\xff\xd8") else "png"
    return _office_kind(data) if data.startswith(b"PK\x03\x04") else None


def _office_kind(data: bytes) -> str | None:
    """A workbook or document; nothing that carries macros, other files or links to run."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            whole = sum(it.file_size for it in parts)
            if len(parts) > _MOST_PARTS or whole > _MOST_UNPACKED:
                return None
            names = {it.filename for it in parts}
            if not names & {"xl/workbook.xml", "word/document.xml"}:
                return None
            if active_content.of_office(archive):
                raise _active()
    except _NO_ARCHIVE:
        return None
    return "xlsx" if "xl/workbook.xml" in names else "docx"


def _active() -> BadInput:
    return BadInput("active_file", "file: with scripts, macros or files inside", field="file")
