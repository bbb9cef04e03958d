"""The sitting that a statement belongs to: named, found by learner and lesson, or opened for it.

A statement in somebody else's sitting is no part of it: what says so is kept, told of, and counts
for nobody. Time is that of the sitting's class, which in a sandbox is moved. What a statement says
of its time earns nothing: by it a player's report of an hour ago opens nothing now, and what
happened before the statements that tell of it opened a sitting is no part of that. An emitter that
forwards every few minutes would else claim these minutes of a sitting that has just begun, and its
learner would look like one who outran the clock. Whose clock is behind is known by what they sent
for earlier sittings: all of it seems to have been that long on its way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection

from app.clock import day
from app.domain.controls.scheduler import ControlScheduler
from app.domain.events.events import Event, PlayEvent, RateEvent
from app.domain.exchange.xapi_fates import (
    KEPT,
    NO_SESSION,
    NOT_OPEN,
    OTHER_LEARNER,
    OTHER_LESSON,
    SEVERAL_CLASSES,
    TOO_OLD,
    UNKNOWN,
    UNKNOWN_CLASS,
    UNKNOWN_LEARNER,
    UNKNOWN_LESSON,
)
from app.domain.exchange.xapi_keys import agent_key
from app.domain.exchange.xapi_mapping import (
    StatementMapping,
    StatementPlace,
    account_of,
    place_of,
    registration_of,
)
from app.domain.exchange.xapi_values import milliseconds
from app.domain.exchange.xapi_video import session_of
from app.domain.sittings import sitting_life, sittings
from app.domain.sittings.sitting_life import Door, Fate
from app.domain.sittings.sittings import Opening
from app.errors import ZhenxueError
from app.store import stays
from app.store.exchange import statement_places as store
from app.store.exchange import statements
from app.store.exchange.statement_places import ClassWithLesson, PlacedSitting
from app.store.sittings import sittings as sitting_store
from app.vault import Vault
from detectors.credit import BEFORE_MS
from detectors.fast_forward import BEFORE_OPENING

OPENER = "xapi"  # device of a sitting that statements opened
EARLIER_MS = 60_000  # so long before a sitting opened, what was sent was sent for another
LAST = 20  # statements of a learner, by which the sender's clock is known


@dataclass(frozen=True, slots=True)
class Spoken:
    """A statement and what it reports of the player, if anything. `at_ms`: its own time."""

    statement: dict[str, Any]
    event: Event | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where a statement went: the sitting's name, or the fate of one that is in none; both where it
    tells of a time before the sitting. `since_ms`: how long ago statements opened that one."""

    session: str | None = None
    fate: str | None = None
    place: StatementPlace | None = None
    opened: bool = False
    since_ms: int | None = None


@dataclass(slots=True)
class Openings:
    """What it takes to open and end sittings; the row ids of those that begun or ended."""

    vault: Vault
    controls: ControlScheduler
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)


