"""What is demanded of one sitting, and when: the rules of the ledger, without a database.

Pop-ups run on the learning clock (`learning_ms`, an over-estimate of credited play), photos on
content positions, answer windows on the server's clock. A control whose moment the learner has not
reached, because play stopped before it, does not expire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.controls import draws, photo_plan
from app.domain.controls.control_line import ControlLine, PhotoResult
from app.domain.controls.photo_plan import PlannedHour, Point
from app.domain.controls.popups import match_popups
from app.domain.controls.questions import Asker, answered_wrong
from app.domain.policy.sitting_terms import (
    FRAMES,
    PHOTO_WINDOW_MS,
    REPORT_GRACE_MS,
    REVEAL_MS,
    SittingTerms,
    burst_frames,
)
from detectors.control_kinds import ControlKind
from detectors.event_types import wire
from detectors.trace import ControlFlag, Kind

POLL_MS = (
    5_000  # how stale a ledger with something outstanding may be: another process may know more
)
NEVER = 2**62
PASSED_BY_MS = 5_000  # content may run ahead of the learning clock by this much and count as played

STOPS = {
    "popup_unanswered": "弹窗未在规定时间内应答，本次学习已停止计时。请重新进入课程继续学习。",
    "question_failed": "弹窗的题目没有答对，本次学习已停止计时。请重新进入课程继续学习。",
    "superseded": "您已在另一个窗口或设备上开始学习，本窗口已停止计时。",
    "closed": "本次学习已结束。请重新进入课程继续学习。",
    "expired": "长时间未收到学习数据，本次学习已自动结束。请重新进入课程继续学习。",
}


@dataclass(frozen=True, slots=True)
class Tick:
    """What one batch tells: both clocks, the position (None without one), its pop-up events, and
    whether the client `heard` the answer before it: it brings nothing again."""

    learning_ms: int
    position_ms: int | None
    now_ms: int
    notes: Sequence[Mapping[str, Any]] = ()
    heard: bool = False


@dataclass(slots=True)
class Memory:
    """What is known of a sitting only while its process lives."""

    learning_ms: int
    progress_ms: int  # server time at which the learning clock last moved
    position_ms: int | None = None
    ripe: dict[str, int] = field(default_factory=dict)  # challenge → when its moment was reached
    delivered: set[str] = field(default_factory=set)  # challenges that the client was sent


@dataclass(slots=True)
class Ledger:
    """The controls of one sitting. `fresh` and `touched` are lines still to be written."""

    session: str
    lesson: int
    seed: bytes
    terms: SittingTerms
    state: str
    pops: bool  # this service issues pop-ups here
    looks: bool  # … and photos and face checks: the learner has consented
    moves: bool  # … which ask to come nearer or to go farther, beside turning the head
    hours: tuple[PlannedHour, ...]
    lines: list[ControlLine]
    popup_from_ms: int
    popup_due_ms: int | None
    popup_draws: int
    points: list[Point]
    reached: set[Point]  # those of `points` that wait for their turn
    photo_draws: int
    schedule: Mapping[str, Any]
    memory: Memory
    fresh: list[ControlLine] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    redrawn: bool = False
    spot_check: int | None = None  # asked for by the authority and not met yet
    met_by: ControlLine | None = None  # the check that meets it
    asker: Asker | None = None  # what pop-ups ask, where they ask anything

    def of_kind(self, kind: ControlKind) -> list[ControlLine]:
        return [line for line in self.lines if line.kind == kind and line.source == "service"]

    def void(self, line: ControlLine) -> bool:
        """A pop-up that was issued again while the answer to the first was on its way."""
        return line.kind == ControlKind.POPUP and any(
            first.challenge_id == line.reissue_of and first.answered_ms is not None
            for first in self.lines
        )

    def waits(self, line: ControlLine) -> bool:
        """The client still has to answer it."""
        return line.source == "service" and line.open and not self.void(line)

    def looks_at(self, hour: PlannedHour | None) -> bool:
        """Whether a face is asked for at the start of the class-hour."""
        nth = self.terms.face_nth_hour
        return nth == 1 or (hour is not None and self.hours.index(hour) % nth == 0)

    def hour_at(self, position_ms: int | None) -> PlannedHour | None:
        for hour in self.hours:
            if position_ms is not None and hour.within(self.lesson, position_ms):
                return hour
        return None


def advance(ledger: Ledger, tick: Tick) -> None:
    """Bring the ledger up to a batch: match its pop-ups, let windows end, issue what is due."""
    paused_ms = _observe(ledger, tick)
    _match(ledger, tick)
    if ledger.state == "open":
        _expire(ledger, tick)
        if ledger.pops:
            _issue_popup(ledger, tick)
        if ledger.looks:
            _issue_face_check(ledger, tick, paused_ms)
            _issue_photo(ledger, tick)
    if tick.position_ms is not None:
        ledger.memory.position_ms = tick.position_ms
    ledger.memory.learning_ms = tick.learning_ms


def finish(ledger: Ledger, learning_ms: int, now_ms: int) -> None:
    """The sitting is over: windows that had ended by now are noted as such."""
    _expire(ledger, Tick(learning_ms, None, now_ms))


def outstanding(ledger: Ledger, kind: ControlKind) -> ControlLine | None:
    """The control of that kind that the client still has to answer."""
    return next((line for line in reversed(ledger.of_kind(kind)) if ledger.waits(line)), None)


def stop_code(ledger: Ledger) -> str | None:
    """Why the sitting must not go on, or None."""
    if ledger.state != "open":
        return ledger.state
    if _missed(ledger) <= ledger.terms.popup_reissues:
        return None
    last = ledger.of_kind(ControlKind.POPUP)[-1]
    return "question_failed" if answered_wrong(last) else "popup_unanswered"


# --------------------------------------------------------------------------------- the steps


def _observe(ledger: Ledger, tick: Tick) -> int:
    """How long the learning clock had stood still when it moved on, 0 when it did not."""
    memory = ledger.memory
    if tick.learning_ms <= memory.learning_ms:
        return 0
    paused_ms = tick.now_ms - memory.progress_ms
    memory.progress_ms = tick.now_ms
    return paused_ms


def _match(ledger: Ledger, tick: Tick) -> None:
    if not tick.notes:
        return
    pops = [line for line in ledger.lines if line.kind == ControlKind.POPUP]
    matched = match_popups(pops, tick.notes)
    for line in pops:
        changed = matched.changed.get(line.challenge_id)
        if changed is None:
            continue
        over = answered_wrong(line)  # nobody tries one choice after the other
        effective = line.answered_ms is None and changed["answered_ms"] is not None
        for name, value in changed.items():
            setattr(line, name, value)
        line.said = matched.said[line.challenge_id]
        if effective and (over or not _right(ledger, line)):
            line.expired_ms = line.expired_ms if over else line.answered_ms
            line.answered_ms = line.answered_seq = line.latency_ms = None
            effective = False
        ledger.touched.add(line.challenge_id)
        if effective and line.source == "service":
            _draw_next_popup(ledger, line)
    for line in matched.unknown:
        _add(ledger, line)


def _right(ledger: Ledger, line: ControlLine) -> bool:
    """Whether the answer is the right one; where nothing is asked, every answer is."""
    if line.source != "service" or ledger.asker is None:
        return True
    return ledger.asker.answered(ledger.seed, line)


def _asking(ledger: Ledger, previous: ControlLine | None = None) -> dict[str, Any]:
    """What of a new pop-up's demand says that it asks something."""
    if ledger.asker is None:
        return {}
    before = previous.demand.get("question") if previous else None
    n = len(ledger.of_kind(ControlKind.POPUP))
    if previous is not None and before is None:
        return {}
    drawn = ledger.asker.draw(ledger.seed, n, before)
    return {"question": drawn} if drawn else {}


