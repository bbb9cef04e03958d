"""What of a zip is read: members that lie in it, stored or deflated, as packers do by default.

The other methods raise what their own libraries raise, and say nothing that a person could mend.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable

_UTF8_NAME = 0x800
_JUNK = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FARTHEST = 2**40  # no file is that long; farther cannot even be sought


def require_usual(members: Iterable[zipfile.ZipInfo], size: int = _FARTHEST) -> None:
    """Raises BadZipFile where a member begins outside of the file's `size` bytes, or, naming it, is
    packed in another way."""
    for member in members:
        if not 0 <= member.header_offset < size:
            raise zipfile.BadZipFile("its directory points outside of it")
        if member.compress_type not in _METHODS:
            raise zipfile.BadZipFile(f"{member.filename!r} is neither stored nor deflated")


def typed_name(member: zipfile.ZipInfo) -> str:
    """The name as it was typed: Chinese Windows packs names in GBK and does not say so, macOS in
    UTF-8."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def is_junk(path: str) -> bool:
    """Whether a system put it beside what was packed: nobody meant to send it."""
    parts = path.casefold().split("/")
    return any(it in _JUNK or it.startswith("._") for it in parts)
