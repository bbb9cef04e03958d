"""A county's packs in the making: one person writes, another one publishes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.policy import pack_draft, packs
from app.domain.policy.pack_draft import MOST_CHARACTERS, PackDraft
from app.domain.policy.pack_schema import PackError
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.review import pack_drafts as store
from app.store.review.pack_drafts import PackDraftRow

MAX_TITLE = 60


class PackDraftState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    DISCARDED = "discarded"


def seen(connection: Connection, user: User, draft_id: int, *, lock: bool = False) -> PackDraftRow:
    """A draft of their counties. Raises NotFound."""
    row = store.draft(connection, draft_id, lock=lock)
    if row is None or not _of_theirs(user, row.county):
        raise NotFound("unknown_draft", f"there is no draft {draft_id}")
    return row


def listed(connection: Connection, user: User) -> Sequence[PackDraftRow]:
    """The drafts that somebody may see, the latest first."""
    return store.of_counties(connection, user.scope.counties) if user.of_authority else []


def draft_of(row: PackDraftRow) -> PackDraft:
    return PackDraft(row.pack_id, row.version, row.text, row.clauses)


def begin(
    connection: Connection,
    user: User,
    county: str,
    base: str,
    pack_id: str,
    version: str,
    title: str,
    now_ms: int,
) -> int:
    """Begin a draft on a published pack (`<id>@<version>`); its id.

    Raises NotAllowed, BadInput by the field, Conflict `pack_taken`.
    """
    if not user.decides or not _of_theirs(user, county):
        raise NotAllowed("role", "only the county's auditors and reviewers write packs")
    if not county.strip() or len(county) > 64:
        raise BadInput("county_missing", "county: 1 to 64 characters", field="county")
    pack_draft.check_name(pack_id, version)
    said = shown_text(title)
    if not 1 <= len(said) <= MAX_TITLE:
        detail = f"title: 1 to {MAX_TITLE} characters"
        raise BadInput("bad_title", detail, field="title")
    draft = pack_draft.begun(packs.load(base), pack_id, version, said)
    row = {"pack_id": pack_id, "version": version, "text": draft.text, "clauses": ""}
    draft_id = store.add(
        connection,
        county=county.strip(),
        **row,
        writers=[user.username],
        state=PackDraftState.DRAFT,
        changed_ms=now_ms,
    )
    told = {"pack": draft.name, "county": county.strip(), "base": base}
    _record(connection, user, "pack.drafted", draft_id, told, now_ms)
    return draft_id


def save(
    connection: Connection,
    user: User,
    draft_id: int,
    text: str,
    clauses: str,
    seen_digest: str,
    now_ms: int,
) -> None:
    """Keep what was typed, whatever is wrong with it. `seen_digest`: of what they began from.

    Raises NotFound, NotAllowed, BadInput, Conflict `draft_moved` when somebody else wrote since.
    """
    row = _own(connection, user, draft_id, seen_digest)
    plain = text.replace("\r\n", "\n"), clauses.replace("\r\n", "\n")
    if sum(map(len, plain)) > MOST_CHARACTERS:
        detail = f"text: at most {MOST_CHARACTERS:,} characters"
        raise BadInput("too_long", detail, field="text")
    if plain == (row.text, row.clauses):
        return
    writers = list(dict.fromkeys([*row.writers, user.username]))
    values = {"text": plain[0], "clauses": plain[1], "writers": writers, "changed_ms": now_ms}
    store.change(connection, draft_id, **values)
    digest = PackDraft(row.pack_id, row.version, *plain).digest
    told = {"pack": f"{row.pack_id}@{row.version}", "sha256": digest}
    _record(connection, user, "pack.edited", draft_id, told, now_ms)


def publish(
    connection: Connection,
    user: User,
    draft_id: int,
    seen_digest: str,
    now_ms: int,
    reason: str = "",
) -> str:
    """Publish a draft for good, as somebody who has not written at it; the pack's name.

    Raises NotFound, NotAllowed, Conflict `own_draft`, `draft_moved`, `pack_invalid`, `pack_taken`,
    `no_packs_folder`.
    """
    row = _own(connection, user, draft_id, seen_digest)
    if user.username in row.writers:
        raise Conflict("own_draft", "who wrote at a pack does not publish it")
    draft = draft_of(row)
    try:
        digest = pack_draft.publish(draft)
    except PackError as error:
        raise Conflict("pack_invalid", str(error)) from error
    store.change(
        connection,
        draft_id,
        state=PackDraftState.PUBLISHED,
        published_by=user.username,
        published_ms=now_ms,
        digest=digest,
    )
    detail = {
        "pack": draft.name,
        "sha256": digest,
        "writers": row.writers,
        "reason": reason,
    }
    _record(connection, user, "pack.published", draft_id, detail, now_ms)
    return draft.name


def discard(
    connection: Connection, user: User, draft_id: int, now_ms: int, reason: str = ""
) -> None:
    """Give a draft up; it stays to be read."""
    row = _own(connection, user, draft_id, None)
    store.change(connection, draft_id, state=PackDraftState.DISCARDED)
    detail = {"pack": f"{row.pack_id}@{row.version}", "reason": reason}
    _record(connection, user, "pack.discarded", draft_id, detail, now_ms)


def _own(
    connection: Connection, user: User, draft_id: int, seen_digest: str | None
) -> PackDraftRow:
    """A draft that is open, held until the transaction ends."""
    row = seen(connection, user, draft_id, lock=True)
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers write packs")
    if row.state != PackDraftState.DRAFT:
        raise Conflict("draft_closed", "the draft is published or given up")
    if seen_digest is not None and seen_digest != draft_of(row).digest:
        raise Conflict("draft_moved", "somebody changed the draft meanwhile")
    return row


def _of_theirs(user: User, county: str) -> bool:
    counties = user.scope.counties
    return user.of_authority and (counties is None or county in counties)


def _record(
    connection: Connection,
    user: User,
    action: str,
    draft_id: int,
    detail: dict[str, Any],
    now_ms: int,
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=action,
        subject=f"draft:{draft_id}",
        detail=detail,
    )