def _draw_next_popup(ledger: Ledger, answered: ControlLine) -> None:
    """The next interval runs from the pop-up's moment; from its issue if it was shown too soon, or
    issued late: after an outage one pop-up stands for all that fell due."""
    issued_mark_ms = int(answered.demand["issued_mark_ms"])
    early = answered.shown_ms is not None and answered.shown_ms < answered.due_ms
    base_ms = issued_mark_ms if early else max(answered.mark_ms, issued_mark_ms)
    terms, n = ledger.terms, ledger.popup_draws
    interval_ms = draws.popup_interval_ms(ledger.seed, n, terms.popup_low_ms, terms.popup_high_ms)
    ledger.popup_from_ms = base_ms
    ledger.popup_due_ms = base_ms + interval_ms
    ledger.popup_draws = n + 1
    ledger.redrawn = True


def _expire(ledger: Ledger, tick: Tick) -> None:
    if tick.heard:
        asked = [line for line in ledger.lines if line.issued_ms < tick.now_ms]
        ledger.memory.delivered |= {line.challenge_id for line in asked if ledger.waits(line)}
    given_up = {
        str(note.get("challenge_id")): note.get("nonce")
        for note in tick.notes
        if note["type"] == wire(Kind.POPUP_EXPIRED)
    }
    for line in ledger.lines:
        if not ledger.waits(line):
            continue
        ends_ms = _window_end(ledger, line, tick)
        if ends_ms is None:
            continue
        # A page that took its pop-up away sends no answer any more: no need to wait for one.
        waived = line.challenge_id in given_up and line.owns(given_up[line.challenge_id])
        grace_ms = -REPORT_GRACE_MS if waived else REPORT_GRACE_MS
        if tick.now_ms > ends_ms + grace_ms:
            line.expired_ms = min(ends_ms, tick.now_ms)
            ledger.touched.add(line.challenge_id)
            if line.kind == ControlKind.SNAPSHOT and ledger.state == "open":
                _draw_photo_again(ledger, line, tick.position_ms)


