"""The control scheduler: after every batch it knows what the client must do next.

In memory it holds the ledgers of open sittings, so that a batch in which nothing falls due costs
no SQL. Whatever changes the ledger is decided again inside a write transaction on the rows as they
are then: several processes may serve one sitting, and a challenge is issued once. Each batch brings
along which version of the evidence its row had: what is remembered of another is old.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.db import Database
from app.domain.answer import UNSET, Answer, UnsetType
from app.domain.controls import control_plan, draws, face_check_reasons, questions
from app.domain.controls.control_line import ControlLine, PhotoResult
from app.domain.controls.control_plan import NEVER, POLL_MS, Ledger, Memory, Tick
from app.domain.controls.controls_due import (
    ControlNote,
    ControlsDue,
    FaceAction,
    FaceCheckDue,
    PlaybackStop,
    PopupDue,
    SnapshotDue,
)
from app.domain.controls.photo_plan import PlannedHour, Point
from app.domain.controls.questions import Asker, PopupQuestion, QuestionKind
from app.domain.id_numbers import ID_NUMBER_PURPOSE
from app.domain.policy import packs, question_pool, sitting_terms
from app.domain.policy.question_pool import Question
from app.domain.policy.sitting_terms import (
    BURST_MS,
    FRAMES,
    REVEAL_MS,
    SittingTerms,
    burst_frames,
)
from app.errors import NotFound
from app.languages import Text
from app.store.controls import controls as store
from app.store.controls.controls import AnsweringPhoto, ControlRow, ScheduledSitting
from app.store.events import event_log
from app.store.events.appending import Stand
from app.store.review import acts, spot_checks
from app.store.review.acts import ActInForce
from app.store.sittings import sittings as sitting_store
from app.vault import Vault
from detectors.control_kinds import ControlKind
from detectors.trace import Check

SEED_PURPOSE = "session-seed"
_HELD = 50_000  # ledgers kept in memory; the least recently used go first
_OWN_FACE = {Check.MATCH, Check.REVIEW}
_NOT_COMPARED = {Check.NO_REFERENCE, Check.NO_CONSENT, Check.NOT_COMPARED}


class Demands(msgspec.Struct, frozen=True):
    """What the client must do now or next: the lines that wait for it, or why it must stop."""

    lines: Mapping[ControlKind, ControlLine] = msgspec.field(default_factory=dict)
    stop: str | None = None
    learning_ms: int = 0
    now_ms: int = 0
    note: ControlNote | None = None

    def due(self) -> ControlsDue:
        """`controls` of an answer, as docs/controls.md has it."""
        asked: dict[str, Any] = {
            kind.value: ASKED[kind](line, self.learning_ms, self.now_ms)
            for kind, line in self.lines.items()
        }
        if self.stop is not None:
            asked["stop"] = PlaybackStop(code=self.stop, text=control_plan.STOPS[self.stop])
        if self.note is not None:
            asked["note"] = self.note
        return ControlsDue(**asked)


NOTHING = Demands()


class Batch(msgspec.Struct, frozen=True):
    """What the scheduler is told of one stored batch.

    learning_ms  the session's learning clock, position_ms the content position at the batch's end
    (None when it told none), popup_notes its pop-up events (`match_popups`).
    """

    session_id: int
    learning_ms: int
    position_ms: int | None
    now_ms: int
    popup_notes: Sequence[Mapping[str, Any]] = ()
    resumed: bool = False  # the sitting was over until this batch
    heard: bool = False  # it brought nothing again: the client had heard the answer before it
    number: int = 0  # which of the sitting's batches it was, from 1; 0: none that was stored
    evidence_version: int = 0  # of the sitting, as the batch was stored
    before: Stand | None = None  # where the sitting stood until then

    def memory(self) -> Memory:
        """What the sitting's rows tell of the time before it."""
        if self.before is None:
            return Memory(self.learning_ms, self.now_ms)
        learning_ms, position_ms, received_ms = self.before
        return Memory(learning_ms, received_ms, position_ms)


@dataclass(slots=True)
class _Watch:
    """A ledger in memory, and the bounds inside which a batch changes nothing."""

    ledger: Ledger
    demands: Demands
    wake_ms: int
    learning_at_ms: int
    low_ms: int
    high_ms: int
    number: int = 0  # of the last batch that this process saw
    evidence_version: int = 0  # of the rows that the ledger was read from, and written to

    def follows(self, batch: Batch) -> bool:
        """Whether no other process stored a batch since: else some of what led here is unknown."""
        return batch.number <= self.number + 1


