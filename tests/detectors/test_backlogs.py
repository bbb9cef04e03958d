"""What was studied without a network and comes at once, told by players that glitch."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors.trace import Flag, Kind
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, credited_ms, found, known, reasons

RULE = "fast_forward"
FILM_S = 2400.0
# What one beat shows in place of where play is, and what comes between two stretches of play.
GLITCHES = ("none", "zero", "half", "behind", "ahead", "farthest", "end", "runs behind")
ACTS = ("none", "rewound", "blocked", "blocked and rewound", "paused")
Part = tuple[int, str, float, str, float]  # seconds, glitch and when, act, share of a rewind
PLAYED, REWOUND = ("none", 0, "none", 1), ("none", 0, "rewound", 0.7)
FARTHEST, AHEAD = ("farthest", 0, "none", 1), ("ahead", 0, "paused", 1)
parts_of_play = st.tuples(
    st.integers(20, 200),
    st.sampled_from(GLITCHES),
    st.floats(0, 1),
    st.sampled_from(ACTS),
    st.floats(0.5, 0.99),
)


class _Offline:
    """A learner who plays on without a network: what the page keeps, and what was seen."""

    def __init__(self, lin: Sitting, beat: float) -> None:
        self.lin, self.beat = lin, beat
        self.at, self.pos = lin.t, lin.pos
        self.seen = lin.pos
        self.kept: list[tuple[Kind, float, float, float | None, int]] = []

    def tell(self, kind: Kind, x: float | None = None, flags: int = 0) -> None:
        self.kept.append((kind, self.at, self.pos, x, flags))

    def play(self, seconds: float) -> None:
        self.at, self.pos = self.at + seconds, round(self.pos + seconds, 3)
        self.seen = max(self.seen, self.pos)

    def shown(self, glitch: str) -> float:
        places = {"zero": 0.0, "half": self.pos / 2, "farthest": self.seen, "end": FILM_S}
        places |= {"behind": max(0.0, self.pos - 180), "ahead": self.pos + 90}
        return places.get(glitch.removeprefix("runs "), self.pos)

    def part(self, part: Part) -> None:
        seconds, glitch, when, act, share = part
        beats = int(seconds // self.beat)
        odd = min(max(1, round(when * beats)), beats)
        for n in range(1, beats + 1):
            self.play(self.beat)
            glitches = n >= odd if glitch == "runs behind" else n == odd
            shown = self.shown(glitch if glitches else "none")
            self.kept.append((Kind.PROGRESS, self.at, round(shown, 3), None, 0))
        self.play(self.beat * 0.4)
        if act.startswith("blocked"):
            self.tell(Kind.SEEK, self.pos + 400, Flag.BLOCKED)
        if act.endswith("rewound"):
            self.play(1.0)
            self.tell(Kind.SEEK, round(self.pos * share, 3))
            self.pos = round(self.pos * share, 3)
            self.tell(Kind.WAITING)
            self.tell(Kind.PLAYING)
        if act == "paused":
            self.tell(Kind.PAUSE)
            self.at += 30
            self.tell(Kind.PLAY)

    def deliver(self, pieces: int, apart: float, stall: float) -> None:
        """All that was kept arrives in so many pieces, so far apart, the later half after a request
        that was lost; play goes on meanwhile, and what is told of that comes behind it."""
        back = self.at
        while self.at < back + (pieces - 1) * apart + stall:
            self.play(self.beat)
            self.tell(Kind.PROGRESS)
        for n, (kind, client, place, x, flags) in enumerate(self.kept):
            piece = n * pieces // len(self.kept)
            late = apart * piece + (stall if piece >= pieces / 2 else 0)
            received = max(client, back + late)
            self.lin.tell(kind, received, place, x=x, flags=flags, client=client)
        self.lin.t, self.lin.pos = self.at, self.pos


@settings(max_examples=200, deadline=None)
@given(
    first=st.integers(30, 600),
    parts=st.lists(parts_of_play, min_size=1, max_size=5),
    beat=st.sampled_from([0.25, 2, 5, 10, 15]),
    pieces=st.integers(1, 12),
    apart=st.sampled_from([0.2, 1.0, 3.0, 20.0]),
    stall=st.sampled_from([0.0, 8.0, 25.0, 29.0]),
    goes_on=st.booleans(),
)
# A stale place right before a seek that was blocked.
@example(568, [(20, "behind", 1, "blocked and rewound", 0.87), (700, *PLAYED)], 10, 1, 0.2, 0, True)
@example(300, [(200, "behind", 1, "blocked", 1), (200, *PLAYED)], 5, 1, 0.2, 0, False)
# A place that is shown last before a seek.
@example(
    303,
    [(45, "none", 0, "rewound", 0.74), (83, "zero", 1, "rewound", 0.99), (275, *PLAYED)],
    15,
    4,
    0.2,
    0,
    True,
)
# A place ahead, for which the silence has room.
@example(423, [(143, "ahead", 0.56, "rewound", 0.99)], 5, 6, 0.2, 0, True)
@example(600, [(100, "farthest", 0.5, "rewound", 0.6), (90, *FARTHEST)], 10, 1, 0.2, 0, True)
@example(
    30,
    [(20, "ahead", 0.0, "none", 0.5), (48, "none", 0.0, "rewound", 0.5)],
    0.25,
    1,
    0.2,
    0,
    False,
)
# A player that tells of its place four times a second, and runs behind for minutes.
@example(547, [(172, "runs behind", 0.2, "none", 1), (58, *REWOUND)], 0.25, 5, 0.2, 0, False)
@example(
    197,
    [(122, "behind", 0.06, "none", 1), (193, "runs behind", 0.09, "none", 1), (23, *AHEAD)],
    0.5,
    5,
    0.2,
    0,
    True,
)
# Odd beats, and honest ones between them.
@example(
    600,
    [(60, "zero", 0.5, "none", 1), (60, "half", 1, "none", 1), (20, "zero", 0, "none", 1)],
    5,
    1,
    0.2,
    0,
    False,
)
# An end that no film has reached, in the first of two deliveries.
@example(30, [(64, "end", 0.0, "none", 1)], 2, 2, 0.2, 0, False)
@example(30, [(64, "end", 0.5, "none", 1)], 2, 2, 0.2, 0, False)
# Pieces that take seconds each.
@example(300, [(300, *PLAYED)], 10, 6, 1, 0, True)
@example(300, [(600, *PLAYED)], 10, 6, 3, 0, True)
@example(300, [(139, *PLAYED)], 2, 6, 3, 0, True)
@example(300, [(600, *PLAYED)], 2, 12, 3, 0, True)
@example(300, [(600, *PLAYED)], 10, 12, 20, 0, True)
# A place ahead as the last one before a request that is lost.
@example(
    30,
    [(20, *PLAYED), (20, "ahead", 1, "none", 1), (60, *PLAYED)],
    10,
    2,
    0.2,
    25,
    False,
)
# A request that is lost on the way.
@example(300, [(600, *PLAYED)], 10, 8, 0.2, 25, True)
def test_a_backlog_with_glitches_accuses_nobody_and_costs_their_neighbours_at_most(
    first: int,
    parts: list[Part],
    beat: float,
    pieces: int,
    apart: float,
    stall: float,
    goes_on: bool,
) -> None:
    lin = Sitting().play().watch(first)
    offline = _Offline(lin, beat)
    for part in parts:
        offline.part(part)
    # What is taken for a backlog comes four times as fast as it grew.
    slowest = (offline.at - first) / (4 * pieces)
    apart = min(apart, slowest)
    ran_behind = sum(seconds for seconds, glitch, *_ in parts if glitch == "runs behind")
    slack = 0 if ran_behind else slowest + (slowest - apart) * (pieces // 2)
    offline.deliver(pieces, apart, min(stall, slack))
    seen = offline.seen
    if goes_on:
        lin.watch(120, beat=beat)
        seen = max(seen, lin.pos)
    lin.pause()
    assert reasons(found(RULE, lin)) == []
    odd = sum(glitch != "none" or act.endswith("rewound") for _, glitch, _, act, _ in parts)
    ahead = 90 * sum(glitch == "ahead" for _, glitch, *_ in parts)  # where the silence has room
    lost = 10 + (10 + 2 * beat) * odd + ran_behind + ahead
    assert credited_ms(RULE, lin) >= (seen - lost) * 1000


LONGEST_S = int(GRADED["popup_gap"]["max_gap_s"])


@settings(max_examples=200, deadline=None)
@given(
    lags=st.lists(
        st.tuples(st.sampled_from([60, 120, 300]), st.integers(0, LONGEST_S - 30)), min_size=1
    ),
    beat=st.sampled_from([2, 5, 10, 15, 30]),
    fast=st.integers(-3_600, 3_600),
    drift=st.sampled_from([0.99, 1, 1.011]),
)
@example([(300, 0), (300, 60), (120, 0), (300, 0)], 10, 0, 1)
@example([(60, 240), (60, 0), (60, 240), (60, 0)], 15, -700, 1.011)
def test_a_line_that_slows_down_and_catches_up_costs_nobody_anything(
    lags: list[tuple[int, int]], beat: int, fast: int, drift: float
) -> None:
    """News waits longer and longer, and then shorter: what comes behind it looks like fast play.
    The client's clock, fast or slow, tells when each was written."""
    lin = Sitting()
    lin.tell(Kind.PLAY, 0.0, 0.0, client=float(fast))
    before, received = 0.0, 0.0
    for seconds, lag in lags:
        beats = seconds // beat
        for n in range(1, beats + 1):
            at = lin.pos + beat
            if at > FILM_S:
                break
            received = max(received, at + before + (lag - before) * n / beats)
            lin.tell(Kind.PROGRESS, received, at, client=at * drift + fast)
        before = lag
    assert reasons(found(RULE, lin)) == []
    assert credited_ms(RULE, lin) >= (lin.pos - 10) * 1000