def _window_end(ledger: Ledger, line: ControlLine, tick: Tick) -> int | None:
    """When the answer window ends, or None while the learner has not reached the control. A pop-up
    that the client may never have heard of waits for it."""
    if line.shown_ms is not None:
        return max(line.due_ms, line.shown_ms) + line.window_ms
    if line.kind == ControlKind.POPUP and line.challenge_id not in ledger.memory.delivered:
        return None
    if tick.learning_ms < line.mark_ms:
        return None
    ripe_ms = ledger.memory.ripe.setdefault(line.challenge_id, tick.now_ms)
    return max(line.due_ms, ripe_ms) + line.window_ms


def _missed(ledger: Ledger) -> int:
    """How many pop-ups in a row, up to the last one, ended without an answer."""
    missed = 0
    for line in reversed(ledger.of_kind(ControlKind.POPUP)):
        if line.expired_ms is None or line.answered_ms is not None or ledger.void(line):
            break
        missed += 1
    return missed


def _issue_popup(ledger: Ledger, tick: Tick) -> None:
    if outstanding(ledger, ControlKind.POPUP) is not None or ledger.popup_due_ms is None:
        return
    missed, terms = _missed(ledger), ledger.terms
    if missed > terms.popup_reissues:
        return
    if missed:
        previous = ledger.of_kind(ControlKind.POPUP)[-1]
        _issue(
            ledger,
            tick,
            ControlKind.POPUP,
            mark_ms=tick.learning_ms,
            window_ms=terms.popup_window_ms,
            reissue_of=previous.challenge_id,
            demand=_asking(ledger, previous),
        )
    elif tick.learning_ms >= ledger.popup_due_ms - REVEAL_MS:
        drawn: dict[str, Any] = {"from_ms": ledger.popup_from_ms}
        if ledger.popup_draws:
            drawn["draw"] = ledger.popup_draws - 1
            drawn["interval_ms"] = ledger.popup_due_ms - ledger.popup_from_ms
            first = ledger.schedule.get("popup_range_ms") if ledger.popup_draws == 1 else None
            drawn["range_ms"] = first or [terms.popup_low_ms, terms.popup_high_ms]
        _issue(
            ledger,
            tick,
            ControlKind.POPUP,
            mark_ms=ledger.popup_due_ms,
            window_ms=terms.popup_window_ms,
            random_time=True,
            demand=drawn | _asking(ledger),
        )