@dataclass(slots=True)
class ControlScheduler:
    """One a process; safe to call from several threads."""

    database: Database
    vault: Vault
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _watches: OrderedDict[int, _Watch] = field(default_factory=OrderedDict)
    _hours: dict[int, tuple[PlannedHour, ...]] = field(default_factory=dict)

    def after(self, batches: Sequence[Batch]) -> list[Demands]:
        """The demands after stored batches; opens one transaction for those that need it."""
        seen = [self.glance(batch) for batch in batches]
        asked = [batch for batch, it in zip(batches, seen, strict=True) if it is None]
        settled = iter(self.settle(asked) if asked else ())
        return [next(settled) if it is None else it for it in seen]

    def glance(self, batch: Batch) -> Demands | None:
        """The demands where nothing changes, from memory alone; None: ask `settle`."""
        watch = self._watches.get(batch.session_id)
        if watch is None or batch.popup_notes or batch.resumed:
            return None
        if batch.evidence_version != watch.evidence_version:
            return None
        if batch.now_ms >= watch.wake_ms:
            return None
        if batch.learning_ms >= watch.learning_at_ms:
            return None
        position_ms = batch.position_ms
        if position_ms is not None and not watch.low_ms <= position_ms < watch.high_ms:
            return None
        ledger = watch.ledger
        memory = ledger.memory
        if batch.learning_ms > memory.learning_ms:
            if ledger.looks and batch.now_ms - memory.progress_ms > ledger.terms.resume_after_ms:
                return None
            memory.progress_ms = batch.now_ms
            memory.learning_ms = batch.learning_ms
        if position_ms is not None:
            memory.position_ms = position_ms
        watch.number = max(watch.number, batch.number)
        if watch.demands is NOTHING:
            return NOTHING
        now = {"learning_ms": batch.learning_ms, "now_ms": batch.now_ms}
        return msgspec.structs.replace(watch.demands, **now)

    def settle(self, batches: Sequence[Batch]) -> list[Demands]:
        """The demands of several batches, decided on the rows in one write transaction."""
        with self.database.write() as connection:
            settled = self._settled(connection, batches)
        for batch, watch in zip(batches, settled, strict=True):
            known = self._watches.get(batch.session_id)
            watch.number = max(batch.number, known.number if known else 0)
            self._keep(batch.session_id, watch)
        return [watch.demands for watch in settled]

    def begin(self, connection: Connection, session_id: int, now_ms: int) -> Demands:
        """The first demands of a sitting, in the transaction that opens or renews it."""
        self.forget(session_id)
        stored = _Stored.read(connection, [session_id], now_ms)
        sitting = stored.sittings[session_id]
        position_ms = sitting.play_pos_ms if sitting.learning_ms else sitting.resume_ms
        batch = Batch(session_id, sitting.learning_ms, position_ms, now_ms)
        ledger, watch = self._advanced(connection, stored, batch)
        _save(connection, {session_id: ledger})
        return watch.demands

    def begin_new(
        self,
        connection: Connection,
        session_id: int,
        now_ms: int,
        answer_times: Sequence[ActInForce],
    ) -> Demands:
        """As `begin`, of a sitting that was inserted just now: nothing was asked of it before.
        `answer_times` are those that stand recorded in its class."""
        self.forget(session_id)
        stored = _Stored.of_new(connection, session_id, answer_times)
        batch = Batch(session_id, 0, stored.sittings[session_id].resume_ms, now_ms)
        ledger, watch = self._advanced(connection, stored, batch)
        _save(connection, {session_id: ledger}, new=True)
        return watch.demands

    def finish(self, connection: Connection, ends: Mapping[int, int]) -> None:
        """Note which answer windows had ended, in the transaction that ends these sittings:
        session → when."""
        stored = _Stored.read(connection, ends, None)
        ledgers = {}
        for session_id, now_ms in ends.items():
            self.forget(session_id)
            learning_ms = stored.sittings[session_id].learning_ms
            batch = Batch(session_id, learning_ms, None, now_ms)
            ledgers[session_id] = self._load(connection, stored, batch)
            control_plan.finish(ledgers[session_id], learning_ms, now_ms)
        _save(connection, ledgers)

    def forget(self, session_id: int) -> None:
        """Nothing that was remembered of it holds any more."""
        with self._lock:
            self._watches.pop(session_id, None)

    def wake(self, session_id: int) -> None:
        """Something was asked or answered elsewhere: look at the rows with the next batch."""
        with self._lock:
            watch = self._watches.get(session_id)
            if watch is not None:
                watch.wake_ms = 0

    def _settled(self, connection: Connection, batches: Sequence[Batch]) -> list[_Watch]:
        """In order. What several batches tell of one sitting is decided one after the other."""
        ids = {it.session_id for it in batches}
        if len(ids) < len(batches):
            store.sittings(connection, ids)  # locked as all lock, by their numbers
            return [it for one in batches for it in self._settled(connection, [one])]
        now_ms = max((it.now_ms for it in batches), default=0)
        stored = _Stored.read(connection, ids, now_ms)
        ledgers, watches = {}, []
        for batch in batches:
            ledgers[batch.session_id], watch = self._advanced(connection, stored, batch)
            watches.append(watch)
        changed = _save(connection, ledgers)
        versions = {id_: it.evidence_version for id_, it in stored.sittings.items()}
        if changed:
            versions |= store.evidence_versions(connection, changed)
        for batch, watch in zip(batches, watches, strict=True):
            watch.evidence_version = versions[batch.session_id]
        return watches

    def _advanced(
        self, connection: Connection, stored: _Stored, batch: Batch
    ) -> tuple[Ledger, _Watch]:
        ledger = self._load(connection, stored, batch)
        tick = Tick(
            batch.learning_ms, batch.position_ms, batch.now_ms, batch.popup_notes, batch.heard
        )
        control_plan.advance(ledger, tick)
        return ledger, _watch(ledger, tick)

    def _load(self, connection: Connection, stored: _Stored, batch: Batch) -> Ledger:
        session_id = batch.session_id
        sitting = stored.sittings.get(session_id)
        if sitting is None:
            raise NotFound("unknown_session", "there is no such session")
        known = self._watches.get(session_id)
        memory = known.ledger.memory if known and known.follows(batch) else batch.memory()
        seed = known.ledger.seed if known else self._seed(sitting.seed_encrypted)
        issues = sitting.controls == "service" and bool(seed)
        terms = stored.terms(sitting)
        points = [Point.of(point) for point in sitting.schedule.get("points", [])]
        return Ledger(
            session=sitting.external_id,
            lesson=sitting.lesson_id,
            seed=seed,
            terms=terms,
            state=sitting.state,
            pops=issues,
            looks=issues and sitting.face_consent,
            moves=_asks_moves(sitting, terms),
            asker=self._asker(connection, sitting, terms) if issues else None,
            hours=self.hours_of(connection, sitting.class_id),
            lines=stored.lines(session_id, batch.now_ms, live_required=terms.live_required),
            popup_from_ms=sitting.popup_from_ms,
            popup_due_ms=sitting.popup_due_ms,
            popup_draws=sitting.popup_draws,
            points=points,
            reached={it for it in points if it.draw in sitting.schedule.get("reached", ())},
            photo_draws=sitting.schedule.get("draws", 0),
            schedule=sitting.schedule,
            memory=memory,
            spot_check=stored.spot_checks.get(session_id),
        )

    def _asker(
        self, connection: Connection, sitting: ScheduledSitting, terms: SittingTerms
    ) -> Asker | None:
        """What its pop-ups may ask; None where the pack has them ask nothing."""
        if terms.question == "none":
            return None
        kinds = tuple(it for it in QuestionKind if terms.question in (it.value, "both"))
        pool: Sequence[Question] = ()
        about: Mapping[str, int] = {}
        if QuestionKind.QUIZ in kinds:
            pool = question_pool.held(terms.question_pool, packs.shelves()).items
        if QuestionKind.IDENTITY in kinds:
            sealed = store.id_number(connection, sitting.learner_id)
            number = self.vault.open(sealed, ID_NUMBER_PURPOSE).decode() if sealed else None
            about = questions.facts_of(number)
        return Asker(kinds, terms.question_every_nth, pool, about)

    def _seed(self, sealed: bytes | None) -> bytes:
        """Empty for a sitting from a platform's log: nothing is drawn in it."""
        return b"" if sealed is None else self.vault.open(sealed, SEED_PURPOSE)

    def hours_of(self, connection: Connection, class_id: int) -> tuple[PlannedHour, ...]:
        """The class-hours of a class, which never change."""
        if class_id not in self._hours:
            self._hours[class_id] = hours_of(connection, class_id)
        return self._hours[class_id]

    def _keep(self, session_id: int, watch: _Watch) -> None:
        with self._lock:
            self._watches[session_id] = watch
            self._watches.move_to_end(session_id)
            while len(self._watches) > _HELD:
                self._watches.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the rows say of several sittings, which stay locked until the transaction ends."""

    sittings: Mapping[int, ScheduledSitting]
    rows: Mapping[int, Sequence[ControlRow]]
    photos: Mapping[int, Sequence[AnsweringPhoto]]
    answer_times: Sequence[ActInForce]
    spot_checks: Mapping[int, int]

    @classmethod
    def read(
        cls, connection: Connection, session_ids: Collection[int], now_ms: int | None
    ) -> _Stored:
        """Without a moment, of what is over: nobody asks for a check there any more."""
        sittings = store.sittings(connection, session_ids)
        rows = store.rows_of(connection, session_ids)
        return cls(
            sittings,
            rows,
            _photos(connection, rows),
            acts.answer_times(connection, {it.class_id for it in sittings.values()}),
            {} if now_ms is None else spot_checks.waiting(connection, session_ids, now_ms),
        )

    @classmethod
    def of_new(
        cls, connection: Connection, session_id: int, answer_times: Sequence[ActInForce]
    ) -> _Stored:
        return cls(store.sittings(connection, [session_id]), {session_id: []}, {}, answer_times, {})

    def terms(self, sitting: ScheduledSitting) -> SittingTerms:
        """The pack's, with the time to answer that was recorded for the learner."""
        terms = sitting_terms.of_pack(sitting.pack_id, sitting.pack_version)
        longer_ms = acts.answer_window_ms(
            self.answer_times, sitting.class_id, sitting.learner_id, sitting.opened_ms
        )
        return replace(terms, popup_window_ms=max(terms.popup_window_ms, longer_ms))

    def lines(self, session_id: int, now_ms: int, *, live_required: bool) -> list[ControlLine]:
        """The ledger of one of them, with what became of the photos that answer it."""
        return _compared(self.rows[session_id], self.photos, now_ms, live_required=live_required)


