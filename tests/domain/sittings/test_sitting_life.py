"""What becomes of what arrives for a sitting: the table of docs/sitting-life.md, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from app.domain.events.events import Event, pack, read_one
from app.domain.sittings.sitting_life import (
    LATE_AFTER_SILENCE_MS,
    LATE_MS,
    MOST_EVENTS,
    MOST_WORDS_BYTES,
    RESUME_MS,
    Door,
    Fate,
    fate,
    full,
    over,
    takes,
)
from app.store.events.appending import Append

ENDED_MS = 1_800_000_000_000


@dataclass(frozen=True)
class Sitting:
    state: str
    closed_ms: int | None
    provenance: str = "live"


OPEN = Sitting("open", None)
AWAY = Sitting("expired", ENDED_MS)
CLOSED = Sitting("closed", ENDED_MS)
SUPERSEDED = Sitting("superseded", ENDED_MS)
IMPORTED = Sitting("closed", ENDED_MS, "attested")
IMPORTED_BY_LEASE = Sitting("expired", ENDED_MS, "attested")

E, R, N, I = Door.EVENTS, Door.REPORT, Door.RENEWAL, Door.IMPORT  # noqa: E741
TAKEN, RESUMES, LATE = Fate.TAKEN, Fate.RESUMES, Fate.LATE
OVER, IN_LOG, LIVE = Fate.CLOSED, Fate.IMPORTED, Fate.LIVE

TABLE = [
    # sitting, ms since its end, rival open: events, report, renewal, import
    (OPEN, 0, False, TAKEN, TAKEN, TAKEN, LIVE),
    (OPEN, 0, True, TAKEN, TAKEN, TAKEN, LIVE),
    (AWAY, 0, False, RESUMES, LATE, RESUMES, LIVE),
    (AWAY, RESUME_MS, False, RESUMES, LATE, RESUMES, LIVE),
    (AWAY, RESUME_MS, True, LATE, LATE, OVER, LIVE),
    (AWAY, RESUME_MS + 1, False, LATE, LATE, OVER, LIVE),
    (AWAY, LATE_AFTER_SILENCE_MS, False, LATE, LATE, OVER, LIVE),
    (AWAY, LATE_AFTER_SILENCE_MS + 1, False, OVER, OVER, OVER, LIVE),
    (CLOSED, 0, False, LATE, LATE, OVER, LIVE),
    (CLOSED, LATE_MS, True, LATE, LATE, OVER, LIVE),
    (CLOSED, LATE_MS + 1, False, OVER, OVER, OVER, LIVE),
    (SUPERSEDED, LATE_MS, True, LATE, LATE, OVER, LIVE),
    (SUPERSEDED, LATE_MS + 1, True, OVER, OVER, OVER, LIVE),
    (IMPORTED, 0, False, IN_LOG, IN_LOG, IN_LOG, LATE),
    (IMPORTED_BY_LEASE, 0, False, IN_LOG, IN_LOG, IN_LOG, LATE),
    (IMPORTED, LATE_AFTER_SILENCE_MS * 400, False, IN_LOG, IN_LOG, IN_LOG, LATE),
]


@pytest.mark.parametrize(
    ("sitting", "since_ms", "rival", "events", "report", "renewal", "log"), TABLE
)
def test_everything_that_arrives_has_one_fate(
    sitting: Sitting,
    since_ms: int,
    rival: bool,
    events: Fate,
    report: Fate,
    renewal: Fate,
    log: Fate,
) -> None:
    expected = dict(zip((E, R, N, I), (events, report, renewal, log), strict=True))
    told = {door: fate(sitting, door, ENDED_MS + since_ms, lambda: rival) for door in Door}
    assert told == expected


@seed(11)
@given(
    st.sampled_from(["open", "expired", "closed", "superseded"]),
    st.integers(0, 3 * LATE_AFTER_SILENCE_MS),
    st.integers(0, 3 * LATE_AFTER_SILENCE_MS),
    st.booleans(),
)
def test_nothing_that_was_refused_is_taken_later_and_nothing_shown_can_still_be_drawn(
    state: str, first_ms: int, later_ms: int, rival: bool
) -> None:
    sitting = Sitting(state, None if state == "open" else ENDED_MS)
    for door in (E, R, N):
        then = fate(sitting, door, ENDED_MS + first_ms, lambda: rival)
        if then.refused:
            assert fate(sitting, door, ENDED_MS + first_ms + later_ms, lambda: rival).refused
    if over(sitting, ENDED_MS + first_ms):
        now_ms = ENDED_MS + first_ms + later_ms
        assert fate(sitting, E, now_ms) not in (TAKEN, RESUMES)
        assert fate(sitting, N, now_ms).refused
    if fate(sitting, E, ENDED_MS + first_ms, lambda: rival).refused:
        assert not takes(sitting, ENDED_MS + first_ms)


@dataclass(frozen=True)
class Filled(Sitting):
    event_count: int = 0
    words_bytes: int = 0


def a_batch(**fields: object) -> Append:
    event = read_one(msgspec.json.encode({"seq": 0, "at_ms": ENDED_MS, **fields}), 0)
    assert isinstance(event, Event)
    return Append(1, pack([event], 0), ENDED_MS, 120_000)


BEAT = a_batch(type="progress", position=1)
WORDS = a_batch(type="error", code="x", detail="y" * 2000)


def test_a_sitting_takes_as_many_events_as_it_may_hold_and_not_one_more() -> None:
    assert not full(Filled("open", None, event_count=MOST_EVENTS - 1), BEAT)
    assert full(Filled("open", None, event_count=MOST_EVENTS), BEAT)


def test_who_told_too_many_words_may_still_play() -> None:
    talked = Filled("open", None, words_bytes=MOST_WORDS_BYTES - 1000)
    assert full(talked, WORDS) and not full(talked, BEAT)
    assert not full(Filled("open", None, words_bytes=MOST_WORDS_BYTES - 3000), WORDS)
