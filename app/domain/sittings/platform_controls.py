"""Controls that a platform runs itself and reports: evidence that it attests, not this service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from app.domain.controls.control_line import PLATFORM_SKEW_MS, ControlLine
from app.domain.controls.popups import match_popups
from app.domain.controls.scheduler import lines_of
from app.domain.policy import sitting_terms
from app.domain.policy.sitting_terms import PHOTO_WINDOW_MS, SittingTerms
from app.domain.sittings import sitting_life
from app.domain.sittings.sitting_life import Door
from app.domain.sittings.sittings import unknown_session
from app.domain.wire import EpochMs, Id, Wire
from app.errors import Conflict
from app.store.controls import controls as store
from app.store.events import event_log
from app.store.faces import snapshots as photo_store
from app.store.sittings import sittings as sitting_store
from app.store.sittings.sittings import SittingRow
from detectors.control_kinds import AnsweredBy, ControlKind, kind_of
from detectors.event_types import telling_of
from detectors.trace import ControlFlag

MOST = 1000
_OF_POPUPS = telling_of(ControlKind.POPUP)

if TYPE_CHECKING:
    KindName = str
else:
    KindName = Literal[tuple(kind.value for kind in ControlKind)]


class ControlReport(Wire):
    """One control as the platform issued it, and of a pop-up, in the same call or a later one, when
    it was shown (left out: as it was issued) and answered: such pop-ups need no events."""

    control: KindName
    challenge_id: Id
    nonce: Id | None = None
    issued_at_ms: EpochMs
    shown_at_ms: EpochMs | None = None
    answered_at_ms: EpochMs | None = None

    @property
    def told(self) -> bool:
        """Whether it says what became of it, too."""
        return self.shown_at_ms is not None or self.answered_at_ms is not None

    @property
    def seen_ms(self) -> int:
        return self.issued_at_ms if self.shown_at_ms is None else self.shown_at_ms


class ControlReports(Wire):
    controls: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)]


def report(
    connection: Connection,
    platform_id: int,
    external_id: str,
    reports: Sequence[ControlReport | Mapping[str, Any]],
    now_ms: int,
) -> tuple[int, list[dict[str, Any]]]:
    """Enter reported controls into a live sitting's ledger: (its row id, a result each).

    A refused item is given as {code, detail} in place of a ControlReport. Results are {status:
    stored | unchanged | rejected, …}. Raises NotFound, Conflict (service_controls, or the sitting
    takes no more).
    """
    sitting = sitting_store.by_external_id(connection, platform_id, external_id, lock=True)
    if sitting is None:
        raise unknown_session(external_id)
    now_ms += sitting.ahead_ms
    names = sitting_store.names(connection, sitting.id)
    if names.controls != "platform":
        raise Conflict(
            "service_controls", "this service runs the controls of the class: nothing to report"
        )
    terms = sitting_terms.of_pack(names.pack_id, names.pack_version)
    fate = sitting_life.fate(sitting, Door.REPORT, now_ms)
    if fate.refused:
        raise Conflict(fate.value, sitting_life.why(fate, external_id))
    # A sitting that fell silent may go on: what was issued in the break belongs to it.
    first_ms = sitting.opened_ms - PLATFORM_SKEW_MS
    last_ms = sitting_life.ends_ms(sitting, now_ms) + PLATFORM_SKEW_MS
    known = {line.challenge_id: line for line in lines_of(connection, sitting.id)}
    results: list[dict[str, Any]] = []
    for item in reports:
        if not isinstance(item, ControlReport):
            results.append({"status": "rejected", **item})
        elif not first_ms <= item.issued_at_ms <= last_ms:
            detail = (
                "issued_at_ms: 弹窗时间不在本次学习会话之内，请按发出时的会话上报 "
                f"lies outside the sitting ({first_ms} … {last_ms}): report it under the session "
                "in which it was issued, by a clock that is right"
            )
            results.append({"status": "rejected", "code": "outside_sitting", "detail": detail})
        elif (wrong := wrong_answer(item, last_ms)) is not None:
            results.append({"status": "rejected", "code": "bad_answer", **wrong})
        else:
            results.append(enter(connection, sitting.id, known, item, terms))
    if any(result["status"] == "stored" for result in results):
        _match_told_before(connection, sitting, reports)
    return sitting.id, results


def wrong_answer(item: ControlReport, last_ms: int) -> dict[str, str] | None:
    """What is wrong with what a report says of display and answer, by field."""
    if not item.told:
        return None
    if kind_of(item.control).answered_by is AnsweredBy.PHOTOS:
        detail = "照片类核验由照片说明 a photo answers this control, no time of an answer"
        return {"field": "answered_at_ms", "detail": f"answered_at_ms: {detail}"}
    if not item.issued_at_ms <= item.seen_ms <= last_ms:
        detail = "弹窗显示应在发出之后、现在之前 lies before the issue, or is still to come"
        return {"field": "shown_at_ms", "detail": f"shown_at_ms: {detail}"}
    if item.answered_at_ms is not None and not item.seen_ms <= item.answered_at_ms <= last_ms:
        detail = "应答应在显示之后、现在之前 lies before the display, or is still to come"
        return {"field": "answered_at_ms", "detail": f"answered_at_ms: {detail}"}
    return None


def _match_told_before(
    connection: Connection,
    sitting: SittingRow,
    reports: Sequence[ControlReport | Mapping[str, Any]],
) -> None:
    """A platform may report a pop-up after the page has shown it, or had it answered."""
    issued = [it.issued_at_ms for it in reports if isinstance(it, ControlReport)]
    if not issued or sitting.last_recv_ms < min(issued) - PLATFORM_SKEW_MS:
        return
    log = event_log.read(connection, sitting.id)
    events = {int(it["seq"]): it for it in reversed(log.events)}
    notes = [
        {
            **note,
            "recv_ms": sitting.opened_ms + int(events[note["seq"]]["recv_ms"]),
            "at_ms": int(events[note["seq"]]["at_ms"]),
        }
        for note in log.notes
        if note["type"] in _OF_POPUPS and note["seq"] in events
    ]
    match_stored(connection, sitting.id, notes)


def enter(
    connection: Connection,
    session_id: int,
    known: dict[str, ControlLine],
    item: ControlReport,
    terms: SittingTerms,
) -> dict[str, Any]:
    """Enter one report; `known` are the session's lines by challenge, and is kept up to date."""
    there = known.get(item.challenge_id)
    if there is not None and not there.flags & ControlFlag.UNKNOWN:
        if _same(there, item):
            return _told_later(connection, session_id, there, item)
        detail = f"challenge {item.challenge_id!r} was reported with other content"
        return {"status": "rejected", "code": "challenge_differs", "detail": detail}
    line = line_of_report(item, terms)
    if there is None:
        _tell(line, item)
        store.insert_lines(connection, [(session_id, line.columns())])
        if kind_of(item.control).answered_by is AnsweredBy.PHOTOS:
            # Photos may be quicker than the word of their control.
            entered = store.line(connection, session_id, item.challenge_id)
            assert entered is not None
            photo_store.bind(connection, session_id, item.challenge_id, entered.id)
    else:  # its answer came first
        line.answered_ms, line.answered_seq = there.answered_ms, there.answered_seq
        line.latency_ms = there.latency_ms
        line.flags |= there.flags & ~ControlFlag.UNKNOWN
        if not line.owns(there.nonce):
            line.flags |= ControlFlag.FOREIGN_NONCE
        if there.answered_ms is not None and line.early(there.answered_ms):
            line.flags |= ControlFlag.EARLY_ANSWER
        store.update_line(connection, session_id, line.challenge_id, **line.columns())
    known[line.challenge_id] = line
    return {"status": "stored"}


