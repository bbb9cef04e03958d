"""Several people who play at once on one device are one case; taking turns, rooms and names that
are no device's are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.assess import SessionOutcome, assess
from detectors.finding import Evidence, Fault, FindingScope
from detectors.overlap import covered
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, found, trace, with_parameters

RULE = "shared_device"


def playing(who: str, *, at: float = 0.0, seconds: float = 600.0, **what) -> Sitting:
    return Sitting(who=who, at=at, **what).play().watch(seconds)


def test_thirty_learners_at_once_on_one_device_are_one_case():
    findings = found(RULE, *(playing(f"bot-{n:02}") for n in range(30)))
    (case,) = findings
    assert (case.scope, case.evidence, case.holds) == (FindingScope.CLASS, Evidence.CLIENT, True)
    assert (case.measured, case.limit, len(case.members)) == (30, 1, 30)


TWO = with_parameters(RULE, learners_at_once=2)


def test_where_a_place_allows_two_on_a_device_a_pair_is_clear_and_a_third_makes_a_case():
    pair = [playing("lin"), playing("chen")]
    assert found(RULE, *pair, policy=TWO) == []
    (case,) = found(RULE, *pair, playing("wu", at=300.0, seconds=200.0), policy=TWO)
    assert (case.measured, case.limit) == (3, 2)
    assert case.end_ms - case.start_ms == 600_000


def test_pairs_that_follow_one_another_on_a_device_for_two_are_clear():
    turns = [playing(f"l-{n}", at=(n // 2) * 605.0) for n in range(8)]
    assert found(RULE, *turns, policy=TWO) == []


def test_a_second_window_of_one_of_two_people_is_not_a_third_learner():
    again = playing("lin-b", person="lin", window=2)
    assert found(RULE, playing("lin"), playing("chen"), again, policy=TWO) == []


def test_its_members_wait_and_others_of_the_class_do_not():
    bots = [Sitting(who=f"bot-{n}", device=7).class_hour() for n in range(3)]
    lin = Sitting(who="lin", device=1).class_hour()
    result = assess(trace(*bots, lin), GRADED)
    waiting = [it is SessionOutcome.PENDING_REVIEW for it in result.outcomes]
    assert waiting == [True, True, True, False]


@pytest.mark.parametrize(("overlap", "cases"), [(10.0, 0), (10.001, 1)])
def test_a_hand_over_may_overlap_by_ten_seconds(overlap, cases):
    second = playing("chen", at=600.0 - overlap)
    assert len(found(RULE, playing("lin"), second)) == cases


def test_siblings_who_take_turns_all_day_are_clear():
    turns = [playing(("lin", "lin-2")[n % 2], at=n * 605.0, lesson=n % 3) for n in range(12)]
    assert found(RULE, *turns) == []


def test_a_room_of_distinct_devices_behind_one_address_is_clear():
    assert found(RULE, *(playing(f"l-{n}", device=n, address=3) for n in range(30))) == []


def test_one_person_in_two_windows_is_another_rule_s():
    assert found(RULE, playing("lin", window=1), playing("lin-b", person="lin", window=2)) == []


def test_people_of_different_classes_are_not_compared():
    assert found(RULE, playing("lin"), playing("wu", klass=1)) == []


def test_a_sitting_that_stands_still_shares_nothing():
    waits = Sitting(who="chen").play()
    waits.idle(600)
    assert found(RULE, playing("lin"), waits) == []


def test_what_came_late_out_of_an_outage_may_have_happened_earlier():
    late = Sitting(who="chen").play().watch(10).held_back(500)
    assert found(RULE, playing("lin"), late) == []


@pytest.mark.parametrize("place", ["agent", "address"])
def test_a_name_that_all_devices_of_a_platform_bear_is_the_platform_s_remark(place):
    """A web view that answers with one constant for everybody."""
    phones = [playing(f"l-{n}", **{place: n // 4}) for n in range(12)]
    (remark,) = found(RULE, *phones)
    assert (remark.reason, remark.fault) == ("device_not_told", Fault.PLATFORM)
    assert (remark.evidence, remark.holds) == (Evidence.STATISTIC, False)
    assert set(assess(trace(*phones), GRADED).outcomes) != {SessionOutcome.PENDING_REVIEW}


def test_one_device_among_many_of_one_name_is_still_found_where_its_place_is_told():
    bots = [playing(f"bot-{n}", agent=1, address=1) for n in range(3)]
    others = [playing(f"l-{n}", agent=2 + n, address=2 + n) for n in range(3)]
    reasons = sorted((it.reason, int(it.measured)) for it in found(RULE, *bots, *others))
    assert reasons == [("device_not_told", 6), ("learners_at_once", 3)]


def test_a_case_keeps_its_name_when_more_sittings_come():
    (before,) = found(RULE, playing("bot-1"), playing("bot-2"))
    (after,) = found(
        RULE,
        playing("bot-1"),
        playing("bot-2"),
        playing("bot-3", at=700),
        playing("bot-0", at=800),
    )
    assert before.subject == after.subject


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=8)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(SPANS, SPANS)
def test_covered_time_is_what_counting_second_by_second_gives(mine, others):
    begin, length = np.array(mine).T
    low, span = np.array(others).T
    seconds = {at for start, size in others for at in range(start, start + size)}
    expected = [sum(at in seconds for at in range(b, b + n)) for b, n in mine]
    assert covered(begin, begin + length, low, low + span).tolist() == expected
