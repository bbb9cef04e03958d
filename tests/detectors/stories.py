"""Sittings written down event by event, for tests that stand exactly on a limit.

Times are seconds by the server's clock since the sitting began, positions are content seconds. What
is not said is honest: one learner, one class, one 40-minute professional lesson after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from detectors.assess import assess
from detectors.facts import Facts, facts
from detectors.finding import Finding, Outcome
from detectors.policy import Policy, Status, Value
from detectors.registry import ALL
from detectors.trace import (
    CONTROL,
    EVENT,
    LESSON,
    NONE,
    PHOTO,
    PIECE,
    SESSION,
    Check,
    Control,
    ControlFlag,
    Flag,
    Integrity,
    Kind,
    PhotoFlag,
    Purpose,
    SessionFlag,
    Trace,
    offsets,
)
from tests.detectors.columns import GRADED

MONDAY_MS = 1_791_766_800_000  # 2026-10-12 09:00 in Shanghai
HOUR_S = 2400.0
HONEST = SessionFlag.REFERENCE_PHOTO | SessionFlag.FACE_CONSENT
KEPT = PhotoFlag.BOUND | PhotoFlag.RANDOM_TIME | PhotoFlag.KEPT | PhotoFlag.LIVE


def ms(seconds: float) -> int:
    return round(seconds * 1000)


@dataclass
class Sitting:
    """One sitting. `who` is the account, `person` the natural person behind it."""

    who: str = "lin"
    at: float = 0.0
    lesson: int = 0
    klass: int = 0
    person: str = ""
    device: int = 0
    window: int = 0
    resume: float = 0.0
    flags: int = HONEST
    ends: float | None = None
    told: tuple[float, float] | None = None
    counts: tuple[float, float] | None = None
    stated: float | None = None  # until when it would count by the platform's word
    agent: int = NONE
    address: int = NONE
    counter: bool = True  # heartbeats tell the page's own counter
    t: float = 0.0
    pos: float = 0.0
    events: list[tuple[int, ...]] = field(default_factory=list)
    controls: list[tuple[int, ...]] = field(default_factory=list)
    photos: list[tuple[Any, ...]] = field(default_factory=list)

    def tell(
        self,
        kind: Kind,
        at: float,
        pos: float | None = None,
        *,
        x: float | None = None,
        flags: int = 0,
        client: float | None = None,
        seq: int | None = None,
    ) -> int:
        """One event as received at `at`; `client` is what its own clock said. Returns its seq."""
        number = len(self.events) if seq is None else seq
        told = at if client is None else client
        stamp = MONDAY_MS + ms(self.at + told)
        where = NONE if pos is None else ms(pos)
        extra = NONE if x is None else ms(x)
        counter = ms(told) if self.counter and kind == Kind.PROGRESS else NONE
        self.events.append((stamp, ms(at), number, where, extra, counter, int(kind), flags))
        self.t = max(self.t, at)
        if kind == Kind.SEEK and not flags & Flag.BLOCKED and x is not None:
            self.pos = x
        elif pos is not None:
            self.pos = pos
        return number

    def play(self) -> Sitting:
        self.tell(Kind.PLAY, self.t, self.pos)
        return self

    def pause(self, seconds: float = 0.0) -> Sitting:
        self.tell(Kind.PAUSE, self.t, self.pos)
        self.t += seconds
        return self

    def idle(self, seconds: float, *, beat: float = 10.0) -> Sitting:
        """Let server time pass while content stands still, with heartbeats."""
        return self.watch(seconds, beat=beat, speed=0.0)

    def watch(self, seconds: float, *, beat: float = 10.0, speed: float = 1.0) -> Sitting:
        """Let server time pass while content runs at `speed`, a heartbeat every `beat` seconds."""
        goal, begin, origin = self.t + seconds, self.t, self.pos
        while self.t < goal - 1e-9:
            at = min(goal, self.t + beat)
            self.tell(Kind.PROGRESS, at, round(origin + (at - begin) * speed, 3))
        return self

    def held_back(self, seconds: float, *, beat: float = 10.0) -> Sitting:
        """Play on while nothing gets through: all of it is received at the end."""
        goal, at = self.t + seconds, self.t
        while at < goal - 1e-9:
            step = min(beat, goal - at)
            at += step
            self.tell(Kind.PROGRESS, goal, round(self.pos + step, 3), client=at)
        return self

    def seek(self, to: float, *, blocked: bool = False) -> Sitting:
        self.tell(Kind.SEEK, self.t, self.pos, x=to, flags=Flag.BLOCKED if blocked else 0)
        return self

    def ended(self, pos: float | None = None) -> Sitting:
        self.tell(Kind.ENDED, self.t, pos)
        return self

    def hide(self, hidden: bool = True) -> Sitting:
        self.tell(Kind.VISIBILITY, self.t, flags=Flag.HIDDEN if hidden else Flag.VISIBLE)
        return self

    def integrity(self, family: Integrity) -> Sitting:
        self.tell(Kind.INTEGRITY, self.t)
        self.events[-1] = (*self.events[-1][:4], int(family), *self.events[-1][5:])
        return self

    def popup(
        self,
        wait: float | None = 0.0,
        *,
        stop: bool = False,
        play_on: bool = False,
        issued: float | None = None,
        shown: float | None = -1.0,
        latency: float | None = None,
        flags: int = 0,
    ) -> Sitting:
        """A pop-up shown now and answered after `wait` seconds (None: never); `stop` says that
        play stands still meanwhile, `play_on` that it runs on; `shown` None: it never appeared."""
        at = self.t if shown == -1.0 else shown
        if stop:
            self.pause()
        shown_seq = self.tell(Kind.POPUP_SHOWN, self.t) if at is not None else NONE
        answered = answered_seq = NONE
        if play_on and wait is not None:
            self.watch(wait)
        if wait is not None:
            answered = ms(self.t if play_on else (self.t if at is None else at) + wait)
            answered_seq = self.tell(Kind.POPUP_ANSWERED, answered / 1000)
        told = NONE if wait is None else ms(wait) if latency is None else ms(latency)
        issue = ms(self.t if at is None else at) if issued is None else ms(issued)
        self.controls.append(
            (
                issue,
                issue,
                NONE if at is None else ms(at),
                answered,
                NONE,
                shown_seq,
                answered_seq,
                60_000,
                told,
                Control.POPUP,
                ControlFlag.SERVICE | flags,
            )
        )
        if stop:
            self.play()
        return self

    def demand(
        self,
        kind: Control,
        at: float | None = None,
        *,
        window: float | None = None,
        expired: float | None = None,
        by: int = ControlFlag.SERVICE,
    ) -> Sitting:
        """The server asks for a photo or a face check."""
        issued = ms(self.t if at is None else at)
        over = NONE if expired is None else ms(expired)
        lasts = NONE if window is None else ms(window)
        random = ControlFlag.RANDOM_TIME if kind == Control.SNAPSHOT else 0
        nothing = (NONE, NONE)
        self.controls.append(
            (issued, issued, *nothing, over, *nothing, lasts, NONE, kind, by | random)
        )
        return self

    def photo(
        self,
        check: Check = Check.MATCH,
        *,
        at: float | None = None,
        flags: int = KEPT,
        score: float = 0.3,
        purpose: Purpose = Purpose.RANDOM,
        answers: int = NONE,
    ) -> Sitting:
        """A photo received now; `answers` is the control that it was handed in for, by its place
        (-1: in time, whichever it was)."""
        when = self.t if at is None else at
        taken = MONDAY_MS + ms(self.at + when)
        self.photos.append((taken, ms(when), answers, score, 0.45, purpose, check, flags))
        return self

    def class_hour(self, seconds: float = HOUR_S, every: float = 240.0) -> Sitting:
        """An honest class-hour: a face check, pop-ups every `every` seconds, a random photo."""
        self.demand(Control.FACE_CHECK).photo(flags=PhotoFlag.BOUND | PhotoFlag.KEPT)
        self.play()
        left = seconds
        while left > 0:
            step = min(every, left)
            self.watch(step)
            left -= step
            if left > 0:
                self.popup(4.0, stop=True)
            if left > 0 and len(self.photos) == 1:
                self.demand(Control.SNAPSHOT).photo()
        return self


def trace(
    *sittings: Sitting,
    lessons: Sequence[float] = (HOUR_S, HOUR_S, HOUR_S),
    professional: bool = True,
    locked: bool = True,
    pieces: Iterable[tuple[int, int, int, float, float]] | None = None,
) -> Trace:
    """The columns of these sittings. `pieces` are (class, hour, lesson, from, to) in seconds."""
    numbers: dict[tuple[str, Any], int] = {}

    def number(*key: Any) -> int:
        kind = [k for k in numbers if k[0] == key[0]]
        return numbers.setdefault(key, len(kind))

    rows = []
    for sitting in sittings:
        last = max((event[1] for event in sitting.events), default=0)
        start = MONDAY_MS + ms(sitting.at)
        rows.append(
            (
                start,
                start + max(last, ms(sitting.t if sitting.ends is None else sitting.ends)),
                number("case", (sitting.who, sitting.klass)),
                number("person", sitting.person or sitting.who),
                sitting.klass,
                0,
                sitting.lesson,
                sitting.device,
                sitting.window,
                ms(sitting.resume),
                sitting.flags,
                NONE if sitting.told is None else MONDAY_MS + ms(sitting.told[0]),
                NONE if sitting.told is None else MONDAY_MS + ms(sitting.told[1]),
                sitting.agent,
                sitting.address,
                NONE if sitting.counts is None else MONDAY_MS + ms(sitting.counts[0]),
                NONE if sitting.counts is None else MONDAY_MS + ms(sitting.counts[1]),
                NONE if sitting.stated is None else MONDAY_MS + ms(sitting.stated),
            )
        )
    sessions = np.array(rows, SESSION)
    order = np.lexsort((sessions["start_ms"], sessions["case"]))
    count = len(lessons)
    if pieces is None:
        classes = sorted({sitting.klass for sitting in sittings})
        pieces = [
            (klass, place * count + row, row, 0.0, lessons[row])
            for place, klass in enumerate(classes)
            for row in range(count)
        ]
    columns: dict[str, Any] = {}
    for name, dtype in (("events", EVENT), ("controls", CONTROL), ("photos", PHOTO)):
        parts = [np.array(getattr(sittings[row], name), dtype) for row in order]
        if name == "events":
            parts = [part[np.argsort(part["seq"], kind="stable")] for part in parts]
        columns[name] = np.concatenate([np.zeros(0, dtype), *parts])
        columns[f"{name}_at"] = offsets(np.array([len(part) for part in parts], np.int64))
    return Trace(
        sessions=sessions[order],
        **columns,
        lessons=np.array(
            [(0, row + 1, ms(media), professional, locked) for row, media in enumerate(lessons)],
            LESSON,
        ),
        pieces=np.array(
            [(k, hour, row, ms(start), ms(end)) for k, hour, row, start, end in pieces], PIECE
        ),
    )


def known(*sittings: Sitting, policy: Policy = GRADED, **plan: Any) -> Facts:
    return facts(trace(*sittings, **plan), policy)


def found(rule: str, *sittings: Sitting, policy: Policy = GRADED, **plan: Any) -> list[Finding]:
    """What one detector says of these sittings."""
    (detector,) = (detector for detector in ALL if detector.rule == rule)
    return detector.detect(known(*sittings, policy=policy, **plan), policy)


def reasons(findings: Iterable[Finding], *outcomes: Outcome) -> list[str]:
    """Reasons of the findings, of all outcomes but `clear` unless some are named."""
    wanted = outcomes or (Outcome.VIOLATION, Outcome.REVIEW, Outcome.NOT_PROVEN)
    return [finding.reason for finding in findings if finding.outcome in wanted]


def with_parameters(rule: str, policy: Policy = GRADED, **values: Value) -> Policy:
    """The pack with other numbers."""
    changed = replace(policy[rule], parameters={**policy[rule].parameters, **values})
    return replace(policy, rules={**policy.rules, rule: changed})


def only(rule: str, policy: Policy = GRADED) -> Policy:
    """The pack with every other rule retired."""
    rules = {
        name: one if name == rule else replace(one, status=Status.RETIRED)
        for name, one in policy.rules.items()
    }
    return replace(policy, rules=rules)


def credited_ms(rule: str, *sittings: Sitting, **plan: Any) -> int:
    """Learning time that stays credited when this rule alone decides."""
    parts = assess(trace(*sittings, **plan), only(rule)).credited
    return int((parts.t1_ms - parts.t0_ms).sum())
