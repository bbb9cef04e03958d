"""Copies of one sitting are found after any shift, with noise and with stretch; people who study
apart are never copies of each other, and a schedule that all share is the platform's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import pytest

from detectors.assess import SessionOutcome, assess
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.trace import Kind, SessionFlag
from tests.detectors.columns import GRADED
from tests.detectors.stories import HONEST, Sitting, found, trace

RULE = "cloned_traces"
Moments = Sequence[tuple[float, float]]  # when each pop-up came, and how long it was open
Made = Callable[[Random], list[tuple[float, float]]]


def wait(rng: Random) -> float:
    return 1.2 + 7.8 * rng.random() ** 2


def drawn(rng: Random) -> list[tuple[float, float]]:
    """Drawn by a service: 180 to 285 s of study apart; play stands still while one is open."""
    moments, at = [], 0.0
    for _ in range(11):
        at += rng.uniform(180, 285)
        moments.append((at, wait(rng)))
        at += moments[-1][1]
    return moments


def every_four_minutes(rng: Random) -> list[tuple[float, float]]:
    """By the wall clock, for everybody."""
    return [(240.0 * n, wait(rng)) for n in range(1, 11)]


def after_each_answer(rng: Random) -> list[tuple[float, float]]:
    """A timer that starts again with the answer."""
    moments, at = [], 0.0
    for _ in range(10):
        at += 240.0
        moments.append((at, wait(rng)))
        at += moments[-1][1]
    return moments


def at_places_of_the_film(rng: Random) -> list[tuple[float, float]]:
    moments, late = [], 0.0
    for place in (130, 355, 610, 802, 1090, 1333, 1571, 1850, 2033, 2290):
        moments.append((place + late, wait(rng)))
        late += moments[-1][1]
    return moments


def told(who: str, moments: Moments, **what) -> Sitting:
    sitting = Sitting(who=who, **what).play()
    for at, open_s in moments:
        sitting.t = at
        sitting.popup(open_s)
    sitting.t = 2700.0
    return sitting


def copy(
    moments: Moments, rng: Random, *, noise: float = 0.0, stretch: float = 1.0
) -> list[tuple[float, float]]:
    """The same, with noise on every moment, or stretched."""
    copied = []
    for at, open_s in moments:
        shown = at * stretch + rng.uniform(-noise, noise)
        answered = (at + open_s) * stretch + rng.uniform(-noise, noise)
        copied.append((shown, max(0.3, answered - shown)))
    return copied


def honest(made: Made, people: int, lessons: int, seed: int, first: int = 0) -> list[Sitting]:
    rng = Random(seed)
    return [
        told(f"l-{n:02}", made(rng), lesson=lesson % 3, at=lesson * 86_400.0 + rng.uniform(0, 7200))
        for n in range(first, first + people)
        for lesson in range(lessons)
    ]


def cases(*sittings: Sitting) -> list[Finding]:
    return [it for it in found(RULE, *sittings) if it.reason == "same_trace"]


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("stretch", [1.0, 0.97, 1.05])
@pytest.mark.parametrize("others", [0, 20])
def test_twenty_copies_of_one_trace_are_one_case(noise, stretch, others):
    rng = Random(f"{noise}{stretch}")
    model = drawn(rng)
    copies = [
        told(f"wu-{n:02}", copy(model, rng, noise=noise, stretch=stretch), at=3600.0 * n)
        for n in range(20)
    ]
    (case,) = cases(*copies, *honest(drawn, others, 1, 7))
    assert (case.scope, case.evidence, case.holds) == (FindingScope.CLASS, Evidence.CLIENT, True)
    assert case.measured == 20


def test_one_trace_for_all_lessons_of_one_person_is_found():
    model = drawn(Random(3))
    lin = [told("lin", model, lesson=n, at=n * 86_400.0) for n in range(3)]
    (case,) = cases(*lin, *honest(drawn, 10, 3, 1))
    assert case.measured == 3


def test_a_copy_for_another_lesson_of_another_person_is_found():
    model = drawn(Random(3))
    pair = told("lin", model), told("wu", model, lesson=1, at=90_000)
    (case,) = cases(*pair, *honest(drawn, 10, 3, 1))
    assert case.measured == 2


def test_one_sitting_that_was_handed_in_twice_is_no_copy():
    model = drawn(Random(3))
    assert cases(told("lin", model), told("lin", model), *honest(drawn, 10, 1, 1)) == []


def test_members_wait_and_the_others_do_not():
    model = drawn(Random(3))
    pair = [told(who, model, at=9 * n) for n, who in enumerate(("wu", "wu-2"))]
    result = assess(trace(*pair, *honest(drawn, 6, 1, 2)), GRADED)
    waiting = {row for row, it in enumerate(result.outcomes) if it is SessionOutcome.PENDING_REVIEW}
    (case,) = [it for it in result.findings if it.reason == "same_trace"]
    assert len(case.members) == 2 and set(case.members) <= waiting


@pytest.mark.parametrize(
    ("flags", "fault", "outcome"),
    [
        (HONEST | SessionFlag.ATTESTED, Fault.PLATFORM, Outcome.NOT_PROVEN),
        (HONEST, Fault.LEARNER, Outcome.VIOLATION),
    ],
)
def test_a_copy_that_was_squeezed_outruns_the_clock_by_its_platform_s_word(flags, fault, outcome):
    """What this service timed itself stays the learner's."""
    model, squeezed = drawn(Random(3)), 0.92
    sittings = [told("wu", model, flags=flags)]
    for n in range(3):
        one = told(f"wu-{n}", copy(model, Random(n), stretch=squeezed), flags=flags, at=4e3 * n)
        one.t = 0.0
        while one.t < 2200:
            one.tell(Kind.PROGRESS, one.t + 10 * squeezed, one.pos + 10)
        sittings.append(one)
    result = assess(trace(*sittings, *honest(drawn, 6, 1, 2)), GRADED)
    outran = [it for it in result.findings if it.reason == "outran"]
    assert len(outran) == 3
    assert {(it.fault, it.outcome, it.voids) for it in outran} == {(fault, outcome, True)}


