"""Terms carried out: templates go when an assessment is over, photos when their time is up.

A photo is first marked as removed by order, and only then are its bytes deleted: whoever looks for
it in between finds a removal, never a loss, and no verdict changes. A purge that is cut short is
finished by the next.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

from app.clock import DAY_MS, day
from app.domain.accounts import refused_requests
from app.domain.exchange import webhooks
from app.domain.exchange.xapi_documents import TERM_MS
from app.domain.faces import photo_batch
from app.domain.policy import packs
from app.errors import Conflict
from app.services import Services
from app.store.accounts import audit
from app.store.exchange import documents, forgotten
from app.store.faces import retention as store
from app.store.faces.retention import PhotoTerms
from app.store.review import notices

MESSAGES_MS = 90 * DAY_MS  # product default: how long the log of webhooks goes back
_AT_ONCE = 200
_PATIENCE_S = 5  # whoever encrypts photos anew pauses every second
_STATEMENTS_AT_ONCE = 1000


def listed(services: Services) -> list[dict[str, Any]]:
    """What a purge would remove now, class by class, and how much holds keep."""
    photos, templates = _cutoffs(services)
    with services.database.read() as connection:
        rows = store.classes_over(connection, photos, templates)
    return [
        {
            "class_id": row.klass,
            "platform": row.platform,
            "photos": row.photos,
            "templates": row.templates,
            "held": row.held,
        }
        for row in rows
    ]


def perform(
    services: Services, actor: str, stopping: threading.Event | None = None
) -> dict[str, int]:
    """Remove what is due; counts. What is marked when `stopping` is set waits for the next. Raises
    Conflict while another process does it."""
    with services.database.alone_within(_PATIENCE_S, "purge") as mine:
        if mine:
            return _perform(services, actor, stopping)
    raise Conflict("purge_running", "another process removes what is due just now")


def _perform(services: Services, actor: str, stopping: threading.Event | None) -> dict[str, int]:
    photos, templates = _cutoffs(services)
    total = {"classes": 0, "photos": 0, "templates": 0}
    photo_batch.sweep(services.enrolments)
    with services.database.read() as connection:
        due = store.classes_over(connection, photos, templates)
    for row in due:
        if row.photos or row.templates:
            with services.database.write() as connection:
                now_ms = services.clock()
                done = {
                    "photos": store.mark_photos(connection, row.id, now_ms) if row.photos else 0,
                    "templates": store.drop_embeddings(connection, row.id) if row.templates else 0,
                }
                _record(services, connection, actor, f"class:{row.id}", done)
            total["classes"] += 1
            for name, count in done.items():
                total[name] += count
    with services.database.write() as connection:
        enrolled = store.templates_over(connection, templates)
        if enrolled:
            store.drop_templates(connection, enrolled)
            _record(services, connection, actor, "enrolled", {"templates": len(enrolled)})
        store.old_deliveries(connection, services.clock() - MESSAGES_MS)
        documents.forget(connection, services.clock() - TERM_MS)
        notices.forget(connection, services.clock() - MESSAGES_MS)
        refused_requests.forget(connection, services.clock())
        webhooks.remove_left_behind(connection, actor, services.clock())
    total["templates"] += len(enrolled)
    total["statements"] = _forget_statements(services, actor, stopping)
    return total | {"removed": sweep(services, stopping)}


def _forget_statements(services: Services, actor: str, stopping: threading.Event | None) -> int:
    term_days = services.settings.statement_term_days
    before_ms, count = services.clock() - term_days * DAY_MS, 0
    while term_days and (stopping is None or not stopping.is_set()):
        with services.database.write() as connection:
            gone = forgotten.forget(connection, before_ms, _STATEMENTS_AT_ONCE)
            count += gone
            if gone < _STATEMENTS_AT_ONCE:
                if count:
                    _record(services, connection, actor, "statements", {"statements": count})
                break
    return count


def sweep(services: Services, stopping: threading.Event | None = None) -> int:
    """Delete the bytes of what is marked; how many objects."""
    count = 0
    while stopping is None or not stopping.is_set():
        with services.database.read() as connection:
            rows = store.marked(connection, _AT_ONCE)
        if not rows:
            break
        for row in rows:
            services.blobs.delete(row.blob_key)
        with services.database.write() as connection:
            store.removed(connection, [row.id for row in rows], services.clock())
        count += len(rows)
    photos, _ = _cutoffs(services)
    with services.database.read() as connection:
        references = store.references_over(connection, photos)
    for row in references:
        services.blobs.delete(row.blob_key)
        with services.database.write() as connection:
            store.reference_removed(connection, row.id)
        count += 1
    return count


def forget(services: Services) -> bool:
    """See that a destroyed key is in no file of the database any more: on SQLite the log of
    recent writes is emptied. False when somebody was reading, and it has to be done again."""
    if not services.database.sqlite:
        return True
    raw = services.database.engine.raw_connection()
    try:
        return bool(raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    finally:
        raw.close()


def _cutoffs(services: Services) -> tuple[PhotoTerms, str]:
    """The days that a class must have been over by: for its photos, as its pack and the setting
    ask, and for its templates. Of a pack that is not on the shelf nobody knows, and photos stay."""
    today, terms = day(services.clock()), services.settings
    with services.database.read() as connection:
        named = store.packs(connection)
    photos = {}
    for name in named:
        with suppress(packs.UnknownPack):
            cutoff = packs.load(name).photo_term(today, terms.photo_term_days)
            if cutoff is not None:
                photos[name] = cutoff.isoformat()
    return photos, (today - timedelta(days=terms.template_term_days)).isoformat()


def _record(
    services: Services, connection: Any, actor: str, subject: str, done: dict[str, int]
) -> None:
    audit.append(
        connection,
        at_ms=services.clock(),
        actor=actor,
        action="retention.purged",
        subject=subject,
        detail=done,
    )