def _photos(
    connection: Connection, rows: Mapping[int, Sequence[ControlRow]]
) -> Mapping[int, Sequence[AnsweringPhoto]]:
    """By control, of those sittings that had a face check."""
    checked = [it for it, its in rows.items() if any(_is_face_check(row) for row in its)]
    return store.photo_checks(connection, checked) if checked else {}


def _is_face_check(row: ControlRow) -> bool:
    return row.kind == ControlKind.FACE_CHECK


def _asks_moves(sitting: ScheduledSitting, terms: SittingTerms) -> bool:
    """Whether its client can ask to come nearer and to go farther, and the pack wants it."""
    announced = set(draws.MOVES) <= set(sitting.client.get("face_actions") or ())
    return terms.face_moves == "always" or (terms.face_moves == "announced" and announced)


def hours_of(connection: Connection, class_id: int) -> tuple[PlannedHour, ...]:
    """The class-hours of a class's frozen plan."""
    return tuple(
        PlannedHour(
            row.number,
            tuple((it["lesson_id"], it["start_ms"], it["end_ms"]) for it in row.pieces),
        )
        for row in sitting_store.hours(connection, class_id)
    )


def lines_of(connection: Connection, session_id: int) -> list[ControlLine]:
    """The ledger of one sitting as it is stored, in order of issue."""
    return [_line_of(row) for row in store.rows(connection, session_id)]


