"""Documents of an xAPI record store: what a course or player puts down and finds again.

They are kept as they came and never read: no document is evidence, and none changes a verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain.exchange.xapi_keys import activity_key, agent_key, digest
from app.domain.exchange.xapi_values import dump_json, parse_json
from app.errors import BodyTooLarge, Conflict, MalformedBody, NotFound, PreconditionFailed
from app.store.exchange import documents as store
from app.store.exchange import statements
from app.store.exchange.documents import ListedDocument, StoredDocument

JSON = "application/json"
MOST_BYTES = 1024 * 1024  # of one document: a product default
MOST_ID = 2000
TERM_MS = 400 * DAY_MS  # untouched for longer, a document is purged: a product default
_MOST_TYPE = 128


@dataclass(frozen=True, slots=True)
class Preconditions:
    """`If-Match` and `If-None-Match` as they came; None: not sent."""

    match: str | None = None
    none_match: str | None = None

    def require(self, found: StoredDocument | None) -> None:
        """Raises PreconditionFailed where the document is not as the caller believes."""
        if self.match is not None and not _names(self.match, found):
            raise PreconditionFailed("document_changed", "If-Match: the document has another ETag")
        if self.none_match is not None and _names(self.none_match, found):
            raise PreconditionFailed("document_exists", "If-None-Match: there is a document")


def _names(told: str, found: StoredDocument | None) -> bool:
    if found is None:
        return False
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in told.split(",")]
    return "*" in tags or found.etag in tags


class Guard(Enum):
    """Which documents are put only by who says what is there: the one that is replaced, or none."""

    NONE = auto()
    REPLACED = auto()
    ALWAYS = auto()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where documents lie: of which kind, about which activity, whose, in which registration."""

    kind: str
    activity: str | None = None
    agent: dict[str, Any] | None = None
    registration: str | None = None

    def place(self) -> bytes:
        who = b"" if self.agent is None else agent_key(self.agent) or b""
        what = b"" if self.activity is None else activity_key(self.activity)
        return digest("documents", f"{self.kind} {what.hex()} {who.hex()}")

    def address(self, document_id: str) -> bytes:
        return digest("document", f"{self.place().hex()} {self.registration} {document_id}")


def get(connection: Connection, platform_id: int, shelf: Shelf, document_id: str) -> StoredDocument:
    """Raises NotFound."""
    found = store.one(connection, platform_id, shelf.address(document_id))
    if found is None:
        raise NotFound("unknown_document", "there is no such document")
    return found


def ids(
    connection: Connection, platform_id: int, shelf: Shelf, since_ms: int | None
) -> Sequence[ListedDocument]:
    """What lies there: in all registrations, unless the shelf names one."""
    return store.listed(connection, platform_id, shelf.place(), shelf.registration, since_ms)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What is put or merged, and how large all of a platform's documents and files may be."""

    document_id: str
    media_type: str
    body: bytes
    most_kept: int


def put(
    connection: Connection,
    platform_id: int,
    shelf: Shelf,
    new: NewDocument,
    told: Preconditions,
    *,
    guard: Guard,
    now_ms: int,
) -> None:
    """Store a document in place of what was there, if the guard lets it. Raises PreconditionFailed,
    Conflict, BodyTooLarge, MalformedBody."""
    statements.queue(connection, platform_id)
    found = store.one(connection, platform_id, shelf.address(new.document_id))
    told.require(found)
    if told == Preconditions():
        if guard is not Guard.NONE and found is not None:
            raise Conflict(
                "document_exists",
                "there is a document: read its ETag, and send it back as If-Match to replace it",
            )
        if guard is Guard.ALWAYS:
            raise MalformedBody(
                "precondition_missing", "send If-Match, or If-None-Match: * for a new document"
            )
    _store(connection, platform_id, shelf, new, found, now_ms)


def merge(
    connection: Connection,
    platform_id: int,
    shelf: Shelf,
    new: NewDocument,
    told: Preconditions,
    now_ms: int,
) -> None:
    """Store a document, its properties beside those that are there. Raises PreconditionFailed,
    BodyTooLarge, and MalformedBody where either of the two is no JSON object."""
    statements.queue(connection, platform_id)
    found = store.one(connection, platform_id, shelf.address(new.document_id))
    told.require(found)
    body = new.body
    said = _properties(new.body) if _is_json(new.media_type) else None
    if found is not None:
        if said is None or not _is_json(found.media_type):
            raise _not_json("only JSON is merged with JSON: PUT replaces a document")
        body = dump_json(_properties(found.body) | said)
    merged = NewDocument(new.document_id, new.media_type, body, new.most_kept)
    _store(connection, platform_id, shelf, merged, found, now_ms)


def delete(
    connection: Connection, platform_id: int, shelf: Shelf, document_id: str, told: Preconditions
) -> None:
    """Remove a document; one that is not there is removed already. Raises PreconditionFailed."""
    statements.queue(connection, platform_id)
    address = shelf.address(document_id)
    told.require(store.one(connection, platform_id, address))
    store.remove(connection, platform_id, address)


def clear(connection: Connection, platform_id: int, shelf: Shelf) -> None:
    """Remove all that lies there."""
    store.clear(connection, platform_id, shelf.place(), shelf.registration)


def _store(
    connection: Connection,
    platform_id: int,
    shelf: Shelf,
    new: NewDocument,
    found: StoredDocument | None,
    now_ms: int,
) -> None:
    _require_room(connection, platform_id, new, 0 if found is None else len(found.body))
    agent = shelf.agent
    account = (agent or {}).get("account")
    store.put(
        connection,
        platform_id=platform_id,
        address=shelf.address(new.document_id),
        place=shelf.place(),
        agent=agent and agent_key(agent),
        account=account and store.account_digest(account["name"]),
        registration=shelf.registration,
        document_id=new.document_id,
        media_type=new.media_type,
        etag=hashlib.sha1(new.body, usedforsecurity=False).hexdigest(),  # as version 1.0.3 wants it
        body=new.body,
        size=len(new.body),
        changed_ms=now_ms,
    )


def _require_room(connection: Connection, platform_id: int, new: NewDocument, freed: int) -> None:
    if len(new.media_type) > _MOST_TYPE:
        raise MalformedBody("invalid_parameter", "Content-Type: is too long")
    if len(new.body) > MOST_BYTES:
        raise BodyTooLarge("document_too_large", f"a document has at most {MOST_BYTES} bytes")
    require_room(connection, platform_id, len(new.body) - freed, new.most_kept)


def require_room(connection: Connection, platform_id: int, more: int, most_kept: int) -> None:
    """Raises BodyTooLarge when a platform's documents and files would exceed its share."""
    if more > 0 and store.bytes_of(connection, platform_id) + more > most_kept:
        raise BodyTooLarge(
            "documents_full",
            f"this platform's documents and attached files fill their {most_kept} bytes",
        )


def _is_json(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower() == JSON


def _properties(body: bytes) -> dict[str, Any]:
    value = parse_json(body)
    if not isinstance(value, dict):
        raise _not_json("a document that is merged must be a JSON object")
    return value


def _not_json(detail: str) -> MalformedBody:
    return MalformedBody("not_a_json_object", detail)