def test_who_rests_and_then_plays_fast_is_found_by_whatever_clock() -> None:
    for clock in ("true", "none", "twice as fast", "an hour back"):
        wu = Sitting().play().watch(300)
        for n in range(1, 19):  # three minutes of rest, then three at double speed
            received = 480 + 10.0 * n
            client = {"true": received, "none": 0.0, "an hour back": received - 3600}
            told = client.get(clock, 480 + 20.0 * n)
            wu.tell(Kind.PROGRESS, received, 300 + 20.0 * n, client=told)
        assert reasons(found(RULE, wu)) == ["outran"], clock


@pytest.mark.parametrize("beat", [12, 15, 20, 30])
@pytest.mark.parametrize("clock", ["true", "of the delivery", "by the minute", "set back"])
@pytest.mark.parametrize("then", ["a stale beat", "rewound", "rewound, told where it led"])
def test_a_poor_clock_of_the_client_costs_no_more_than_a_true_one(
    beat: int, clock: str, then: str
) -> None:
    lin = Sitting().play().watch(300, beat=beat)
    told = {
        "true": lambda at: at,
        "of the delivery": lambda at: 900.0,
        "by the minute": lambda at: at // 60 * 60,
        "set back": lambda at: at - 20 * (at > 350),
    }[clock]
    for at in range(300 + beat, 901, beat):
        lin.tell(Kind.PROGRESS, 900.0, at, client=told(at))
    lin.t = lin.pos = at
    if then == "a stale beat":
        lin.tell(Kind.PROGRESS, lin.t + beat, 600.0)
        lin.pos = lin.t
    else:
        lin.pos = 365.0
        if then.endswith("led"):
            lin.seek(365.0)
    lin.watch(150, beat=beat)
    assert reasons(found(RULE, lin)) == []
    assert credited_ms(RULE, lin) >= (lin.t - 2 * beat) * 1000


