"""Study counts on the days of the class only; what lies outside is kept and accuses nobody."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.assess import SessionOutcome, assess
from detectors.dates import StudyDays, midnight_ms, study_days
from detectors.finding import Fault, Outcome
from detectors.trace import Kind
from tests.detectors.columns import GRADED
from tests.detectors.stories import MONDAY_MS, Sitting, found, trace

RULE = "class_dates"
DAY_S = 86_400


def studied(counts: tuple[float, float] | None, seconds: float = 250) -> Sitting:
    return Sitting(counts=counts).play().watch(seconds)


def test_study_on_the_days_of_the_class_is_not_spoken_of():
    assert found(RULE, studied((-DAY_S, DAY_S)), studied(None)) == []


@pytest.mark.parametrize(
    ("counts", "reason"),
    [((350, DAY_S), "before_the_class"), ((-DAY_S, -1), "after_the_class")],
)
def test_a_sitting_outside_the_days_is_not_proven_and_nobody_is_accused(counts, reason):
    result = assess(trace(studied(counts)), GRADED)
    (finding,) = [it for it in result.findings if it.rule == RULE]
    assert (finding.reason, finding.outcome) == (reason, Outcome.NOT_PROVEN)
    assert (finding.fault, finding.measured) == (Fault.INSTITUTION, pytest.approx(250, abs=0.1))
    assert result.outcomes == [SessionOutcome.NOT_PROVEN]
    assert len(result.credited) == 0


@pytest.mark.parametrize("stated", [DAY_S, 150.0])
def test_days_that_only_the_platform_added_wait_and_what_lies_beyond_is_over(stated):
    sitting = Sitting(counts=(-DAY_S, 50), stated=stated).play().watch(250)
    result = assess(trace(sitting), GRADED)
    sides = {it.reason: it for it in result.findings if it.rule == RULE}
    waits = min(stated, 250) - 50
    assert sides["days_not_accepted"].measured == pytest.approx(waits, abs=0.1)
    assert {it.fault for it in sides.values()} == {Fault.INSTITUTION}
    assert ("after_the_class" in sides) == (stated < 250)
    if over := sides.get("after_the_class"):
        assert over.measured == pytest.approx(250 - stated, abs=0.1)
        assert over.start_ms >= sides["days_not_accepted"].end_ms


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(-100, 350), st.booleans())
def test_the_part_inside_counts_to_the_millisecond(border, first_part):
    counts = (-DAY_S, border) if first_part else (border, DAY_S)
    result = assess(trace(studied(counts)), GRADED)
    inside = min(max(border, 0), 250) if first_part else 250 - min(max(border, 0), 250)
    credited = sum(result.credited.p1_ms - result.credited.p0_ms)
    assert credited / 1000 == pytest.approx(inside, abs=0.02)
    findings = [it for it in result.findings if it.rule == RULE]
    assert all(it.outcome in (Outcome.CLEAR, Outcome.NOT_PROVEN) for it in findings)
    assert sum(it.measured for it in findings) == pytest.approx(250 - inside, abs=0.02)


def test_what_an_outage_held_back_past_midnight_counts_where_it_may_have_been_played():
    lin = Sitting(counts=(-DAY_S, 1_000)).play().watch(300)
    lin.t = 2_000.0  # offline from 300 to 2000; the film went on for 600 s at once
    for _ in range(60):
        lin.tell(Kind.PROGRESS, lin.t, lin.pos + 10)
    assert found(RULE, lin) == []


D = date.fromisoformat


@pytest.mark.parametrize(
    ("planned", "assessed", "on_leave", "last"),
    [
        (None, None, False, "2026-04-05"),
        ("2026-04-20", None, False, "2026-04-05"),
        ("2026-04-20", None, True, "2026-04-19"),  # made up for before the assessment
        (None, None, True, "2026-04-05"),
        ("2026-04-05", None, False, "2026-04-04"),
        ("2026-04-20", "2026-03-20", False, "2026-03-19"),
        ("2026-04-20", "2026-04-18", True, "2026-04-17"),
    ],
)
def test_the_last_day_is_the_class_s_or_the_one_before_the_assessment(
    planned, assessed, on_leave, last
):
    days = study_days(
        D("2026-03-02"), D("2026-04-05"), planned and D(planned), assessed and D(assessed), on_leave
    )
    assert days == StudyDays(D("2026-03-02"), D(last))


def test_days_begin_at_midnight_in_shanghai():
    assert midnight_ms(D("2026-10-12")) + 9 * 3_600_000 == MONDAY_MS
    days = StudyDays(D("2026-03-02"), D("2026-03-02"))
    assert days.until_ms - days.from_ms == 86_400_000
