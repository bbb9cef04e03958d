"""多窗口学习: credit in two places at one server time, for one natural person, beyond 10 s."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.facts import facts
from detectors.finding import Outcome
from detectors.multi_window import detect
from detectors.trace import Kind, SessionFlag
from tests.detectors.columns import GRADED
from tests.detectors.stories import (
    HONEST,
    Sitting,
    credited_ms,
    found,
    ms,
    reasons,
    trace,
)

RULE = "multi_window"


def watched(seconds: float = 600, beat: float = 10.0, **where) -> Sitting:
    return Sitting(**where).play().watch(seconds, beat=beat)


@pytest.mark.parametrize(("start", "accused"), [(590.0, False), (589.999, True)])
def test_a_hand_over_may_overlap_by_10_s_and_not_a_millisecond_more(start, accused):
    desktop, phone = watched(), watched(at=start, device=1)
    assert [finding.reason for finding in found(RULE, desktop, phone)] == ["overlap"] * accused


def test_the_later_session_is_blamed_and_the_rival_named():
    (finding,) = found(RULE, watched(), watched(at=300, lesson=1))
    assert (finding.session, finding.rival) == (1, 0)
    assert (finding.measured, finding.limit) == (300.0, 10.0)
    assert finding.end_ms - finding.start_ms == 300_000
    assert finding.voids


def test_the_overlap_is_credited_once():
    assert credited_ms(RULE, watched(), watched(at=300, lesson=1)) == 900_000


def test_two_accounts_with_one_id_number_are_one_person():
    wu = watched(person="wu"), watched(who="wu-2", person="wu", at=100)
    assert reasons(found(RULE, *wu)) == ["overlap"]


def test_one_number_under_two_names_is_for_people_to_look_at():
    columns = trace(watched(person="wu"), watched(who="wu-2", person="wu", at=100))
    for named, outcome, reason in (
        ((0, 0), Outcome.VIOLATION, "overlap"),
        ((0, 1), Outcome.REVIEW, "two_names"),
    ):
        (finding,) = detect(facts(replace(columns, named=np.array(named)), GRADED), GRADED)
        assert (finding.outcome, finding.reason, finding.measured) == (outcome, reason, 500.0)


def test_of_three_at_once_who_bears_the_same_name_is_accused_with_whom_it_overlaps():
    columns = trace(
        watched(person="wu"), watched(who="b", person="wu"), watched(who="c", person="wu", at=1)
    )
    findings = detect(facts(replace(columns, named=np.array([0, 1, 0])), GRADED), GRADED)
    assert [(it.session, it.rival, it.reason) for it in findings] == [
        (1, 0, "two_names"),
        (2, 0, "overlap"),
    ]


def test_two_classes_of_one_person_share_one_clock():
    assert reasons(found(RULE, watched(), watched(klass=1, at=100))) == ["overlap"]


def test_two_people_at_one_pc_are_two_people():
    assert found(RULE, watched(), watched(who="wu", at=5)) == []


def test_a_second_tab_that_stands_still_accuses_nobody():
    idle = Sitting(at=100)
    for _ in range(20):
        idle.t += 10
        idle.tell(Kind.PROGRESS, idle.t, 30.0)
    assert found(RULE, watched(), idle) == []


def test_a_hidden_second_tab_earns_nothing_and_accuses_nobody():
    assert found(RULE, watched(), Sitting(at=100).hide().play().watch(300)) == []


def test_overlap_that_rests_on_a_backlog_is_counted_once_and_accuses_nobody():
    late = Sitting(at=300).play().held_back(600)
    findings = found(RULE, watched(), late)
    assert reasons(findings) == []
    assert reasons(findings, Outcome.CLEAR) == ["possible_overlap"]
    assert all(finding.voids for finding in findings)


def test_two_short_hand_overs_cost_seconds_but_no_accusation():
    sittings = watched(), watched(at=594), watched(at=1188)
    findings = found(RULE, *sittings)
    assert reasons(findings) == []
    assert credited_ms(RULE, *sittings) == 1_788_000 + 6_000


def test_four_lessons_at_once_are_credited_as_one():
    four = [watched(lesson=k, at=6.0 * k) for k in range(3)] + [watched(klass=1, at=20)]
    assert reasons(found(RULE, *four)) == ["overlap"] * 3
    assert credited_ms(RULE, *four) == 620_000


def test_the_time_shown_is_the_time_that_passed_however_many_windows_there_were():
    three = watched(), watched(at=1, lesson=1), watched(at=2, lesson=2)
    findings = found(RULE, *three)
    assert [finding.measured for finding in findings] == [599.0, 599.0]


def test_an_overlap_reaches_to_the_end_of_the_longest_rival():
    lin = watched(600), watched(900, at=1, lesson=1), watched(800, at=2, lesson=2)
    assert [f.end_ms - f.start_ms for f in found(RULE, *lin)] == [599_000, 800_000]
    assert credited_ms(RULE, *lin) == 901_000


def test_one_after_the_other_is_how_people_study():
    assert found(RULE, *(watched(at=600.0 * n, lesson=n, flags=HONEST) for n in range(3))) == []


def left_behind(
    late_s: float, *, held_s: float, beat: float, on_s: float, counter: bool = True
) -> Sitting:
    """A page that studied with a pause, until `on_s` after another opened at 500 s; its requests
    of the last `held_s` are `late_s` on the way."""
    page = (
        watched(300, beat=beat, counter=counter)
        .pause(57.3)
        .play()
        .watch(500 + on_s - 357.3, beat=beat)
        .pause()
    )
    end = page.t
    page.events = [
        (event[0], ms(end + late_s), *event[2:]) if event[1] > ms(end - held_s) else event
        for event in page.events
    ]
    return page


@pytest.mark.parametrize("beat", [5.0, 10.0, 15.0, 29.0])
@pytest.mark.parametrize("counter", [True, False])
def test_nobody_is_accused_because_the_page_they_left_tells_its_last_late(beat, counter):
    for late_s in (1, 3, 6, 10, 14, 18, 24, 29, 31, 45, 60):
        for held_s in (0.5, 4, 14, 29):
            for on_s in (0.0, 4.0, 9.5):
                page = left_behind(late_s, held_s=held_s, beat=beat, on_s=on_s, counter=counter)
                other = watched(at=500, device=1, lesson=1)
                accused = reasons(found(RULE, page, other))
                assert accused == [], (late_s, held_s, on_s)


@pytest.mark.parametrize("late_s", [0, 5, 14])
@pytest.mark.parametrize("on_s", [12.0, 30.0, 120.0])
def test_a_page_whose_counter_shows_that_it_played_on_is_found_however_late_it_tells(late_s, on_s):
    page = left_behind(late_s, held_s=9, beat=10, on_s=on_s)
    (finding,) = found(RULE, page, watched(at=500, device=1, lesson=1))
    assert finding.reason == "overlap"
    assert finding.measured == pytest.approx(on_s, abs=0.1)


@pytest.mark.parametrize("late_s", [0, 5, 18])
@pytest.mark.parametrize("beat", [5.0, 10.0, 15.0])
def test_without_a_counter_two_windows_are_found_once_lateness_cannot_explain_it(late_s, beat):
    page = left_behind(late_s, held_s=9, beat=beat, on_s=60.0, counter=False)
    (finding,) = found(RULE, page, watched(at=500, device=1, lesson=1))
    assert (finding.reason, finding.rival) == ("overlap", 0)
    assert 10 < finding.measured <= 60 + late_s


def test_a_counter_that_only_late_requests_told_shows_nothing():
    """Loaded anew just before it was left: all that this page told came late."""
    page = left_behind(18, held_s=9, beat=3, on_s=5)
    page.events = [
        (*event[:5], event[5] - ms(490), *event[6:]) if event[5] > ms(490) else event
        for event in page.events
    ]
    assert reasons(found(RULE, page, watched(at=500, device=1, lesson=1))) == []


LOG = HONEST | SessionFlag.ATTESTED


@pytest.mark.parametrize("apart", [0, 1.5])
def test_a_log_that_came_twice_under_two_names_is_one_play(apart):
    once, again = watched(flags=LOG), watched(flags=LOG, at=apart)
    assert found(RULE, once, again) == []


@pytest.mark.parametrize("other", [{"klass": 1}, {"who": "wu-2", "person": "wu"}])
def test_one_play_that_a_log_tells_of_two_classes_or_accounts_earns_in_one_and_accuses_nobody(
    other,
):
    one, two = watched(flags=LOG, person="wu"), watched(**{"flags": LOG, "person": "wu", **other})
    (finding,) = found(RULE, one, two)
    assert (finding.outcome, finding.reason) == (Outcome.CLEAR, "possible_overlap")
    assert credited_ms(RULE, one, two) == 600_000


@pytest.mark.parametrize("other", [{"lesson": 1}, {"device": 1}, {"window": 1}, {"at": 30}])
def test_logs_of_other_lessons_devices_windows_or_places_are_two_windows(other):
    one, two = watched(flags=LOG), watched(**{"flags": LOG, **other})
    assert reasons(found(RULE, one, two)) == ["overlap"]


@pytest.mark.parametrize("at", [0, 30])
def test_a_log_alone_accuses_nobody_whom_this_service_saw_study(at):
    log, seen = watched(flags=LOG, klass=1), watched(flags=HONEST, at=at)
    (finding,) = found(RULE, log, seen)
    assert (finding.outcome, finding.reason) == (Outcome.REVIEW, "log_alone")
    assert (finding.session, finding.rival, finding.measured) == (1, 0, 600 - at)


def test_a_log_of_study_beside_what_this_service_saw_is_a_second_window():
    seen, log = watched(flags=HONEST), watched(flags=LOG, klass=1, at=30)
    assert reasons(found(RULE, seen, log)) == ["overlap"]


def test_whom_a_log_and_this_service_saw_elsewhere_is_accused_with_what_it_saw():
    log, seen = watched(flags=LOG, klass=1), watched(flags=HONEST, at=30)
    again = watched(flags=HONEST, at=60, device=1)
    findings = found(RULE, log, seen, again)
    assert [(it.session, it.rival, it.reason) for it in findings] == [
        (1, 0, "log_alone"),
        (2, 1, "overlap"),
    ]
