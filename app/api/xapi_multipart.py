"""`multipart/mixed` bodies: statements first, then the files that they name (RFC 2046, 5.1)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from email.message import Message
from email.parser import BytesHeaderParser

from app.api.xapi_request import Asked, media_type_of
from app.domain.exchange.xapi_attachments import AttachedFile
from app.errors import MalformedBody

MIXED = "multipart/mixed"
_JSON = ("application/json", "")
_MOST_PARTS = 1000
_END = b"\r\n"


def statements_and_files(asked: Asked) -> tuple[bytes, list[AttachedFile]]:
    """(JSON of the statements, files). Raises MalformedBody."""
    plain = media_type_of(asked.media_type)
    if plain in _JSON:
        return asked.body, []
    if plain != MIXED:
        raise MalformedBody("media_type", f"send statements as {_JSON[0]} or {MIXED}")
    (head, body), *rest = _parts(asked)
    if media_type_of(head.get("content-type", "")) != _JSON[0]:
        raise _invalid(f"the first part holds the statements, as {_JSON[0]}")
    return body, [_file(head, body) for head, body in rest]


def composed(statements: bytes, files: Sequence[AttachedFile]) -> tuple[bytes, str]:
    """(body, media type) of an answer with files."""
    boundary = secrets.token_hex(16)
    written = [_part(boundary, {"Content-Type": "application/json"}, statements)]
    for file in files:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Transfer-Encoding": "binary",
            "X-Experience-API-Hash": file.sha2,
        }
        written.append(_part(boundary, headers, file.body))
    return b"".join(written) + f"--{boundary}--\r\n".encode(), f"{MIXED}; boundary={boundary}"


def _part(boundary: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"--{boundary}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body + _END


def _parts(asked: Asked) -> list[tuple[Message, bytes]]:
    declared = Message()
    declared["content-type"] = asked.media_type
    boundary = declared.get_boundary()
    if not boundary or not boundary.isascii():
        raise _invalid(f"Content-Type: {MIXED} needs its boundary")
    _, *pieces = (_END + asked.body).split(_END + b"--" + boundary.encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise _invalid("the boundary of Content-Type does not divide and end the body")
    if len(pieces) > _MOST_PARTS:
        raise _invalid(f"at most {_MOST_PARTS} parts")
    return [_read(piece) for piece in pieces[:-1]]


def _read(piece: bytes) -> tuple[Message, bytes]:
    padding, found, rest = piece.partition(_END)
    if padding.strip(b" \t") or not found:
        raise _invalid("a part does not begin on a line of its own")
    if rest.startswith(_END):
        return Message(), rest[len(_END) :]
    head, found, body = rest.partition(_END * 2)
    if not found:
        raise _invalid("a part lacks the empty line after its headers")
    if not head.isascii():  # the parser makes objects of such headers, no strings
        raise _invalid("headers of a part are ASCII")
    return BytesHeaderParser().parsebytes(head + _END * 2), body


def _file(head: Message, body: bytes) -> AttachedFile:
    if str(head.get("content-transfer-encoding", "")).strip().lower() != "binary":
        raise _invalid("Content-Transfer-Encoding: must be binary for a file")
    sha2 = str(head.get("x-experience-api-hash", "")).strip().lower()
    if not sha2:
        raise _invalid("X-Experience-API-Hash: is required of a file")
    return AttachedFile(sha2, body)


def _invalid(detail: str) -> MalformedBody:
    return MalformedBody("malformed_multipart", detail)