@pytest.mark.parametrize("beat", [1, 10, 15, 22, 30, 40])
@pytest.mark.parametrize("place", [0.0, 400.0, FILM_S])
@pytest.mark.parametrize("outage", [0, 40, 300])
def test_one_odd_beat_accuses_nobody_whatever_the_beat_and_before_an_outage_too(
    beat: int, place: float, outage: int
) -> None:
    lin = Sitting().play().watch(300, beat=beat)
    lin.tell(Kind.PROGRESS, 300.0 + beat, place)
    lin.pos = lin.t
    if outage:
        lin.held_back(outage, beat=beat)
    lin.watch(200, beat=beat)
    assert reasons(found(RULE, lin)) == []
    assert credited_ms(RULE, lin) >= (lin.t - 2 * beat - 10) * 1000


def test_wu_s_seeks_are_told_though_play_goes_on_before_them() -> None:
    wu = Sitting().play().watch(100)
    for _ in range(4):
        wu.tell(Kind.SEEK, wu.t, wu.pos, x=wu.pos + 300)
        wu.pos -= 290
        wu.watch(60)
    kinds = known(wu).played.samples.kind.tolist()
    assert kinds.count(Kind.SEEK) == 4


def test_a_seek_that_is_told_where_it_led_says_nothing_of_where_play_was() -> None:
    """A minute is played again from 0, and then left where it had been before."""
    lin = Sitting().play().watch(500)
    lin.pos = 0.0
    lin.watch(60)
    lin.pos = 501.0
    lin.seek(501.0).watch(60)
    assert found(RULE, lin) == []
    assert credited_ms(RULE, lin) >= 600_000


AT_A_BEAT, BY_40, BY_300, ALL_AND_MORE = [10] * 120, [40] * 30, [300] * 4, [600, 300, 300]


@pytest.mark.parametrize(
    ("steps", "again"),
    [
        *((steps, False) for steps in (AT_A_BEAT, BY_40, BY_300, ALL_AND_MORE)),
        *((steps, True) for steps in (AT_A_BEAT, ALL_AND_MORE)),
    ],
)
def test_wu_s_backlog_is_no_longer_for_what_he_claims_twice(steps: list[int], again: bool) -> None:
    """600 s without a network hold 600 s of new content, whatever was played again beside it."""
    wu = Sitting().play().watch(300)
    place = 300
    for step in steps:
        place += step
        if again:
            wu.tell(Kind.SEEK, 900.0, place - step, x=100.0)
            wu.tell(Kind.PROGRESS, 900.0, 120.0)
            wu.tell(Kind.SEEK, 900.0, 120.0, x=place - step)
        wu.tell(Kind.PROGRESS, 900.0, place)
    assert {"outran", "jump"} & set(reasons(found(RULE, wu)))
    assert credited_ms(RULE, wu) <= 912_000


def test_twenty_thousand_places_that_only_fall_earn_nothing_and_hold_up_nobody() -> None:
    """Seconds; minutes, if the way back were looked for through all of them."""
    wu = Sitting().play().watch(10)
    for n in range(20_480):
        wu.tell(Kind.PROGRESS, 20.0, 30_000.0 - n * 2)
    assert credited_ms(RULE, wu, lessons=(40_000.0,)) <= 22_000
