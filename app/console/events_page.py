"""The raw events of a sitting, as they were received: what everything else rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from app.console import labels, readable
from app.console.language import Language, position
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render
from app.console.session_page import sitting_of
from app.store.events import event_log as store
from detectors.event_types import wire
from detectors.trace import NONE, Flag, Kind

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 500
_SAID = {"seq", "type"}


Moment = Annotated[int | None, Query(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event: the server's time beside the client's, and what else it said."""

    seq: int
    kind: str
    received: str
    client_time: str
    position: str
    said: str


@router.get("/sessions/{session_id}/events")
def events(
    request: Request, login: SignedIn, session_id: RowId, page: int = 1, at: Moment = None
) -> Response:
    """`at`: a moment by the server's clock; the page with the first event from there on."""
    lang = language_of(request)
    with request.app.state.services.database.read() as connection:
        sitting = sitting_of(connection, session_id, login.user.scope)
        log = store.read(connection, session_id)
    records = log.in_order()
    pages = max(1, -(-len(records) // PAGE))
    pointed = None
    if at is not None and len(records):
        later = np.flatnonzero(records["recv_ms"] >= at - sitting.opened_ms)
        pointed = int(later[0]) if len(later) else len(records) - 1
        page = pointed // PAGE + 1
    page = min(max(page, 1), pages)
    shown = records[(page - 1) * PAGE : page * PAGE]
    return render(
        request,
        "events.html",
        login=login,
        sitting=sitting,
        rows=event_rows(shown, log.notes, sitting.opened_ms, lang),
        pointed=None if pointed is None else int(records["seq"][pointed]),
        total=len(records),
        page=page,
        pages=pages,
    )


def event_rows(
    records: Any, notes: Sequence[Mapping[str, Any]], opened_ms: int, lang: Language
) -> list[EventRow]:
    """Rows of packed records, with the words that were kept beside them."""
    beside = {it["seq"]: it for it in notes if "seq" in it}
    return [
        EventRow(
            seq=int(it["seq"]),
            kind=wire(Kind(int(it["kind"]))),
            received=lang.clock(opened_ms + int(it["recv_ms"])),
            client_time=lang.clock(int(it["at_ms"])),
            position=position(int(it["pos_ms"])) if it["pos_ms"] != NONE else "–",
            said=_said(it, beside.get(int(it["seq"]), {}), lang),
        )
        for it in records
    ]


def _said(record: Any, note: Mapping[str, Any], lang: Language) -> str:
    flags = [str(flag.name).lower() for flag in Flag if int(record["flags"]) & flag]
    parts = [lang.say(labels.label(labels.EVENT_FLAGS, flag).text) for flag in flags]
    kind, x = int(record["kind"]), int(record["x"])
    if kind == Kind.SEEK and x != NONE:
        parts.append(f"→ {position(x)}")
    if kind in (Kind.RATE, Kind.PROGRESS) and x != NONE:
        parts.append(f"{x / 1000:g}×")
    parts.extend(
        readable.event_note(name, value, lang) for name, value in note.items() if name not in _SAID
    )
    return " · ".join(parts)
