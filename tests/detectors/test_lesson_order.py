"""专业课程学习不按内容先后顺序: the lesson before must be 98 per cent complete."""

from __future__ import annotations

import pytest

from detectors.finding import Evidence, Fault, Outcome
from detectors.trace import Kind
from tests.detectors.stories import MONDAY_MS, Sitting, found, ms, reasons

RULE = "lesson_order"


def lesson(number: int, at: float, seconds: float = 600.0, start: float = 0.0) -> Sitting:
    return Sitting(lesson=number, at=at, pos=start, resume=start).play().watch(seconds)


@pytest.mark.parametrize(("seen", "accused"), [(2352.0, False), (2351.9, True)])
def test_98_per_cent_of_the_lesson_before_are_enough(seen, accused):
    findings = found(RULE, lesson(0, 0, seen), lesson(1, 3000))
    assert reasons(findings) == (["ahead_of_order"] if accused else [])


def test_the_finding_names_how_much_of_the_lesson_before_was_seen():
    (finding,) = found(RULE, lesson(0, 0, 1200), lesson(1, 3000))
    assert finding.outcome is Outcome.VIOLATION
    assert (finding.fault, finding.evidence) == (Fault.LEARNER, Evidence.SERVER)
    assert (finding.measured, finding.limit, finding.unit) == (50.0, 98.0, "%")
    assert (finding.session, finding.voids) == (1, True)


def test_a_course_without_the_lock_is_the_platform_s_fault():
    (finding,) = found(RULE, lesson(1, 0), locked=False)
    assert (finding.reason, finding.fault) == ("no_lock", Fault.PLATFORM)


def test_public_courses_have_no_order():
    assert found(RULE, lesson(2, 0), lesson(0, 3000), professional=False) == []


@pytest.mark.parametrize(("early", "accused"), [(10.0, False), (10.001, True)])
def test_ten_seconds_of_the_next_lesson_are_forgiven(early, accused):
    ahead = lesson(1, 0, early)
    assert bool(found(RULE, ahead, lesson(0, 100, 2400))) is accused


def test_a_look_at_the_next_lesson_without_playing_is_nothing():
    peek = Sitting(lesson=1)
    for _ in range(12):
        peek.idle(10)
    assert found(RULE, peek) == []


def test_a_lesson_made_up_afterwards_does_not_make_its_successors_wrong():
    whole = lesson(0, 0, 2400), lesson(1, 3000, 2400)
    assert found(RULE, *whole, lesson(0, 90_000, 2400)) == []


def test_a_lesson_in_two_sittings_is_complete_after_the_second():
    assert found(RULE, lesson(0, 0, 1200), lesson(0, 2000, 1200, 1200), lesson(1, 4000)) == []
    early = found(RULE, lesson(0, 0, 1200), lesson(1, 1300, 600), lesson(0, 2000, 1200, 1200))
    assert reasons(early) == ["ahead_of_order"]


def test_a_backlog_gets_the_benefit_of_its_silence():
    offline = Sitting(lesson=0).play().watch(600).held_back(1800)
    phone = lesson(1, 2300)
    assert found(RULE, offline, phone) == []


@pytest.mark.parametrize("late", [0.2, 1.0, 1.4, 8.0, 20.0, 29.0])
@pytest.mark.parametrize("media", [300.0, 2400.0])
def test_the_last_word_of_a_film_may_come_when_the_next_one_plays(late, media):
    one = Sitting().play().watch(media - 12)
    one.tell(Kind.ENDED, media + late, media, client=media)
    assert found(RULE, one, lesson(1, media), lessons=[media] * 2) == []


@pytest.mark.parametrize(("early", "accused"), [(20.0, False), (20.1, True), (200.0, True)])
def test_wu_begins_the_next_lesson_while_the_one_before_plays_on(early, accused):
    """What a heartbeat of ten seconds may hide and ten seconds of it are forgiven."""
    findings = found(RULE, lesson(0, 0, 2400), lesson(1, 2352 - early))
    assert reasons(findings) == (["ahead_of_order"] if accused else [])
    assert not findings or findings[0].end_ms == MONDAY_MS + ms(2352 - 10)


def test_watching_the_same_minutes_again_completes_nothing():
    wu = Sitting().play().watch(800).seek(0).watch(800).seek(0).watch(800)
    assert reasons(found(RULE, wu, lesson(1, 3000))) == ["ahead_of_order"]


def test_the_ninth_lesson_before_the_third_is_one_finding():
    lessons = [600.0] * 9
    done = [lesson(k, 700.0 * k, 600) for k in range(2)]
    findings = found(RULE, *done, lesson(8, 9000), lessons=lessons)
    assert reasons(findings) == ["ahead_of_order"]
    assert findings[0].measured == 0.0