_OF_LINE = tuple(ControlRow.__annotations__.keys() & ControlLine.__dataclass_fields__.keys())


def _line_of(row: ControlRow) -> ControlLine:
    return ControlLine(**{name: getattr(row, name) for name in _OF_LINE})


def compared_lines(
    connection: Connection, session_id: int, now_ms: int, *, live_required: bool
) -> list[ControlLine]:
    """The ledger of one sitting, with what became of the photos that answer it."""
    rows = store.rows_of(connection, [session_id])
    photos = _photos(connection, rows)
    return _compared(rows[session_id], photos, now_ms, live_required=live_required)


def _compared(
    rows: Sequence[ControlRow],
    photos: Mapping[int, Sequence[AnsweringPhoto]],
    now_ms: int,
    *,
    live_required: bool,
) -> list[ControlLine]:
    lines = []
    for row in rows:
        line = _line_of(row)
        answers = photos.get(row.id, ())
        line.photos = len(answers)
        line.result = _result(line, answers, now_ms, live_required=live_required)
        line.why = face_check_reasons.why(answers)
        lines.append(line)
    return lines


def _result(
    line: ControlLine, photos: Sequence[AnsweringPhoto], now_ms: int, *, live_required: bool
) -> PhotoResult:
    if not photos:
        return PhotoResult.NONE
    if any(_passes(photo, live_required=live_required) for photo in photos):
        return PhotoResult.PASSED
    last_ms = max(photo.received_ms for photo in photos)
    coming = len(photos) < line.demand.get("frames", FRAMES) and now_ms - last_ms < BURST_MS
    if coming or any(photo.status in ("pending", "read") for photo in photos):
        return PhotoResult.PENDING
    return PhotoResult.FAILED


