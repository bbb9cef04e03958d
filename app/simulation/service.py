"""The service as a client sees it, and a simulated one that keeps an import file's records.

The simulated service plays a platform of good will: it draws pop-ups 180-285 s apart on the
learning clock and photo times inside the class-hour, reveals a control at most 20 s before it is
due, and writes down what it received and when. A platform that keeps its own log compares one photo
at a face check; where a judge of bursts is given, head turns are asked for as this service asks for
them, and asked again while the judge is not content.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from app.simulation.entities import (
    Action,
    Device,
    DeviceClock,
    HeadTurns,
    JudgeBurst,
    Network,
    Photo,
    Record,
    SentFrame,
    SimulatedLearner,
)

REVEAL_S = 20.0
ANSWER_WINDOW_S = 60.0
POPUP_EVERY_S = (180.0, 285.0)
PHOTO_MARGIN_S = 75.0  # a quarter more than the minute that photo times must keep from either end
SLACK_S = 15.0  # what a late delivery may cost before an answer counts as late
RESUME_CHECK_AFTER_S = 300.0
FACE_RETRY_S = 35.0
FACE_WINDOW_S = 40.0  # of one try at head turns
FACE_TRIES = 3
FACE_RECHECK_S = 300.0  # of study, after tries that were all spent
FACE_EVERY_S: float | None = None  # of study, where a place asks for it
LEASE_S = 45.0

_UNUSABLE = frozenset({"dark", "empty"})
_POPUP_EVENTS = frozenset({"popup_shown", "popup_answered", "popup_expired"})


class Refused(Exception):
    """The service would not open a sitting; `code` is the problem's code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PageClient(Protocol):
    """What a service knows of the page that speaks to it; times are true seconds."""

    session_id: str
    learner: SimulatedLearner
    class_id: str
    lesson_id: str
    media_s: float
    device: Device
    window_id: str
    clock: DeviceClock
    network: Network

    t: float
    position: float
    visible: bool
    learned_s: float
    answered_learned_s: float
    resumed_after_s: float
    received_ms: int


class Service(Protocol):
    """What a sitting needs of a service; `controls` are shaped as in the wire contract."""

    def open(self, sitting: PageClient) -> tuple[float, dict[str, Any]]:
        """Open it; returns the resume position in seconds and controls, or raises `Refused`."""

    def send(self, sitting: PageClient, events: list[Record]) -> dict[str, Any]:
        """Deliver one batch; returns controls."""

    def photo(self, sitting: PageClient, snapshot: Record, photo: Photo) -> None:
        """Deliver one photo."""

    def close(self, sitting: PageClient, reason: str) -> None:
        """End it in good order."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Which controls the class's platform runs at all."""

    popups: bool = True
    snapshots: int = 2
    face_checks: bool = True


@dataclass(slots=True)
class _Issued:
    challenge_id: str
    nonce: str
    due_learned_s: float
    issued_ms: int
    session_id: str
    is_reissue: bool = False
    shown_ms: int | None = None
    served: bool = False
    delivered: bool = False  # the page has heard an answer that told of it
    window_ends_ms: int | None = None
    tries: int = 1
    failed: bool = False


@dataclass(slots=True)
class _Study:
    """One learner in one lesson as one sitting sees it."""

    popup_due_s: float
    photos_due_s: list[float]
    learned_s: float = 0.0
    mark_s: float = 0.0
    popup: _Issued | None = None
    expired: _Issued | None = None
    snapshot: _Issued | None = None
    face_check: _Issued | None = None
    stop: str | None = None
    came: set[int] = field(default_factory=set)  # seqs received