SCHEDULES = [drawn, every_four_minutes, after_each_answer, at_places_of_the_film]


@pytest.mark.parametrize("made", SCHEDULES)
@pytest.mark.parametrize("seed", range(3))
def test_forty_people_who_study_apart_are_no_copies_on_any_schedule(made, seed):
    findings = found(RULE, *honest(made, 40, 6, seed))
    assert [it.reason for it in findings] == ([] if made is drawn else ["same_schedule"])
    for remark in findings:
        assert (remark.fault, remark.evidence) == (Fault.PLATFORM, Evidence.STATISTIC)
        assert not remark.holds and remark.measured < remark.limit


@pytest.mark.parametrize("made", SCHEDULES[1:])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_copies_on_a_common_schedule_are_told_by_their_answers(made, noise):
    rng = Random(noise)
    models = [made(rng) for _ in range(3)]
    copies = [
        told(f"wu-{n}", copy(model, rng, noise=noise), lesson=k, at=k * 86_400.0 + 60 * n)
        for n in range(8)
        for k, model in enumerate(models)
    ]
    (case,) = cases(*honest(made, 12, 3, 4), *copies)
    assert case.measured == 24


@pytest.mark.parametrize("made", SCHEDULES[1:])
def test_a_class_that_is_copies_altogether_is_no_schedule(made):
    rng = Random(8)
    model = made(rng)
    copies = [told(f"wu-{n:02}", copy(model, rng, noise=0.3), at=60.0 * n) for n in range(20)]
    (case,) = cases(*copies)
    assert case.measured == 20


def test_people_of_different_classes_are_not_compared():
    model = drawn(Random(3))
    assert cases(told("lin", model), told("wu", model, klass=1)) == []