def _passes(photo: AnsweringPhoto, *, live_required: bool) -> bool:
    """Whether the learner need not be asked again; where nothing could be compared, asking again
    mends nothing."""
    if photo.check in _NOT_COMPARED:
        return True
    if photo.check not in _OWN_FACE:
        return False
    return not live_required or face_check_reasons.outcome(photo) == "live"


def _save(connection: Connection, ledgers: Mapping[int, Ledger], *, new: bool = False) -> set[int]:
    """Write what changed in them; the sittings of which something did."""
    changed = {id_ for id_, it in ledgers.items() if it.fresh or it.touched or it.redrawn}
    fresh = [(id_, line.columns()) for id_, its in ledgers.items() for line in its.fresh]
    store.insert_lines(connection, fresh, new=new)
    if not new:  # lines tell of themselves
        drawn = [id_ for id_, it in ledgers.items() if it.redrawn and not (it.fresh or it.touched)]
        event_log.unsettle(connection, drawn)
    for session_id, ledger in ledgers.items():
        _save_changes(connection, session_id, ledger)
        ledger.fresh, ledger.touched, ledger.redrawn = [], set(), False
    return changed


def _save_changes(connection: Connection, session_id: int, ledger: Ledger) -> None:
    new = {line.challenge_id for line in ledger.fresh}
    for line in ledger.lines:
        if line.challenge_id in ledger.touched and line.challenge_id not in new:
            store.update_line(
                connection,
                session_id,
                line.challenge_id,
                **line.answers(),
                expired_ms=line.expired_ms,
            )
    if ledger.redrawn:
        sitting_store.update_session(
            connection,
            session_id,
            popup_from_ms=ledger.popup_from_ms,
            popup_due_ms=ledger.popup_due_ms,
            popup_draws=ledger.popup_draws,
            schedule={
                **ledger.schedule,
                "points": [point.document() for point in ledger.points],
                "reached": sorted(point.draw for point in ledger.reached),
                "draws": ledger.photo_draws,
            },
        )
    if ledger.met_by is not None and ledger.spot_check is not None:
        line = ledger.met_by
        spot_checks.met(connection, ledger.spot_check, line.challenge_id, line.issued_ms)
        ledger.spot_check = ledger.met_by = None


def _watch(ledger: Ledger, tick: Tick) -> _Watch:
    """The ledger with the bounds inside which the next batches change nothing."""
    lines = {
        kind: line
        for kind in ControlKind
        if (line := control_plan.outstanding(ledger, kind)) is not None
    }
    for line in lines.values():
        if ledger.asker is not None and "question" in line.demand:
            line.posed = ledger.asker.posed(ledger.seed, line.demand["question"])
    stop = control_plan.stop_code(ledger)
    waiting = any(
        line.result is PhotoResult.PENDING for line in ledger.of_kind(ControlKind.FACE_CHECK)
    )
    polled = lines or waiting or ledger.reached
    watch = _Watch(
        ledger=ledger,
        demands=_demands(ledger, tick, lines, stop),
        wake_ms=tick.now_ms + POLL_MS if polled else NEVER,
        learning_at_ms=NEVER,
        low_ms=-1,
        high_ms=NEVER,
    )
    if ledger.state != "open":
        watch.wake_ms = tick.now_ms + POLL_MS  # an expired sitting may wake up
        return watch
    if ledger.spot_check is not None:
        watch.wake_ms = 0  # until something plays
    if (
        ledger.pops
        and ControlKind.POPUP not in lines
        and not stop
        and ledger.popup_due_ms is not None
    ):
        watch.learning_at_ms = ledger.popup_due_ms - REVEAL_MS
    if ledger.looks and ControlKind.FACE_CHECK not in lines:
        again_ms = (control_plan.recheck_at_ms(ledger), control_plan.interval_at_ms(ledger))
        watch.learning_at_ms = min(watch.learning_at_ms, *again_ms)
    position_ms = tick.position_ms if tick.position_ms is not None else ledger.memory.position_ms
    if ledger.looks and position_ms is not None:
        watch.low_ms, watch.high_ms = _bounds(ledger, position_ms)
    return watch


