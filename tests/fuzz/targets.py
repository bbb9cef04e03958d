"""What reads bytes of strangers: one function a parser, which may refuse and must not fall over."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from app.api.xapi_multipart import statements_and_files
from app.api.xapi_request import Asked
from app.domain.catalogue import table_files
from app.domain.events import ingest
from app.domain.exchange import xapi_batch
from app.domain.exchange.import_source import Source
from app.domain.faces import photo_files
from app.domain.faces.snapshots import verified
from app.domain.policy.pack_schema import PackError, PackTable, read_toml, validated
from app.errors import ZhenxueError
from app.vision.image_header import ImageLimits

LIMIT = 1 << 20
PACKS = Path(__file__).parents[2] / "detectors/packs"
EVENT = b'{"events":[{"seq":1,"type":"heartbeat","position_s":1.5,"at_ms":1700000000000}]}'
MANY = b'{"session_id":"s","seq":1,"type":"played","position_s":0}\n'
STATEMENT = (
    b'{"actor":{"mbox":"mailto:lin@example.org"},"verb":{"id":"https://w3id.org/xapi/video/verbs/'
    b'played"},"object":{"id":"https://example.org/lesson"},"result":{"extensions":{}}}'
)
BOUNDARY = b'--a\r\ncontent-type: application/json\r\n\r\n{"a":1}\r\n--a--\r\n'


def events(data: bytes) -> None:
    """The first byte chooses encoding and media type."""
    head, body = (data[0] if data else 0), data[1:]
    body = ingest.decompressed(body, ("", "gzip", "zstd")[head % 3], LIMIT)
    media = ("application/json", "application/x-ndjson")[head // 3 % 2]
    (ingest.addressed if head & 64 else ingest.arrived)(body, media)


def imports(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with Source(Path(file.name), max_bytes=LIMIT, max_image_bytes=10_000) as source:
            for _ in source.lines():
                pass


def statements(data: bytes) -> None:
    xapi_batch.read_post(data[1:], two=bool(data and data[0] & 1))


def multipart(data: bytes) -> None:
    headers = {"content-type": 'multipart/mixed; boundary="a"'}
    statements_and_files(Asked("POST", "1.0.3", headers, {}, data))


def images(data: bytes) -> None:
    verified(data, ImageLimits(max_bytes=LIMIT))


def archives(data: bytes) -> None:
    for _ in photo_files.photos([("a.zip", io.BytesIO(data))]):
        pass


def tables(data: bytes) -> None:
    table_files.sheets(data)


def packs(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        validated(PackTable, read_toml(Path(file.name), "fuzz"), "fuzz")


def _zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def _picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "gray").save(buffer, kind)
    return buffer.getvalue()


def _pack() -> bytes:
    return (PACKS / "huangchuan-2021-graded@1.0.0.toml").read_bytes()


def _far_away() -> bytes:
    """A zip whose directory says that its file begins before the archive."""
    whole = bytearray(_zipped("a.ndjson", MANY))
    at = whole.rindex(b"PK\5\6")
    whole[at + 16 : at + 20] = (0x7FFFFFF).to_bytes(4, "little")
    return bytes(whole)


def _newer() -> bytes:
    """A zip that says it needs version 8.0 of the format."""
    whole = bytearray(_zipped("a.ndjson", MANY))
    whole[whole.rindex(b"PK\1\2") + 6] = 80
    return bytes(whole)


def _otherwise_packed() -> bytes:
    """A zip whose directory says LZMA of a member that is deflated."""
    data = bytearray(_zipped("a.ndjson", MANY))
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        where = data.index(mark) + at
        data[where : where + 2] = zipfile.ZIP_LZMA.to_bytes(2, "little")
    return bytes(data)


FOUND: list[tuple[Callable[[bytes], None], bytes]] = [
    (imports, _far_away()),
    (archives, _far_away()),
    (imports, _newer()),
    *((it, _otherwise_packed()) for it in (imports, archives, tables)),
    (archives, _zipped("a.ndjson", MANY).replace(b"a.ndjson", b"\0.ndjson")),
    (multipart, BOUNDARY.replace(b"/json", b"/\xff")),
]
"""What fuzzing found once; each was answered 500."""

SEEDS: dict[Callable[[bytes], None], list[bytes]] = {
    events: [b"\0" + EVENT, b"\1" + gzip.compress(EVENT, mtime=0), b"\3" + MANY, b"\x45" + MANY],
    imports: [MANY, gzip.compress(MANY, mtime=0), _zipped("a.ndjson", MANY)],
    statements: [b"\0" + STATEMENT, b"\1[" + STATEMENT + b"]"],
    multipart: [BOUNDARY],
    images: [_picture("JPEG"), _picture("PNG")],
    archives: [_zipped("lin.jpg", _picture("JPEG"))],
    tables: ["姓名,证件号码\n林,1\n".encode(), "姓名\t证件号码\n".encode("gb18030")],
    packs: [_pack()],
}
TARGETS = {it.__name__: it for it in SEEDS}
REFUSALS = (ZhenxueError, PackError)


def tried(target: Callable[[bytes], None], data: bytes) -> bool:
    """Whether it was taken; any other exception than a refusal is a fault of ours."""
    try:
        target(data)
    except REFUSALS:
        return False
    return True
