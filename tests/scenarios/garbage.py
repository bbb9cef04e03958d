"""Arbitrary sittings: any events, in any order, at any time. Nothing here means to be honest."""

from __future__ import annotations

from hypothesis import strategies as st

from detectors.trace import CONTROL, NONE, PHOTO, Flag, Kind, SessionFlag, Trace
from tests.detectors.stories import MONDAY_MS, Sitting, trace

MEDIA_S = 2400.0
LONGEST_MS = 7_200_000

Telling = st.SearchStrategy[list[tuple[int, ...]]]


def _moments(most: int = LONGEST_MS) -> st.SearchStrategy[int]:
    return st.integers(0, most) | st.sampled_from([0, 1, 999, 10_000, 10_001, 300_000, 300_001])


def _times() -> st.SearchStrategy[int]:
    return st.just(NONE) | _moments()


EVENTS = st.tuples(
    st.integers(MONDAY_MS - 10**9, MONDAY_MS + 10**9),
    _moments(),
    st.integers(0, 10_000),
    st.just(NONE) | st.integers(0, 3_000_000),
    st.just(NONE) | st.integers(0, 3_000_000),
    st.just(NONE),
    st.sampled_from([int(kind) for kind in Kind]),
    st.sampled_from([0, *(int(flag) for flag in Flag)]),
)
CONTROLS = st.tuples(
    _times(),
    _times(),
    _times(),
    _times(),
    _times(),
    st.integers(-1, 10_000),
    st.integers(-1, 10_000),
    st.just(60_000),
    st.integers(-1, 100_000),
    st.integers(1, 3),
    st.integers(0, 255),
)
PHOTOS = st.tuples(
    st.just(MONDAY_MS),
    _moments(),
    st.just(NONE),
    st.floats(0, 1, width=32) | st.just(float("nan")),
    st.just(0.45),
    st.integers(1, 4),
    st.integers(0, 11),
    st.integers(0, 127),
)


@st.composite
def marching(draw: st.DrawFn) -> list[tuple[int, ...]]:
    """Heartbeats as a client would send them: mostly forwards, at any pace, sometimes held back."""
    events: list[tuple[int, ...]] = []
    at, pos, recv = 0, draw(st.integers(0, 500_000)), 0
    for seq in range(draw(st.integers(1, 40))):
        gap = draw(st.sampled_from([1, 1_000, 10_000, 10_000, 10_000, 60_000, 600_000]))
        at += gap
        pos += draw(st.sampled_from([0, gap, gap, gap, gap * 2, gap * 4, -gap, 15_000]))
        pos = min(max(pos, 0), 3_000_000)
        recv = recv if draw(st.booleans()) and draw(st.booleans()) else at
        kind = draw(st.sampled_from([6, 6, 6, 6, 1, 2, 3, 4, 5, 7, 9]))
        x = draw(st.integers(0, 3_000_000)) if kind == Kind.SEEK else NONE
        flags = draw(st.sampled_from([0, 0, 0, int(Flag.HIDDEN), int(Flag.VISIBLE)]))
        where = NONE if kind == Kind.VISIBILITY else pos
        events.append((MONDAY_MS + at, recv, seq, where, x, NONE, kind, flags))
        if kind == Kind.SEEK:
            pos = x
    return events


@st.composite
def playing(draw: st.DrawFn) -> list[tuple[int, ...]]:
    """Somebody who really plays, pauses, goes offline and comes back."""
    lin = Sitting().play()
    for _ in range(draw(st.integers(1, 4))):
        seconds = draw(st.sampled_from([5.0, 12.3, 90.0, 400.0, 900.0]))
        act = draw(st.sampled_from(["watch", "watch", "idle", "held_back", "fast"]))
        if act == "fast":
            lin.watch(seconds, speed=draw(st.sampled_from([1.05, 1.5, 4.0])))
        else:
            getattr(lin, act)(seconds)
    return lin.events


@st.composite
def sittings(
    draw: st.DrawFn, people: int = 2, most: int = 4, telling: Telling | None = None
) -> list[Sitting]:
    """Some sittings of a few people on three lessons of two classes, overlapping as they will."""
    if telling is None:
        telling = playing() | marching() | st.lists(EVENTS, max_size=30)
    result = []
    for _ in range(draw(st.integers(1, most))):
        person = draw(st.integers(1, people))
        sitting = Sitting(
            who=f"{person}-{draw(st.integers(1, 2))}",
            person=str(person),
            at=draw(st.integers(0, 3_000)) + draw(st.sampled_from([0.0, 0.001, 0.5])),
            lesson=draw(st.integers(0, 2)),
            klass=draw(st.integers(0, 1)),
            device=draw(st.integers(0, 1)),
            resume=float(draw(st.sampled_from([0, 0, 300, 2400]))),
            flags=draw(st.integers(0, 255).map(lambda bits: bits & ~SessionFlag.OPEN)),
        )
        told = draw(telling)
        sitting.events = list({event[2]: event for event in told}.values())
        sitting.controls = sorted(draw(st.lists(CONTROLS, max_size=6)))
        sitting.photos = sorted(draw(st.lists(PHOTOS, max_size=4)), key=lambda row: row[1])
        result.append(sitting)
    return result


def columns(sittings: list[Sitting]) -> Trace:
    made = trace(*sittings)
    assert made.controls.dtype == CONTROL and made.photos.dtype == PHOTO
    return made
