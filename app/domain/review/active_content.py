"""What in a document acts by itself, fetches something, or cannot be looked into.

A PDF keeps most of its objects packed, and a part of an Office document is a macro by its content
type, whatever it is called: so both are unpacked, and looked through by what readers go by.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

_MOST_UNPACKED = 64 * 1024 * 1024  # bytes of one document that are looked through
_MOST_XML = 8 * 1024 * 1024
_MOST_TAGS = 1_000_000  # of all parts together: each is an object, whatever its few bytes say
_FIRST_PIECE = 1024  # bytes of a stream; each next one is twice as long
# Whole names only, none so short that packed bytes hold it by chance: /JS without /JavaScript or
# /Rendition runs nothing, nor does /AA without an action.
_ACTS = re.compile(
    rb"/(JavaScript|Launch|Rendition|RichMedia|XFA|EmbeddedFiles?|FileAttachment|GoToE"
    rb"|ImportData|SubmitForm)\b"
)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream[\r\n]")
_PACKED = b"/ObjStm"
# Filters before or behind the one that is undone here, and how an object stream begins without any.
_FILTERS = re.compile(
    rb"/(ASCIIHexDecode|ASCII85Decode|LZWDecode|RunLengthDecode|Crypt)\b|/(AHx|A85|LZW|RL)[\s/\]>]"
)
_MOST_DICTIONARY = 2_000  # bytes; a longer stretch holds packed ones too, and anything by chance
_OBJECTS = re.compile(rb"\s*[0-9]+\s+[0-9]+\s")
_PARTS = ("vbaproject.bin", "activex", "embeddings/", "oleobject")
_TYPES = ("macroenabled", "vbaproject", "activex", "oleobject")
_LINKS = ("/hyperlink", "/externalLinkPath", "/externalLinkLongPath")  # shown, or asked about
_FIELDS = re.compile(r"(word/|xl/externalLinks/).*\.xml$")
_DDE = re.compile(r"\bDDE(AUTO)?\b", re.IGNORECASE)


class Locked(Exception):
    """The document is encrypted, or packed so that nobody can look into it."""


def of_pdf(data: bytes) -> bool:
    """Whether it runs something or carries files. Raises Locked."""
    plain = _names(data)
    if b"/Encrypt" in plain:
        raise Locked
    return bool(_ACTS.search(plain)) or any(_ACTS.search(it) for it in _packed_objects(data))


def _packed_objects(data: bytes) -> Iterator[bytes]:
    """The objects that are packed in streams, unpacked; other streams hold what is drawn."""
    left, before = _MOST_UNPACKED, 0
    for found in _STREAM.finditer(data):
        dictionary = _names(data[before : found.start()])
        before = found.end()
        if _PACKED not in dictionary:
            continue
        filtered = _FILTERS.search(dictionary[-_MOST_DICTIONARY:])
        if filtered or b"/Predictor" in dictionary:  # by which the names would be others
            raise Locked
        told = _unpacked(data, before, left)
        left -= len(told)
        if left <= 0 or not _OBJECTS.match(told):
            raise Locked
        yield _names(told)


def _unpacked(data: bytes, at: int, most: int) -> bytes:
    """What is packed from there on, `most` bytes of it. What lies behind is not taken in hand: a
    document may hold as many streams as fit, each in front of all that follow. Raises Locked."""
    packed, told, size = zlib.decompressobj(), bytearray(), _FIRST_PIECE
    while not packed.eof and len(told) < most and at < len(data):
        try:
            told += packed.decompress(data[at : at + size], most - len(told))
        except zlib.error as error:
            raise Locked from error
        at, size = at + size, 2 * size
    return bytes(told)


def _names(data: bytes) -> bytes:
    """With names as they are read: they may be written with `#xx`."""
    return _ESCAPE.sub(lambda it: bytes([int(it[1], 16)]), data)


def of_office(archive: zipfile.ZipFile) -> bool:
    """Whether it has macros, other files, or a template, picture or source that it fetches when it
    is opened. Raises Locked for parts that are no XML though they have to be."""
    names, parts = archive.namelist(), _Parts(archive)
    if any(act in name.lower() for name in names for act in _PARTS):
        return True
    for name in names:
        if name == "[Content_Types].xml":
            kinds = (it.get("ContentType", "").lower() for it in parts.xml(name).iter())
            if any(act in kind for kind in kinds for act in _TYPES):
                return True
        elif name.endswith(".rels"):
            if any(map(_fetches, parts.xml(name).iter())):
                return True
        elif _FIELDS.match(name) and _asks_programs(parts.xml(name)):
            return True
    return False


def _fetches(link: ElementTree.Element) -> bool:
    outside = link.get("TargetMode", "").lower() == "external"
    return outside and not link.get("Type", "").endswith(_LINKS)


def _asks_programs(part: ElementTree.Element) -> bool:
    """By DDE or OLE: in a workbook's link, or in a field, which may be written in pieces."""
    fields = ""
    for it in part.iter():
        kind = it.tag.rpartition("}")[2]
        if kind in ("ddeLink", "oleLink"):
            return True
        if kind == "instrText":
            fields += it.text or ""
        elif kind == "fldSimple":
            fields += " ".join(("", *it.attrib.values(), ""))
    return bool(_DDE.search(fields))


class _Parts:
    """The parts of one document that are XML."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._left = archive, _MOST_TAGS

    def xml(self, name: str) -> ElementTree.Element:
        """Raises Locked for what is none, and for more than can be looked through."""
        with self._archive.open(name) as part:
            data = part.read(_MOST_XML + 1)
        self._left -= data.count(b"<")
        if len(data) > _MOST_XML or self._left < 0:
            raise Locked
        try:
            whole = ElementTree.parse(io.BytesIO(data))  # noqa: S314 -- expat bounds entities
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise Locked from error
        return whole.getroot()