@dataclass(slots=True)
class SimulatedService:
    """Keeps records of the import format; times of receipt come from the sittings' true time."""

    start_ms: int
    rng: Random
    controls: Controls = field(default_factory=Controls)
    photos: dict[str, Photo] = field(default_factory=dict)
    _log: list[tuple[int, Record]] = field(default_factory=list)
    _sessions: dict[str, Record] = field(default_factory=dict)
    _studies: dict[str, _Study] = field(default_factory=dict)
    _latest: dict[tuple[str, str], _Study] = field(default_factory=dict)
    judge: JudgeBurst | None = None
    asked: dict[str, HeadTurns] = field(default_factory=dict)  # by challenge
    _bursts: dict[str, list[SentFrame]] = field(default_factory=dict)
    _last_photo_ms: dict[str, int] = field(default_factory=dict)
    _challenges: int = 0

    def records(self) -> list[Record]:
        """Everything received, in order of receipt; sittings never closed end by lease time-out."""
        for session in self._sessions.values():
            if session["ended_at_ms"] is None:
                last = self._last_received(session["session_id"])
                session["ended_at_ms"] = last + round(LEASE_S * 1000)
                session["close_reason"] = "lease_timeout"
        return [record for _, record in sorted(self._log, key=lambda entry: entry[0])]

    def controls_issued(self) -> list[Record]:
        """The control records so far, in order of issue."""
        return [record for _, record in self._log if record["kind"] == "control"]

    def open(self, sitting: PageClient) -> tuple[float, dict[str, Any]]:
        now_ms = self._receive(sitting)
        if sitting.session_id in self._sessions:  # the page was loaded again
            study = self._studies[sitting.session_id]
            return study.mark_s, self._controls(sitting, study, now_ms)
        study = self._studies[sitting.session_id] = self._carried_over(sitting)
        session: Record = {
            "kind": "session",
            "session_id": sitting.session_id,
            "learner_id": sitting.learner.learner_id,
            "class_id": sitting.class_id,
            "lesson_id": sitting.lesson_id,
            "device_id": sitting.device.device_id,
            "window_id": sitting.window_id,
            "client": {
                "user_agent": sitting.device.user_agent,
                "sdk_version": sitting.device.sdk_version,
                "address": sitting.network.address,
            },
            "started_at_ms": now_ms,
            "ended_at_ms": None,
        }
        self._sessions[sitting.session_id] = session
        self._log.append((now_ms, session))
        sitting.learned_s = study.learned_s
        if self.controls.face_checks:
            study.face_check = self._issue_face_check(sitting, now_ms)
        return study.mark_s, self._controls(sitting, study, now_ms)

    def send(self, sitting: PageClient, events: list[Record]) -> dict[str, Any]:
        now_ms = self._receive(sitting)
        study = self._studies[sitting.session_id]
        session_id = sitting.session_id
        seqs = {event["seq"] for event in events}
        if not seqs & study.came:  # who does not hear brings again what was not answered
            for asked in (study.popup, study.snapshot):
                if asked is not None:
                    asked.delivered = True
        study.came |= seqs
        log = self._log
        for event in events:
            record = {"kind": "event", "session_id": session_id, **event, "received_at_ms": now_ms}
            log.append((now_ms, record))
            if event["type"] in _POPUP_EVENTS:
                self._note_popup(study, sitting, event, now_ms)
        study.learned_s = sitting.learned_s
        if sitting.visible:
            told = max((event.get("position", 0.0) for event in events), default=0.0)
            study.mark_s = max(study.mark_s, min(told, sitting.position))
        self._expire(study, sitting, now_ms)
        if study.expired is not None:
            self._reissue(study, sitting, now_ms)
        if self.controls.face_checks and sitting.resumed_after_s > RESUME_CHECK_AFTER_S:
            study.face_check = self._issue_face_check(sitting, now_ms)
        elif study.face_check is not None and FACE_EVERY_S is not None:
            study.face_check = self._asked_by_interval(sitting, study.face_check, now_ms)
        sitting.resumed_after_s = 0.0
        return self._controls(sitting, study, now_ms)

    def photo(self, sitting: PageClient, snapshot: Record, photo: Photo) -> None:
        now_ms = self._receive(sitting) + self.rng.randint(150, 300)
        # One upload at a time, as the SDK sends them.
        now_ms = max(now_ms, self._last_photo_ms.get(sitting.session_id, 0) + 30)
        self._last_photo_ms[sitting.session_id] = now_ms
        file = f"photos/{snapshot['snapshot_id']}.jpg"
        record = {
            "kind": "snapshot",
            "session_id": sitting.session_id,
            **snapshot,
            "received_at_ms": now_ms,
            "file": file,
        }
        self.photos[file] = photo
        self._log.append((now_ms, record))
        study = self._studies[sitting.session_id]
        for control in (study.face_check, study.snapshot):
            if control is None or control.challenge_id != snapshot["challenge_id"]:
                continue
            if control.challenge_id in self.asked:
                frame = SentFrame(now_ms, snapshot["taken_at_ms"], photo)
                self._note_frame(control, sitting, frame)
            else:
                control.served = photo.condition not in _UNUSABLE

    def _note_frame(self, check: _Issued, sitting: PageClient, frame: SentFrame) -> None:
        """A burst is judged when it is whole."""
        turns, burst = self.asked[check.challenge_id], self._bursts[check.challenge_id]
        burst.append(frame)
        if len(burst) == turns.frames:
            assert self.judge is not None
            check.served = self.judge(turns, burst, sitting.learner.identity)
            check.failed = not check.served

    def close(self, sitting: PageClient, reason: str) -> None:
        session = self._sessions[sitting.session_id]
        session["ended_at_ms"] = self._receive(sitting)
        session["close_reason"] = reason

    def _receive(self, sitting: PageClient) -> int:
        """When the server receives what is sent now: one connection, so never out of order."""
        shortest, longest = sitting.network.latency_s
        latency = shortest + (longest - shortest) * self.rng.random()
        now_ms = self.start_ms + round((sitting.t + latency) * 1000)
        sitting.received_ms = max(sitting.received_ms, now_ms)
        return sitting.received_ms

    def _last_received(self, session_id: str) -> int:
        return max(at for at, record in self._log if record.get("session_id") == session_id)

    def _begin(self, media_s: float) -> _Study:
        margin = min(PHOTO_MARGIN_S, media_s / 4)
        draw = (self.rng.uniform(margin, media_s - margin) for _ in range(self.controls.snapshots))
        return _Study(popup_due_s=self.rng.uniform(*POPUP_EVERY_S), photos_due_s=sorted(draw))

    def _carried_over(self, sitting: PageClient) -> _Study:
        """What earlier sittings left, for a new one to go on from.

        A challenge belongs to one session: what an earlier one left open is issued anew.
        """
        key = (sitting.learner.learner_id, sitting.lesson_id)
        study = self._begin(sitting.media_s)
        before = self._latest.get(key)
        self._latest[key] = study
        if before is None:
            return study
        study.learned_s, study.mark_s = before.learned_s, before.mark_s
        study.popup_due_s = before.popup_due_s
        if before.popup is not None:
            study.popup_due_s = before.popup.due_learned_s
        elif before.expired is not None:
            study.popup_due_s = before.learned_s
        study.photos_due_s = list(before.photos_due_s)
        if before.snapshot is not None and not before.snapshot.served:
            study.photos_due_s.insert(0, before.snapshot.due_learned_s)
        return study

    def _issue(
        self,
        control: str,
        sitting: PageClient,
        now_ms: int,
        due_learned_s: float | None = None,
        reissue_of: str | None = None,
    ) -> _Issued:
        self._challenges += 1
        due = sitting.learned_s if due_learned_s is None else due_learned_s
        due_in_s = max(0.0, due - sitting.learned_s)
        issued = _Issued(
            challenge_id=f"{sitting.session_id}-{control[0]}{self._challenges}",
            nonce=f"{self.rng.getrandbits(128):032x}",
            due_learned_s=due,
            issued_ms=now_ms,
            session_id=sitting.session_id,
            is_reissue=reissue_of is not None,
        )
        record: Record = {
            "kind": "control",
            "session_id": sitting.session_id,
            "control": control,
            "challenge_id": issued.challenge_id,
            "nonce": issued.nonce,
            "issued_at_ms": now_ms,
            "due_at_ms": now_ms + round(due_in_s * 1000),
        }
        if control == "popup":
            record["answer_window_s"] = ANSWER_WINDOW_S
        if reissue_of is not None:
            record["reissue_of"] = reissue_of
        self._log.append((now_ms, record))
        return issued

    def _issue_face_check(self, sitting: PageClient, now_ms: int) -> _Issued:
        """One that asks for head turns where there is a judge of them: two turns, and a step nearer
        or farther anywhere among them."""
        issued = self._issue("face_check", sitting, now_ms)
        if self.judge is not None:
            sides: tuple[Action, ...] = ("turn_left", "turn_right")
            steps: tuple[Action, ...] = ("nearer", "farther")
            actions = [self.rng.choice(sides) for _ in range(2)]
            actions.insert(self.rng.randint(0, 2), self.rng.choice(steps))
            frames, window_ms = 2 + 7 * len(actions), round(FACE_WINDOW_S * 1000)
            turns = HeadTurns(tuple(actions), frames, now_ms, window_ms)
            self.asked[issued.challenge_id], self._bursts[issued.challenge_id] = turns, []
        return issued

    def _asked_by_interval(self, sitting: PageClient, check: _Issued, now_ms: int) -> _Issued:
        """The last check, or the next where so much was studied since."""
        every_s = FACE_EVERY_S or 0.0
        if sitting.learned_s - check.due_learned_s < every_s:
            return check
        return self._issue_face_check(sitting, now_ms)

    def _asked_again(self, sitting: PageClient, check: _Issued, now_ms: int) -> _Issued:
        """The check that stands, or the one that comes after it when it was not met."""
        waited_ms = now_ms - check.issued_ms
        over_s = FACE_RETRY_S if self.judge is None else FACE_WINDOW_S + SLACK_S
        if not check.failed and waited_ms <= over_s * 1000:
            return check
        if check.tries < FACE_TRIES:
            again = self._issue_face_check(sitting, now_ms)
            again.tries = check.tries + 1
            return again
        if self.judge and sitting.learned_s - check.due_learned_s >= FACE_RECHECK_S:
            return self._issue_face_check(sitting, now_ms)
        return check

    def _note_popup(self, study: _Study, sitting: PageClient, event: Record, now_ms: int) -> None:
        """Keep the ledger."""
        popup = study.popup
        if popup is None or event["challenge_id"] != popup.challenge_id:
            return
        if event["type"] == "popup_shown":
            popup.shown_ms = now_ms if popup.shown_ms is None else popup.shown_ms
            popup.window_ends_ms = None
        elif event["type"] == "popup_expired":
            study.popup, study.expired = None, popup
        elif event["nonce"] == popup.nonce:
            shown_ms = now_ms if popup.shown_ms is None else popup.shown_ms
            late = now_ms - shown_ms > (ANSWER_WINDOW_S + SLACK_S) * 1000
            study.popup = None
            if late:
                study.expired = popup
            else:
                study.popup_due_s = sitting.answered_learned_s + self.rng.uniform(*POPUP_EVERY_S)

    def _expire(self, study: _Study, sitting: PageClient, now_ms: int) -> None:
        """A pop-up that was shown or passed by, and not answered in its window, has expired."""
        popup = study.popup
        if popup is None:
            return
        reached = popup.delivered and sitting.learned_s >= popup.due_learned_s
        if popup.shown_ms is None and not reached:
            return
        if popup.window_ends_ms is None:
            began_ms = now_ms if popup.shown_ms is None else popup.shown_ms
            popup.window_ends_ms = began_ms + round(ANSWER_WINDOW_S * 1000)
        if now_ms > popup.window_ends_ms + SLACK_S * 1000:
            study.popup, study.expired = None, popup

    def _reissue(self, study: _Study, sitting: PageClient, now_ms: int) -> None:
        expired = study.expired
        assert expired is not None
        if expired.is_reissue:
            study.stop = "popup_unanswered"
        else:
            study.expired = None
            study.popup = self._issue("popup", sitting, now_ms, reissue_of=expired.challenge_id)

    def _controls(self, sitting: PageClient, study: _Study, now_ms: int) -> dict[str, Any]:
        if study.stop is not None:
            return {"stop": {"code": study.stop}}
        answer: dict[str, Any] = {}
        learned = sitting.learned_s
        if self.controls.popups:
            if (
                study.popup is None
                and study.expired is None
                and (learned >= study.popup_due_s - REVEAL_S)
            ):
                study.popup = self._issue("popup", sitting, now_ms, study.popup_due_s)
            if study.popup is not None:
                answer["popup"] = self._reveal(study.popup, learned) | {
                    "answer_window_s": ANSWER_WINDOW_S
                }
        snapshot = study.snapshot
        if snapshot is not None and (
            snapshot.served or learned > snapshot.due_learned_s + FACE_RETRY_S
        ):
            if not snapshot.served and (snapshot.tries < 2 or not snapshot.delivered):
                study.photos_due_s.insert(0, learned)
            study.snapshot = None
        if (
            study.photos_due_s
            and study.snapshot is None
            and (learned >= study.photos_due_s[0] - REVEAL_S)
        ):
            retried = snapshot is not None and not snapshot.served
            study.snapshot = self._issue("snapshot", sitting, now_ms, study.photos_due_s.pop(0))
            study.snapshot.tries = 2 if retried else 1
        if study.snapshot is not None and not study.snapshot.served:
            answer["snapshot"] = self._reveal(study.snapshot, learned) | {"frames": 1}
        check = study.face_check
        if check is not None and not check.served:
            check = study.face_check = self._asked_again(sitting, check, now_ms)
            turns = self.asked.get(check.challenge_id)
            answer["face_check"] = {
                "challenge_id": check.challenge_id,
                "nonce": check.nonce,
                "actions": ["blink"] if turns is None else list(turns.actions),
                "window_s": FACE_RETRY_S if turns is None else FACE_WINDOW_S,
                "frames": 1 if turns is None else turns.frames,
            }
        return answer

    @staticmethod
    def _reveal(control: _Issued, learned_s: float) -> dict[str, Any]:
        return {
            "challenge_id": control.challenge_id,
            "nonce": control.nonce,
            "due_in_s": max(0.0, control.due_learned_s - learned_s),
        }