def _issue_face_check(ledger: Ledger, tick: Tick, paused_ms: int) -> None:
    """At the start of a sitting and of a class-hour, after a long pause, when one failed, and while
    something plays that the authority wants to see: whoever rests is not called back."""
    checks, terms = ledger.of_kind(ControlKind.FACE_CHECK), ledger.terms
    waiting = outstanding(ledger, ControlKind.FACE_CHECK)
    if waiting is not None:
        _meet_spot_check(ledger, waiting)
        return
    last = checks[-1] if checks else None
    hour = ledger.hour_at(tick.position_ms)
    number = hour.number if hour else None
    demand: dict[str, Any]
    due = ledger.looks_at(hour)
    if last is None and due:
        demand = {"reason": "start", "hour": number, "try": 1}
    elif number is not None and due and all(line.demand.get("hour") != number for line in checks):
        demand = {"reason": "class_hour", "hour": number, "try": 1}
    elif due and paused_ms > terms.resume_after_ms:
        demand = {"reason": "resume", "hour": number, "try": 1}
    elif last and _failed(last) and last.demand["try"] < terms.face_tries:
        demand = {**_reissue_terms(last), "try": last.demand["try"] + 1, "why": why(last)}
    elif ledger.spot_check is not None and tick.learning_ms > ledger.memory.learning_ms:
        demand = {"reason": "spot_check", "hour": number, "try": 1}
    elif tick.learning_ms >= recheck_at_ms(ledger):
        demand = {"reason": "recheck", "hour": number, "try": 1, "why": why(checks[-1])}
    elif tick.learning_ms >= interval_at_ms(ledger):
        demand = {"reason": "interval", "hour": number, "try": 1}
    else:
        return
    demand["actions"] = draws.actions(ledger.seed, len(checks), moves=ledger.moves)
    demand["frames"] = burst_frames(len(demand["actions"]))
    _issue(
        ledger,
        tick,
        ControlKind.FACE_CHECK,
        mark_ms=tick.learning_ms,
        window_ms=terms.face_window_ms,
        reissue_of=last.challenge_id if last and demand["try"] > 1 else None,
        demand=demand,
    )
    _meet_spot_check(ledger, ledger.lines[-1])


def _meet_spot_check(ledger: Ledger, line: ControlLine) -> None:
    if ledger.spot_check is not None and ledger.met_by is None:
        ledger.met_by = line


def recheck_at_ms(ledger: Ledger) -> int:
    """When, on the learning clock, a check is asked for again whose tries are all spent: what is
    studied meanwhile does not count, and the learner should not find that out at the end."""
    spent = spent_check(ledger)
    if spent is None:
        return NEVER
    return int(spent.demand["issued_mark_ms"]) + ledger.terms.recheck_ms


def spent_check(ledger: Ledger) -> ControlLine | None:
    """The last face check, if it did not pass and was the last try: what is studied until the next
    one passes does not count."""
    checks = ledger.of_kind(ControlKind.FACE_CHECK)
    if not checks or not _failed(checks[-1]) or checks[-1].demand["try"] < ledger.terms.face_tries:
        return None
    return checks[-1]


def interval_at_ms(ledger: Ledger) -> int:
    """When, on the learning clock, the pack's interval of face checks is over."""
    every_ms = ledger.terms.face_every_ms
    if not every_ms:
        return NEVER
    checks = ledger.of_kind(ControlKind.FACE_CHECK)
    return (int(checks[-1].demand["issued_mark_ms"]) if checks else 0) + every_ms


def why(line: ControlLine) -> str:
    return line.why or "no_photo"


def _failed(line: ControlLine) -> bool:
    return line.result is PhotoResult.FAILED or (line.expired_ms is not None and not line.photos)


def _reissue_terms(line: ControlLine) -> dict[str, Any]:
    return {"reason": line.demand.get("reason"), "hour": line.demand.get("hour")}


