"""Files that travel with statements, and the signatures among them.

A statement names each file by its SHA-2. A signature is such a file: a JSON Web Signature
(RFC 7515) over the statement as it was before the signature was attached.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.domain.exchange.xapi_batch import Sent, content_of
from app.domain.exchange.xapi_values import parse_json
from app.errors import MalformedBody

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_SIGNED_TYPE = "application/octet-stream"
_BY_LENGTH = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_ALGORITHMS = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """`sha2` in lower-case hex, as the sender gives it."""

    sha2: str
    body: bytes


def attachments_of(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All attachments that a statement names, those of a statement within it too."""
    yield from statement.get("attachments", ())
    thing = statement["object"]
    if thing.get("objectType") == "SubStatement":
        yield from attachments_of(thing)


def require_files(batch: Sequence[Sent], files: Sequence[AttachedFile]) -> None:
    """Each attachment has its file here or says where it lies; each file is named, and is what its
    hash says; each signature signs its statement. Raises MalformedBody."""
    known = {file.sha2: file.body for file in files}
    for file in files:
        name = _BY_LENGTH.get(len(file.sha2))
        if name is None or hashlib.new(name, file.body).hexdigest() != file.sha2:
            raise _invalid("X-Experience-API-Hash: is not the SHA-2 of its part")
    named = set()
    for sent in batch:
        for told in attachments_of(sent.statement):
            sha2 = told["sha2"].lower()
            named.add(sha2)
            if sha2 not in known and "fileUrl" not in told:
                raise _invalid(f"attachments: {sha2} neither came along nor has a fileUrl")
        borne = sent.statement.get("attachments", ())
        signatures = [it for it in borne if it["usageType"] == SIGNATURE]
        if any(_type_of(it) != _SIGNED_TYPE for it in signatures):
            raise _invalid(f"attachments: the contentType of a signature is {_SIGNED_TYPE}")
        for sha2 in {it["sha2"].lower() for it in signatures}:  # borne twice, it is read once
            _require_signature(sent.statement, known.get(sha2))
    if known.keys() - named:
        raise _invalid("a part of the body is named by no statement")


def _type_of(attachment: dict[str, Any]) -> str:
    told: str = attachment["contentType"]
    return told.partition(";")[0].strip().lower()


def _require_signature(statement: dict[str, Any], body: bytes | None) -> None:
    if body is None:
        return  # it lies elsewhere: whoever reads the statement checks it
    head, payload = _opened(body)
    if not isinstance(payload, dict) or not _same(payload, statement):
        raise _invalid("attachments: the signature is of another statement")
    if head.get("x5c"):
        _verify(head, body)


def _opened(body: bytes) -> tuple[dict[str, Any], Any]:
    parts = body.split(b".")
    if len(parts) != 3 or not all(parts):
        raise _invalid("attachments: the signature is no JSON Web Signature")
    head, payload = parse_json(_decoded(parts[0])), parse_json(_decoded(parts[1]))
    if not isinstance(head, dict) or head.get("alg") not in _ALGORITHMS:
        raise _invalid(f"attachments: a signature is made with {', '.join(_ALGORITHMS)}")
    return head, payload


def _decoded(part: bytes) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("attachments: the signature is no JSON Web Signature") from None


def _same(payload: dict[str, Any], statement: dict[str, Any]) -> bool:
    left = [it for it in statement.get("attachments", ()) if it["usageType"] != SIGNATURE]
    said = {**statement, "attachments": left}
    if payload.get("id", statement.get("id")) != statement.get("id"):
        return False
    try:
        return content_of({"attachments": [], **payload}) == content_of(said)
    except (AttributeError, TypeError):
        return False


def _verify(head: dict[str, Any], body: bytes) -> None:
    """By the certificate that came along: it proves that nothing changed, not who signed."""
    signed, _, signature = body.rpartition(b".")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(head["x5c"][0]))
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError("no RSA key")
        key.verify(_decoded(signature), signed, padding.PKCS1v15(), _ALGORITHMS[head["alg"]])
    except (InvalidSignature, ValueError, TypeError, KeyError, IndexError):
        raise _invalid("attachments: the signature does not hold by its certificate") from None


def _invalid(detail: str) -> MalformedBody:
    return MalformedBody("invalid_attachment", detail)
