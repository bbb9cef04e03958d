"""Class-hours: play is cut at their borders, content counts once, voids take off their part."""

from __future__ import annotations

import numpy as np

from detectors.assess import HourOutcome, assess
from detectors.class_hours import cut_at_hours, union_gain
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, known, only, trace, with_parameters

TWO_HOURS = [(0, 0, 0, 0.0, 2400.0), (0, 1, 0, 2400.0, 4800.0)]
GROUPED = [(0, 0, 0, 0.0, 1200.0), (0, 0, 1, 0.0, 1200.0)]
NOBODY = "marathon"  # a rule that says nothing here


def hours(*sittings: Sitting, rule: str = NOBODY, **plan):
    return assess(trace(*sittings, **plan), only(rule)).hours


def test_play_across_a_border_is_cut_in_content_and_in_time():
    facts = known(Sitting(pos=2300).play().watch(200), lessons=[4800.0], pieces=TWO_HOURS)
    parts = cut_at_hours(facts.trace, facts.runs)
    assert parts.hour.tolist() == [0, 1]
    assert (parts.p1_ms - parts.p0_ms).tolist() == [100_000, 100_000]
    assert parts.t1_ms[0] == parts.t0_ms[1]
    assert int((parts.t1_ms - parts.t0_ms).sum()) == 200_000


def test_play_that_ends_on_the_border_stays_in_its_class_hour():
    facts = known(Sitting(pos=2300).play().watch(100), lessons=[4800.0], pieces=TWO_HOURS)
    assert facts.parts.hour.tolist() == [0]


def test_lessons_grouped_into_one_class_hour_are_added():
    first = Sitting().play().watch(1200)
    second = Sitting(lesson=1, at=2000).play().watch(1200)
    (hour,) = hours(first, second, lessons=[1200.0, 1200.0], pieces=GROUPED)
    assert (hour.credited_ms, hour.length_ms) == (2_400_000, 2_400_000)


def test_content_counts_once_over_all_sittings():
    first = Sitting().play().watch(1500)
    again = Sitting(at=5000, pos=600).play().watch(900)
    (hour,) = hours(first, again)
    assert hour.credited_ms == 1_500_000


def test_a_class_hour_may_be_finished_in_several_sittings():
    parts = [Sitting(at=90_000.0 * n, pos=600.0 * n, resume=600.0 * n) for n in range(4)]
    (hour,) = hours(*(part.play().watch(600) for part in parts))
    assert hour.credited_ms == 2_400_000


def test_98_per_cent_of_a_longer_hour_that_hold_40_minutes_are_enough():
    for seen, valid in ((2450.0, True), (2449.9, False)):
        lin = Sitting().class_hour(seen)
        (hour,) = assess(trace(lin, lessons=[2500.0]), GRADED).hours
        assert (hour.outcome is HourOutcome.VALID) is valid


def test_a_class_hour_needs_40_minutes_but_for_the_frames_at_both_its_ends():
    for seen, valid in ((2400.0, True), (2399.5, True), (2399.499, False)):
        (hour,) = assess(trace(Sitting().class_hour(seen)), GRADED).hours
        assert (hour.outcome is HourOutcome.VALID) is valid


def test_other_places_bring_other_lengths():
    short = with_parameters("class_hour", min_minutes=30)
    lin = Sitting().class_hour(1800)
    (hour,) = assess(trace(lin, lessons=[1800.0]), short).hours
    assert hour.outcome is HourOutcome.VALID


def test_good_intervals_cure_a_voided_stretch():
    wu = Sitting().play().watch(600, speed=1.5)
    cured = Sitting(at=90_000).class_hour()
    (alone,) = assess(trace(wu), GRADED).hours
    (both,) = assess(trace(wu, cured), GRADED).hours
    assert alone.outcome is HourOutcome.INVALID
    assert both.outcome is HourOutcome.VALID


def test_play_outside_the_plan_belongs_to_no_class_hour():
    assert hours(Sitting(lesson=2).play().watch(600), pieces=TWO_HOURS) == []


def test_two_classes_of_one_person_are_two_cases():
    one, other = hours(Sitting().play().watch(600), Sitting(klass=1, at=5000).play().watch(300))
    assert (one.credited_ms, other.credited_ms) == (600_000, 300_000)


def test_a_void_in_the_middle_leaves_both_ends():
    wu = Sitting().play().watch(400).popup(4, stop=True).watch(200)
    (hour,) = hours(wu, rule="popup_gap")
    assert (hour.played_ms, hour.credited_ms) == (600_000, 500_000)


def test_the_gain_of_an_interval_is_what_was_not_covered_before():
    starts = np.array([0, 5, 8, 20, 0], np.int64)
    ends = np.array([10, 7, 12, 30, 4], np.int64)
    new = np.array([True, False, False, False, True])
    assert union_gain(starts, ends, new).tolist() == [10, 0, 2, 10, 4]