def _told_later(
    connection: Connection, session_id: int, line: ControlLine, item: ControlReport
) -> dict[str, Any]:
    """What the page's own events told of a pop-up stands; else a report adds what it knows."""
    before = line.answers()
    if not item.told or line.shown_seq is not None or line.answered_seq is not None:
        return {"status": "unchanged"}
    if line.answered_ms is not None and item.answered_at_ms not in (None, line.answered_ms):
        detail = f"challenge {item.challenge_id!r} was reported as answered at another time"
        return {"status": "rejected", "code": "challenge_differs", "detail": detail}
    _tell(line, item)
    if line.answers() == before:
        return {"status": "unchanged"}
    store.update_line(connection, session_id, line.challenge_id, **line.answers())
    return {"status": "stored"}


def _tell(line: ControlLine, item: ControlReport) -> None:
    if item.told:
        line.shown_ms = item.seen_ms
    if item.answered_at_ms is not None:
        line.answered_ms = item.answered_at_ms
        line.latency_ms = item.answered_at_ms - item.seen_ms


def line_of_report(item: ControlReport, terms: SittingTerms) -> ControlLine:
    """The ledger line of a reported control. That its time was random is the platform's word."""
    kind = kind_of(item.control)
    return ControlLine(
        challenge_id=item.challenge_id,
        nonce=item.nonce,
        issued_ms=item.issued_at_ms,
        kind=kind.value,
        source="platform",
        random_time=kind.random_time,
        due_ms=item.issued_at_ms,
        window_ms=window_ms(kind, terms),
        flags=int(ControlFlag.RANDOM_TIME) if kind.random_time else 0,
    )


def window_ms(kind: ControlKind, terms: SittingTerms) -> int:
    """How long a platform's control of that kind may wait for its answer."""
    windows = {
        ControlKind.POPUP: terms.popup_window_ms,
        ControlKind.SNAPSHOT: PHOTO_WINDOW_MS,
        ControlKind.FACE_CHECK: terms.face_window_ms * terms.face_tries,  # not told apart
    }
    return windows[kind]


def match_stored(
    connection: Connection, session_id: int, notes: Sequence[Mapping[str, Any]]
) -> None:
    """Hold pop-up events of an imported sitting against its ledger (see `match_popups`)."""
    popups = [line for line in lines_of(connection, session_id) if line.kind == ControlKind.POPUP]
    matched = match_popups(popups, notes)
    for challenge, columns in matched.changed.items():
        store.update_line(connection, session_id, challenge, **columns)
    store.insert_lines(connection, [(session_id, line.columns()) for line in matched.unknown])


def _same(line: ControlLine, item: ControlReport) -> bool:
    return (line.kind, line.nonce, line.issued_ms, line.source) == (
        item.control,
        item.nonce,
        item.issued_at_ms,
        "platform",
    )