class Addressing:
    """Finds sittings for the statements of one batch, in the caller's transaction."""

    def __init__(
        self,
        connection: Connection,
        platform_id: int,
        mapping: StatementMapping | None,
        openings: Openings,
        now_ms: int,
    ) -> None:
        self._connection = connection
        self._platform_id = platform_id
        self._mapping = mapping
        self._openings = openings
        self._now_ms = now_ms
        self._named: dict[str, PlacedSitting] = {}
        # A batch tells a thousand times of the same few people and lessons.
        self._learner = cache(partial(sitting_store.learner, connection, platform_id))
        self._lesson_of_class = cache(partial(store.lesson_of_class, connection))
        self._classes_with = cache(partial(store.classes_with, connection))
        self._behind_ms = cache(self._clock_behind_ms)

    def addresses(self, batch: Sequence[Spoken]) -> list[Address | None]:
        """One for each, in order; None where the player is not spoken of."""
        spoken = [it for it in batch if it.event is not None]
        names = {name for it in spoken for name in self._names(it.statement)}
        if names:
            found = store.named(self._connection, self._platform_id, names)
            self._named = {it.external_id: it for it in found}
        return [None if it.event is None else self._in_time(it, self._address(it)) for it in batch]

    def end(self, said: Sequence[tuple[dict[str, Any], str]]) -> None:
        """End the sittings in which `terminated` was said, if statements opened them."""
        if self._mapping is None or not self._mapping.ends:
            return
        over = {session for it, session in said if it["verb"]["id"].endswith("/verbs/terminated")}
        for session in sorted(over):
            row = sitting_store.by_external_id(self._connection, self._platform_id, session)
            if row is None or row.device_id != OPENER:
                continue
            _, ended = sittings.close_sitting(
                self._connection,
                self._openings.vault,
                self._openings.controls,
                self._platform_id,
                session,
                "terminated",
                self._now_ms,
            )
            if ended:
                self._openings.ended.append(row.id)

    def _names(self, statement: dict[str, Any]) -> list[str]:
        names = [session_of(statement)]
        if self._mapping is not None:
            names.append(registration_of(statement))
        return [name for name in names if name is not None]

    def _address(self, said: Spoken) -> Address:
        names = self._names(said.statement)
        named = next((self._named[it] for it in names if it in self._named), None)
        if self._mapping is None:
            if named is None:
                return Address(fate=UNKNOWN if names else NO_SESSION)
            return self._unless_another(named, said.statement)
        place = place_of(self._mapping, said.statement)
        if named is not None:
            if place.learner != named.learner:
                return Address(fate=OTHER_LEARNER, place=place)
            if place.lesson == named.lesson and self._takes(named):
                since_ms = self._since_ms(named)
                return Address(named.external_id, place=place, since_ms=since_ms)
        return self._found(said, self._mapping, place)

    def _in_time(self, said: Spoken, address: Address) -> Address:
        if address.since_ms is None or not self._older(said, address.since_ms + BEFORE_MS):
            return address
        return replace(address, fate=BEFORE_OPENING)

    def _older(self, said: Spoken, age_ms: int) -> bool:
        """Whether it tells of longer ago than that, by a clock that is set right."""
        older_ms = self._now_ms - said.at_ms - age_ms
        if older_ms <= 0:
            return False
        actor = agent_key(said.statement["actor"])
        if actor is None:
            return True
        return older_ms > self._behind_ms(actor, self._now_ms - age_ms - EARLIER_MS)

    def _clock_behind_ms(self, actor: bytes, before_ms: int) -> int:
        sent = statements.sent_before(self._connection, self._platform_id, actor, before_ms, LAST)
        took_ms = [at - milliseconds(json.loads(it)["timestamp"], "timestamp") for at, it in sent]
        return max(0, min(took_ms, default=0))

    def _since_ms(self, sitting: PlacedSitting) -> int | None:
        if sitting.device_id != OPENER:
            return None
        return self._now_ms + sitting.ahead_ms - sitting.opened_ms

    def _unless_another(self, named: PlacedSitting, statement: dict[str, Any]) -> Address:
        """Nobody said which ids these are: only those of another learner or lesson count."""
        account = account_of(statement)
        if account not in (None, named.learner) and self._learner(account) is not None:
            return Address(fate=OTHER_LEARNER)
        thing = statement["object"].get("id")
        if thing not in (None, named.lesson) and self._lesson_of_class(named.class_id, thing):
            return Address(fate=OTHER_LESSON)
        return Address(named.external_id)

    def _takes(self, sitting: PlacedSitting) -> bool:
        now_ms = self._now_ms + sitting.ahead_ms
        return not sitting_life.fate(sitting, Door.EVENTS, now_ms).refused

    # ------------------------------------------------------------- by learner and lesson

    def _found(self, said: Spoken, mapping: StatementMapping, place: StatementPlace) -> Address:
        if place.learner is None or place.lesson is None:
            missing = UNKNOWN_LEARNER if place.learner is None else UNKNOWN_LESSON
            return Address(fate=missing, place=place)
        learner = self._learner(place.learner)
        if learner is None:
            return Address(fate=UNKNOWN_LEARNER, place=place)
        klass = self._class_of(learner.id, mapping, place)
        if klass in (UNKNOWN_CLASS, SEVERAL_CLASSES, UNKNOWN_LESSON):
            return Address(fate=klass, place=place)
        latest = store.latest(self._connection, learner.id, klass, place.lesson)
        place = StatementPlace(place.learner, place.lesson, klass)
        plays = isinstance(said.event, PlayEvent)
        if latest is not None and self._goes_on(latest, plays):
            return Address(latest.external_id, place=place, since_ms=self._since_ms(latest))
        if not plays or not mapping.opens:
            loads = isinstance(said.event, RateEvent) and said.event.position is None
            return Address(fate=KEPT if loads else NOT_OPEN, place=place)
        if self._older(said, sitting_life.RESUME_MS):
            return Address(fate=TOO_OLD, place=place)
        return self._open(place, said)

    def _goes_on(self, sitting: PlacedSitting, plays: bool) -> bool:
        """Play belongs to a sitting that runs or resumes; the rest also to one just over."""
        now_ms = self._now_ms + sitting.ahead_ms
        fate = sitting_life.fate(sitting, Door.EVENTS, now_ms, lambda: self._rival(sitting))
        return fate in (Fate.TAKEN, Fate.RESUMES) if plays else not fate.refused

    def _rival(self, sitting: PlacedSitting) -> bool:
        return bool(sitting_store.open_of_person(self._connection, sitting.person_id))

    def _class_of(self, learner_id: int, mapping: StatementMapping, place: StatementPlace) -> str:
        """Its id, or the fate that says why there is none."""
        if mapping.class_activity is not None:
            return place.klass or UNKNOWN_CLASS
        assert place.lesson is not None
        classes = self._classes_with(learner_id, place.lesson)
        mine = [it for it in classes if stays.present(it, self._today(it))] or list(classes)
        running = [it for it in mine if self._runs(it)] or mine
        if not running:
            return UNKNOWN_LESSON
        return running[0].external_id if len(running) == 1 else SEVERAL_CLASSES

    def _runs(self, klass: ClassWithLesson) -> bool:
        return klass.starts_on <= self._today(klass).isoformat() <= klass.ends_on

    def _today(self, klass: ClassWithLesson) -> date:
        return day(self._now_ms + klass.ahead_ms)

    def _open(self, place: StatementPlace, said: Spoken) -> Address:
        assert place.learner and place.lesson and place.klass
        opening = Opening(
            learner=place.learner,
            klass=place.klass,
            lesson=place.lesson,
            device=OPENER,
            window=session_of(said.statement) or OPENER,
            client={"opened_by": OPENER},
        )
        openings = self._openings
        try:
            opened = sittings.open_sitting(
                self._connection,
                openings.vault,
                openings.controls,
                self._platform_id,
                opening,
                self._now_ms,
            )
        except ZhenxueError as refusal:  # it refuses before it writes
            return Address(fate=refusal.code, place=place)
        openings.begun.append(opened.id)
        openings.ended += opened.ended
        return Address(opened.session, place=place, opened=True, since_ms=0)
