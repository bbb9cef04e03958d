"""I1 and I2 for any input: nobody is ever credited with more than the server's clock allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from app import rules
from app.domain.judging.sentences import sentences
from app.simulation.scenarios import SCENARIOS, perform
from detectors.assess import JudgedFacts, assess
from detectors.class_hours import coverage
from detectors.finding import Evidence, FindingScope, Outcome
from detectors.trace import Trace
from tests.detectors.columns import GRADED, columns_of
from tests.detectors.stories import only
from tests.scenarios.garbage import columns, playing, sittings
from tests.thorough import examples

TOLERANCE_MS = 10_000
fast = settings(derandomize=True, deadline=None, max_examples=examples(150))


def most_in_any_window(begin: np.ndarray, end: np.ndarray) -> int:
    """The most by which credited time in a window exceeds the window's own length.

    Credited time less passed time is a line with corners; the answer is its highest rise.
    """
    corners = np.unique(np.concatenate([begin, end]))
    if not len(corners):
        return 0
    running = np.searchsorted(np.sort(begin), corners, side="right") - np.searchsorted(
        np.sort(end), corners, side="right"
    )
    rise = np.concatenate([[0], np.cumsum((running[:-1] - 1) * np.diff(corners))])
    return int((rise - np.minimum.accumulate(rise)).max())


def conserved(trace: Trace, result: JudgedFacts) -> None:
    played, parts = result.facts.played, result.credited
    sessions = trace.sessions
    for row in range(len(trace)):
        mine = played.session == row
        elapsed = int(trace.events_of(row)["recv_ms"].max(initial=0))
        spent = played.p1_ms[mine] - played.p0_ms[mine]
        assert int(spent.sum()) <= elapsed
        assert most_in_any_window(played.t0_ms[mine], played.t1_ms[mine]) <= 0
        if mine.any():
            assert int(played.t0_ms[mine].min()) >= int(sessions["start_ms"][row])
            assert int(played.t1_ms[mine].max()) <= int(sessions["start_ms"][row]) + elapsed
        assert np.all(played.p0_ms[mine] >= 0)
        media = int(trace.lessons["media_ms"][sessions["lesson"][row]])
        assert np.all(played.p1_ms[mine] <= media)
    for person in np.unique(sessions["person"]):
        mine = parts.where(sessions["person"][parts.session] == person)
        assert most_in_any_window(mine.t0_ms, mine.t1_ms) <= TOLERANCE_MS
        assert np.all(mine.p1_ms - mine.p0_ms <= mine.t1_ms - mine.t0_ms)
        content = int(coverage(mine).credited_ms.sum())
        last = int(sessions["end_ms"][sessions["person"] == person].max())
        first = int(sessions["start_ms"][sessions["person"] == person].min())
        assert content <= last - first + TOLERANCE_MS


@fast
@given(sittings())
def test_no_input_whatever_earns_more_than_the_clock_allows(told):
    trace = columns(told)
    conserved(trace, assess(trace, GRADED))


@fast
@given(sittings(people=1, most=6, telling=playing()))
def test_one_person_in_many_windows_has_one_clock(told):
    trace = columns(told)
    conserved(trace, assess(trace, only("multi_window")))


@pytest.mark.parametrize("scenario_id", [name for name in SCENARIOS if name.startswith("F")])
def test_no_fraud_of_the_casebook_earns_more_than_the_clock_allows(scenario_id):
    trace = columns_of(perform(scenario_id, seed=2)).trace()
    conserved(trace, assess(trace, GRADED))


def test_the_measure_itself_sees_a_double_credit():
    one = np.array([0, 100]), np.array([100, 200])
    two = np.array([0, 40, 100]), np.array([100, 60, 200])
    assert most_in_any_window(*one) == 0
    assert most_in_any_window(*two) == 20


@settings(fast, max_examples=examples(50))  # it takes ten times as long as the others
@given(sittings())
def test_every_finding_on_any_input_is_complete_and_explained(told):
    trace = columns(told)
    result = assess(trace, GRADED)
    for finding in result.findings:
        assert np.isfinite(finding.measured) and np.isfinite(finding.limit)
        of_class = finding.scope is FindingScope.CLASS
        about = finding.members if of_class else (finding.session,)
        assert about and all(0 <= row < len(trace) for row in about)
        assert bool(finding.subject) is of_class
        assert 0 < finding.start_ms <= finding.end_ms
        if finding.outcome is Outcome.VIOLATION:
            assert finding.evidence is Evidence.SERVER
        words = sentences(finding)
        assert words.zh and words.en
        assert rules.reason(finding.rule, finding.reason), "no words of its own"


@fast
@given(sittings())
def test_a_client_s_clock_changes_no_credit(told):
    trace = columns(told)
    at = trace.events["at_ms"]
    warped = trace.events.copy()
    base = int(at.min()) if len(at) else 0
    warped["at_ms"] = base + (at - base) * 4 + 28_800_000
    other = replace(trace, events=warped)
    one, two = assess(trace, GRADED), assess(other, GRADED)
    for name in type(one.credited).__slots__:
        assert np.array_equal(getattr(one.credited, name), getattr(two.credited, name))
    # What a client says was over before the opening is no leap, and counts for nothing either way.
    both = (*one.findings, *two.findings)
    early = {it.session for it in both if it.reason == "before_opening"}

    def by_the_server(result):
        return [
            it
            for it in result.findings
            if it.rule != "forged_telemetry"
            and not (it.rule == "fast_forward" and it.session in early)
        ]

    assert by_the_server(one) == by_the_server(two)