def _issue_photo(ledger: Ledger, tick: Tick) -> None:
    if tick.position_ms is None:
        return
    here = [point for point in ledger.points if point.lesson == ledger.lesson]
    reached = {point for point in here if _reached(ledger, point.position_ms, tick)}
    if not reached <= ledger.reached:
        ledger.reached |= reached
        ledger.redrawn = True
    if not ledger.reached or outstanding(ledger, ControlKind.SNAPSHOT) is not None:
        return
    point = min(ledger.reached, key=lambda point: point.position_ms)
    ahead_ms = max(0, point.position_ms - tick.position_ms)
    _issue(
        ledger,
        tick,
        ControlKind.SNAPSHOT,
        mark_ms=tick.learning_ms + min(ahead_ms, REVEAL_MS),
        window_ms=PHOTO_WINDOW_MS,
        random_time=True,
        demand={**point.document(), "frames": FRAMES},
    )
    ledger.reached.discard(point)
    ledger.points.remove(point)
    ledger.redrawn = True


def _reached(ledger: Ledger, point_ms: int, tick: Tick) -> bool:
    """Shortly before the point, or just played across it; a jump across it does not use it up."""
    assert tick.position_ms is not None
    if point_ms - REVEAL_MS <= tick.position_ms <= point_ms:
        return True
    memory = ledger.memory
    if memory.position_ms is None or not memory.position_ms <= point_ms < tick.position_ms:
        return False
    moved_ms = tick.position_ms - memory.position_ms
    return moved_ms <= tick.learning_ms - memory.learning_ms + PASSED_BY_MS


def _to_come(ledger: Ledger, point: Point, position_ms: int) -> bool:
    """Whether a photo will be asked for there though nobody goes back."""
    ahead = point.lesson != ledger.lesson or point.position_ms > position_ms
    return ahead or point in ledger.reached


def _draw_photo_again(ledger: Ledger, missed: ControlLine, position_ms: int | None) -> None:
    """A photo that never came is asked for again, at a new point further on in its class-hour."""
    number = missed.demand.get("hour")
    hour = next((hour for hour in ledger.hours if hour.number == number), None)
    behind_ms = max(position_ms or 0, missed.demand["position_ms"])
    if hour is None or any(
        point.hour == number and _to_come(ledger, point, behind_ms) for point in ledger.points
    ):
        return
    behind_ms += REVEAL_MS
    seen = [piece[0] for piece in hour.pieces]
    seen = seen[: seen.index(ledger.lesson)] if ledger.lesson in seen else seen
    studied = {lesson: [(0, NEVER)] for lesson in seen}
    rest = photo_plan.remaining(hour.pieces, {**studied, ledger.lesson: [(0, behind_ms)]})
    if rest:
        draw = photo_plan.drawer(ledger.seed, hour.number, ledger.session, ledger.photo_draws)
        ledger.points.append(draw(rest))
        ledger.photo_draws += 1
        ledger.redrawn = True


def _issue(
    ledger: Ledger,
    tick: Tick,
    kind: ControlKind,
    *,
    mark_ms: int,
    window_ms: int,
    random_time: bool = False,
    reissue_of: str | None = None,
    demand: Mapping[str, Any] | None = None,
) -> None:
    n = len(ledger.of_kind(kind))
    flags = ControlFlag.SERVICE
    if reissue_of is not None:
        flags |= ControlFlag.REISSUE
    if random_time:
        flags |= ControlFlag.RANDOM_TIME
    _add(
        ledger,
        ControlLine(
            challenge_id=draws.challenge_id(ledger.seed, kind.value, n),
            nonce=draws.nonce(ledger.seed, kind.value, n),
            issued_ms=tick.now_ms,
            kind=kind.value,
            random_time=random_time,
            reissue_of=reissue_of,
            demand={**(demand or {}), "mark_ms": mark_ms, "issued_mark_ms": tick.learning_ms},
            due_ms=tick.now_ms + max(0, mark_ms - tick.learning_ms),
            window_ms=window_ms,
            flags=int(flags),
        ),
    )


def _add(ledger: Ledger, line: ControlLine) -> None:
    ledger.lines.append(line)
    ledger.fresh.append(line)