def _bounds(ledger: Ledger, position_ms: int) -> tuple[int, int]:
    """How far a position may move without coming to a photo's place or into another class-hour,
    also from the end of the film, which lies in none."""
    pieces = [it for hour in ledger.hours for it in hour.pieces if it[0] == ledger.lesson]
    edges = [edge for _, start, end in pieces for edge in (start, end)]
    points = [it.position_ms for it in ledger.points if it.lesson == ledger.lesson]
    behind = [it for it in edges if it <= position_ms] + [it for it in points if it < position_ms]
    ahead = [it for it in edges if it > position_ms]
    ahead += [it - REVEAL_MS for it in points if it >= position_ms]
    return max(behind, default=-1), min(ahead, default=NEVER)


def _demands(
    ledger: Ledger, tick: Tick, lines: Mapping[ControlKind, ControlLine], stop: str | None
) -> Demands:
    if ledger.state != "open":
        return Demands(stop=stop)  # whatever was outstanding can no longer be asked for
    spent = control_plan.spent_check(ledger)
    note = None if spent is None else face_check_reasons.note(control_plan.why(spent))
    if not (lines or stop or note):
        return NOTHING
    return Demands(lines, stop, tick.learning_ms, tick.now_ms, note)


def _due_in_s(line: ControlLine, learning_ms: int) -> float:
    if line.shown_ms is not None:
        return 0.0
    return max(0, line.mark_ms - learning_ms) / 1000


def _left_s(line: ControlLine, now_ms: int) -> float | UnsetType:
    """Of the time to answer, which runs from the first display."""
    if line.shown_ms is None:
        return UNSET
    return max(0, max(line.due_ms, line.shown_ms) + line.window_ms - now_ms) / 1000


def _popup(line: ControlLine, learning_ms: int, now_ms: int) -> PopupDue:
    return PopupDue(
        challenge_id=line.challenge_id,
        nonce=line.nonce,
        due_in_s=_due_in_s(line, learning_ms),
        answer_window_s=line.window_ms / 1000,
        question=line.posed if isinstance(line.posed, PopupQuestion) else UNSET,
        left_s=_left_s(line, now_ms),
    )


def _snapshot(line: ControlLine, learning_ms: int, _now_ms: int) -> SnapshotDue:
    return SnapshotDue(
        challenge_id=line.challenge_id,
        nonce=line.nonce,
        due_in_s=_due_in_s(line, learning_ms),
        frames=line.demand.get("frames", FRAMES),
    )


def _face_check(line: ControlLine, _learning_ms: int, _now_ms: int) -> FaceCheckDue:
    why = str(line.demand.get("why"))  # the try before did not pass
    said = face_check_reasons.WORDS.get(why)
    return FaceCheckDue(
        challenge_id=line.challenge_id,
        nonce=line.nonce,
        actions=[FaceAction(it) for it in line.demand["actions"]],
        frames=line.demand.get("frames", burst_frames(len(line.demand["actions"]))),
        window_s=line.window_ms / 1000,
        reason=UNSET if said is None else why,
        text=UNSET if said is None else Text(zh=said[0], en=said[1]),
    )


ASKED: Mapping[ControlKind, Callable[[ControlLine, int, int], Answer]] = {
    ControlKind.POPUP: _popup,
    ControlKind.SNAPSHOT: _snapshot,
    ControlKind.FACE_CHECK: _face_check,
}
"""What is told of a line that waits: (line, learning clock, now) → a field of `ControlsDue`."""
