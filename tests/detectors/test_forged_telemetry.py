"""Forged or automated telemetry: looked at by people, and honest habits are never in it."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.finding import Evidence, Fault, Outcome
from detectors.trace import ControlFlag, Integrity, Kind, SessionFlag
from tests.detectors.stories import HONEST, Sitting, found, reasons

RULE = "forged_telemetry"


def beats(count: int, *, pace: float = 1.0, jitter=lambda n: 0.0, step: float = 10.003) -> Sitting:
    """Heartbeats on a client whose clock runs at `pace`."""
    lin = Sitting().play()
    for n in range(count):
        at = lin.t + 10 + jitter(n)
        lin.tell(Kind.PROGRESS, at, lin.pos + step, client=at * pace)
    return lin


@pytest.mark.parametrize(
    "forged", [ControlFlag.FOREIGN_NONCE, ControlFlag.EARLY_ANSWER, ControlFlag.UNKNOWN]
)
def test_a_forged_answer_is_the_server_s_own_knowledge(forged):
    (finding,) = found(RULE, Sitting().play().watch(60.5).popup(4, flags=forged))
    assert (finding.outcome, finding.reason) == (Outcome.REVIEW, "forged_answer")
    assert (finding.evidence, finding.fault) == (Evidence.SERVER, Fault.LEARNER)
    assert finding.needs_two_reviewers
    assert finding.controls == (0,)


def test_a_popup_that_the_platform_never_told_of_is_the_platforms_omission():
    wu = Sitting(flags=HONEST | SessionFlag.PLATFORM_CONTROLS).play().watch(60.5)
    assert found(RULE, wu.popup(4, flags=ControlFlag.UNKNOWN)) == []
    assert reasons(found(RULE, wu.popup(4, flags=ControlFlag.FOREIGN_NONCE))) == ["forged_answer"]


@pytest.mark.parametrize("says", [lambda at: 0, lambda at: round(at), lambda at: -at * 1000])
def test_a_clock_that_stands_still_or_counts_in_seconds_is_no_clock(says):
    lin = Sitting().play()
    for n in range(40):
        at = lin.t + 10 + 0.3 * (n % 3)
        lin.tell(Kind.PROGRESS, at, lin.pos + 10.003, client=at)
    lin.events = [(says(n * 10) + 1_791_766_800, *it[1:]) for n, it in enumerate(lin.events)]
    assert found(RULE, lin) == []


def test_a_script_that_clicks_is_the_browser_s_word():
    (finding,) = found(RULE, Sitting().popup(4, flags=ControlFlag.UNTRUSTED_INPUT))
    assert (finding.reason, finding.evidence) == ("scripted_answer", Evidence.CLIENT)


@pytest.mark.parametrize(
    ("answers", "latency", "reviewed"),
    [(1, 0.1, False), (2, 0.249, True), (2, 0.25, False), (12, 0.3, False)],
)
def test_two_answers_within_250_ms_are_no_person_s(answers, latency, reviewed):
    lin = Sitting()
    for _ in range(answers):
        lin.idle(60).popup(latency)
    findings = found(RULE, lin)
    assert reasons(findings) == (["instant_answers"] if reviewed else [])
    assert all(finding.evidence is Evidence.CLIENT for finding in findings)


@pytest.mark.parametrize(("seconds", "reviewed"), [(4.0, False), (1.3, False), (0.003, True)])
def test_latencies_in_seconds_are_known_by_the_stamps_of_display_and_answer(seconds, reviewed):
    lin = Sitting().play()
    for _ in range(3):
        lin.watch(100.1).popup(seconds, stop=True, latency=(round(seconds) or 3) / 1000)
    assert reasons(found(RULE, lin)) == (["instant_answers"] if reviewed else [])


def test_contradicting_events_are_looked_at():
    (finding,) = found(RULE, Sitting(flags=HONEST | SessionFlag.SEQ_CONFLICT).play().watch(33.3))
    assert (finding.reason, finding.outcome) == ("seq_conflict", Outcome.REVIEW)


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        (Integrity.HIDDEN_BUT_VISIBLE, ["visibility_spoofed"]),
        (Integrity.NO_FRAMES, ["visibility_spoofed"]),
        (Integrity.SCRIPTED_INPUT, ["scripted_input"]),
        (Integrity.CLOCK_SKEW, []),
        (Integrity.OTHER, []),
    ],
)
def test_what_the_page_tells_of_itself_is_at_most_a_review(family, expected):
    findings = found(RULE, Sitting().play().integrity(family).watch(33.3))
    assert reasons(findings) == expected
    assert all(finding.evidence is Evidence.CLIENT for finding in findings)


@pytest.mark.parametrize(
    ("pace", "reviewed"), [(1.0, False), (1.02, False), (0.98, False), (1.021, True), (0.979, True)]
)
def test_a_clock_may_be_2_per_cent_off(pace, reviewed):
    findings = found(RULE, beats(30, pace=pace))
    assert reasons(findings) == (["client_clock"] if reviewed else [])
    assert all(finding.evidence is Evidence.CLIENT for finding in findings)


def test_a_warped_clock_must_contradict_for_ten_heartbeats():
    assert reasons(found(RULE, beats(9, pace=4))) == []
    assert reasons(found(RULE, beats(10, pace=4))) == ["client_clock"]


def test_a_constant_offset_or_one_step_is_no_contradiction():
    lin = Sitting().play()
    for n in range(40):
        lin.tell(Kind.PROGRESS, lin.t + 10, lin.pos + 9.99, client=lin.t + 28_810 - 300 * (n > 20))
    assert found(RULE, lin) == []


def test_heartbeats_that_overtake_each_other_on_a_slow_network_are_no_contradiction():
    lin = Sitting().play()
    at = 0.0
    for _ in range(20):
        for client, receipt in ((at + 15, at + 33), (at + 30, at + 32), (at + 45, at + 46)):
            lin.tell(Kind.PROGRESS, receipt, client + 0.01, client=client)
        at += 45
    assert found(RULE, lin) == []


@pytest.mark.parametrize("outage", [100, 400, 900])
@pytest.mark.parametrize("pieces", [10, 30])
def test_a_backlog_in_pieces_does_not_make_the_clock_run_ahead(outage, pieces):
    """As many intervals of the server's clock as pieces, each shorter than what it tells of."""
    lin = Sitting().play().watch(60)
    ends, apart = 60 + outage, max(1.0, outage / (4 * pieces))
    for n in range(1, outage // 10 + 1):
        at = 60 + 10 * n
        lin.tell(Kind.PROGRESS, ends + apart * (n * pieces * 10 // outage), at, client=at)
    assert found(RULE, lin) == []


@pytest.mark.parametrize("outage", [0, 300])
def test_wu_s_clock_runs_ahead_before_and_after_an_outage(outage):
    wu = Sitting().play()
    for n in range(1, 61):
        late = outage if n > 30 else 0
        wu.tell(Kind.PROGRESS, 10 * n + late, 10.0 * n, client=12.0 * n + late)
    assert reasons(found(RULE, wu)) == ["client_clock"]


# What a platform's makers, browsers and background tabs do to clocks, in seconds: each is held to
# nothing at all, whatever the network does to it.
CLOCKS = {
    "Date.now": lambda at: at,
    "Safari, 1 ms": lambda at: math.floor(at * 1000) / 1000,
    "Firefox, resistFingerprinting, 100 ms": lambda at: math.floor(at * 10) / 10,
    "Firefox, reduced timers, 2 ms": lambda at: math.floor(at * 500) / 500,
    "whole seconds": math.floor,
    "a log by the minute": lambda at: math.floor(at / 60) * 60,
}
# When heartbeats are sent: a timer that drifts, one of a tab behind others, one of a tab that is
# there for five minutes, and one that is held to whole seconds.
TIMERS = {
    "setInterval, late by a few ms each": lambda n: n * 10.004,
    "background, aligned to 1 s": lambda n: float(math.ceil(n * 10.004)),
    "background, once a minute": lambda n: n * 60.0,
    "a beat of 1 s, batched by ten": lambda n: math.ceil((n + 1) / 10) * 10.0,
}


@pytest.mark.parametrize("network", [0.0, 0.4, 6.0])
@pytest.mark.parametrize("timer", TIMERS.values(), ids=TIMERS)
@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_no_clock_that_browsers_and_platforms_round_is_a_forgery(clock, timer, network):
    rng, lin = Random(1), Sitting().play()
    for n in range(1, 280):
        at = timer(n)
        sent = max(lin.t, at + network * rng.random())
        lin.tell(Kind.PROGRESS, sent, round(at * 0.9999, 3), client=clock(at))
    assert found(RULE, lin) == []


@pytest.mark.parametrize("step", [0.001, 0.01, 0.1, 0.25, 0.5, 1.0, 5.0])
def test_no_position_that_players_round_is_a_forgery(step):
    lin = Sitting().play()
    for n in range(1, 200):
        lin.tell(Kind.PROGRESS, n * 10.003, math.floor(n * 10.003 / step) * step)
    lin.ended(math.floor(lin.pos))
    assert found(RULE, lin) == [] and found("fast_forward", lin) == []


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_a_clock_that_is_sped_up_is_one_however_it_is_rounded(clock):
    warped = Sitting().play()
    for n in range(1, 140):
        warped.tell(Kind.PROGRESS, n * 10.0, n * 10.003, client=clock(n * 40.0))
    assert reasons(found(RULE, warped)) == ["client_clock"]


@pytest.mark.parametrize(
    ("step", "seconds", "reviewed"),
    [
        (1.0, (0.6, 0.9, 1.4, 0.3, 0.7), False),  # a latency in whole seconds: 0 is under a second
        (0.5, (0.4, 0.45, 0.9, 0.3, 0.6), False),
        (0.1, (0.29, 0.26, 0.31, 0.28, 1.2), False),  # read as 200 ms
        (0.1, (0.14, 0.13, 0.16, 0.12, 0.18), True),
        (0.1, (0.04, 0.03, 0.06, 0.02, 0.08), False),  # always 0: no latency is told
        (0.001, (0.2, 0.21, 0.8, 0.24, 0.6), True),
    ],
)
def test_a_latency_is_read_as_long_as_its_rounding_leaves_open(step, seconds, reviewed):
    lin = Sitting()
    for latency in seconds:
        lin.idle(60).popup(latency, latency=math.floor(latency / step + 1e-9) * step)
    assert reasons(found(RULE, lin)) == (["instant_answers"] if reviewed else [])


def test_regular_heartbeats_and_a_still_sitter_are_no_evidence():
    assert found(RULE, beats(200).idle(600)) == []


def over_a_rough_network(rng: Random, seconds: float, pace: float, lag_s: float) -> Sitting:
    """Heartbeats that arrive up to `lag_s` late, some lost and told with the next, by a clock that
    runs at `pace` and may be set once."""
    lin = Sitting(at=rng.uniform(0, 900)).play()
    beat, at, waiting = rng.choice((5.0, 10.0, 15.0)), 0.0, []
    steps = [(rng.uniform(0, seconds), rng.uniform(-7200, 7200)) for _ in range(rng.randint(0, 1))]
    received = 0.0
    while at < seconds:
        at += beat
        waiting.append(at)
        if rng.random() < 0.15:
            continue
        received = max(received, at + rng.uniform(0.02, lag_s))
        for told in waiting:
            clock = told * pace + sum(by for when, by in steps if told >= when)
            lin.tell(Kind.PROGRESS, received, told, client=clock)
        waiting = []
    return lin


ROUGH = st.tuples(st.integers(0, 2**32), st.floats(1.0, 8.0))


@given(ROUGH, st.floats(100, 900), st.floats(0.985, 1.015))
@settings(max_examples=300, deadline=None)
def test_jitter_is_no_clock_of_its_own_however_few_heartbeats_it_falls_on(rough, seconds, pace):
    salt, lag_s = rough
    assert reasons(found(RULE, over_a_rough_network(Random(salt), seconds, pace, lag_s))) == []


@given(ROUGH, st.sampled_from((0.5, 1.2, 1.5, 2.0, 4.0, 16.0)))
@settings(max_examples=120, deadline=None)
def test_a_clock_that_was_sped_up_is_found_behind_any_jitter(rough, pace):
    salt, lag_s = rough
    wu = over_a_rough_network(Random(salt), 1200, pace, lag_s)
    assert reasons(found(RULE, wu)) == ["client_clock"]
