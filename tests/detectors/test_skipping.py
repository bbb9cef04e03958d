"""Stretches that all players skip are the film's: one case, and nobody accused while it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from detectors.assess import Decision, JudgedFacts, assess
from detectors.film import Film, corrected
from detectors.finding import Fault, Finding, FindingScope, Outcome
from detectors.policy import Status
from detectors.trace import Kind
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, found, only, trace

RULE = "lesson_length"
LENGTH = 2700.0
CATALOGUE = [LENGTH, LENGTH]
HOLE = (1200.0, 1320.0)
Holes = Sequence[tuple[float, float]]


def watches(
    who: str,
    holes: Holes = (),
    *,
    told: str = "beats",
    beat: float = 10.0,
    phase: float = 0.0,
    jitter: Random | None = None,
    film: float = LENGTH,
    at: float = 0.0,
) -> Sitting:
    """Somebody who plays all that the film holds. `told` says what the player says of a hole:
    `beats` nothing, `seek` a seek of its own, `stalls` that it waits there for as long."""
    sitting = Sitting(who, at=at).play()
    clock, pos, next_beat = 0.0, 0.0, phase or beat

    def tell(kind: Kind, place: float, **more: Any) -> None:
        late = jitter.uniform(0.0, 6.0) if jitter else 0.0
        sitting.tell(kind, max(sitting.t, clock + late), round(place, 3), client=clock, **more)

    for start, end in (*holes, (film, film)):
        while clock + (start - pos) > next_beat:
            pos, clock = pos + next_beat - clock, next_beat
            tell(Kind.PROGRESS, pos)
            next_beat += beat
        clock, pos = clock + start - pos, start
        if told == "seek" and end > start:
            tell(Kind.SEEK, pos, x=end)
        if told == "stalls" and end > start:
            tell(Kind.WAITING, pos)
            clock += end - start
            tell(Kind.PLAYING, end)
            next_beat = clock + beat
        pos = end
    tell(Kind.PROGRESS, pos)
    return sitting.ended(film)


PLAYING = ("fast_forward", "lesson_order", RULE)
POLICY = replace(
    GRADED,
    rules={
        name: it if name in PLAYING else replace(it, status=Status.RETIRED)
        for name, it in GRADED.rules.items()
    },
)


def judged(*sittings: Sitting, **plan) -> JudgedFacts:
    return assess(trace(*sittings, lessons=CATALOGUE), POLICY, **plan)


def accused(result: JudgedFacts) -> list[Finding]:
    rules = ("fast_forward", "lesson_order")
    return [it for it in result.findings if it.rule in rules and it.outcome is not Outcome.CLEAR]


def cases(result: JudgedFacts) -> list[Finding]:
    return [it for it in result.findings if it.rule == RULE and it.outcome is not Outcome.CLEAR]


@pytest.mark.parametrize("told", ["beats", "seek", "stalls"])
def test_a_stretch_that_everybody_s_player_skips_is_one_case_of_the_catalogue(told):
    people = [watches(f"lin{n}", [HOLE], told=told, phase=1.0 + 2 * n) for n in range(5)]
    result = judged(*people)
    (case,) = cases(result)
    assert (case.reason, case.outcome, case.fault) == ("skipped", Outcome.REVIEW, Fault.PLATFORM)
    assert (case.scope, case.holds, case.members) == (FindingScope.CLASS, False, (0, 1, 2, 3, 4))
    assert case.measured == pytest.approx(120, abs=3)
    ((start, end),) = case.stretches
    assert 1_190_000 <= start <= 1_200_000 and 1_320_000 <= end <= 1_330_000
    assert accused(result) == []


def test_what_is_not_held_against_anybody_is_told_and_earns_nothing():
    result = judged(*[watches(f"lin{n}", [HOLE], phase=1.0 + 2 * n) for n in range(3)])
    notes = [it for it in result.findings if it.reason == "film_lacks"]
    assert [(it.outcome, it.fault, it.voids) for it in notes] == [
        (Outcome.CLEAR, Fault.PLATFORM, False)
    ] * 3
    assert all(0.94 < hour.coverage < 0.957 for hour in result.hours)


def test_a_lone_jump_where_nobody_else_jumps_is_a_jump():
    people = [watches(f"lin{n}", phase=1.0 + n) for n in range(5)]
    result = judged(*people, watches("wu", [HOLE]))
    assert [(it.reason, it.session) for it in accused(result)] == [("jump", 5)]
    assert cases(result) == []


def test_three_of_twenty_who_skip_what_seventeen_played_stay_accused():
    people = [watches(f"lin{n:02}", phase=1.0 + n % 9) for n in range(17)]
    crowd = [watches(f"wu{n}", [HOLE], phase=2.0 + n) for n in range(3)]
    result = judged(*people, *crowd)
    assert {it.session for it in accused(result)} == {17, 18, 19}
    assert cases(result) == []


def test_one_bot_that_posts_beats_over_the_hole_convicts_nobody_else():
    people = [watches(f"lin{n}", [HOLE], phase=1.0 + n) for n in range(8)]
    result = judged(*people, watches("wu"))
    assert accused(result) == [] and len(cases(result)) == 1


def test_who_jumps_farther_than_the_film_lacks_stays_accused_of_the_rest():
    people = [watches(f"lin{n}", [HOLE], phase=1.0 + n) for n in range(8)]
    result = judged(*people, watches("wu", [(1150, 1500)]))
    (jump,) = accused(result)
    assert (jump.session, jump.reason) == (8, "jump")
    assert jump.measured == pytest.approx(230, abs=25)


def test_who_also_jumps_elsewhere_is_accused_of_that_place_alone():
    people = [watches(f"lin{n}", [HOLE], phase=1.0 + n) for n in range(8)]
    result = judged(*people, watches("wu", [HOLE, (2000, 2300)]))
    (jump,) = accused(result)
    assert (jump.session, jump.reason) == (8, "jump")
    assert jump.start_pos_ms == pytest.approx(2_000_000, abs=11_000)
    assert jump.end_pos_ms == pytest.approx(2_300_000, abs=11_000)


@pytest.mark.parametrize(
    "jumps",
    [
        [(1100.0, 1400.0), (1190.0, 1340.0), (1200.0, 1500.0)],  # by hand: none is another's
        [(900.0, 2600.0), (1000.0, 2600.0), (1100.0, 2650.0)],  # to the end
        [(30.0, 2690.0)] * 3,  # nearly all of the film
    ],
)
def test_three_who_jump_each_in_their_own_way_are_no_film_s_fault(jumps):
    crowd = [watches(f"wu{n}", [it], phase=2.0 + n) for n, it in enumerate(jumps)]
    result = judged(*crowd)
    assert cases(result) == [] and len(accused(result)) == 3


@pytest.mark.parametrize("speed", [1.25, 2.0, 16.0])
def test_a_class_that_plays_fast_is_no_film_s_fault(speed):
    crowd = [Sitting(f"wu{n}").play().watch(LENGTH / speed, speed=speed) for n in range(5)]
    result = judged(*crowd)
    assert cases(result) == [] and {it.session for it in accused(result)} == {0, 1, 2, 3, 4}


def test_two_who_skip_the_same_are_not_yet_a_film_s_fault():
    result = judged(*[watches(f"wu{n}", [HOLE], phase=2.0 + n) for n in range(2)])
    assert cases(result) == [] and len(accused(result)) == 2


def test_people_who_find_the_film_whole_overturn_the_case_and_the_jumps_are_jumps():
    people = [watches(f"lin{n}", [HOLE], phase=1.0 + n) for n in range(5)]

    def whole(finding: Finding) -> Decision | None:
        return Decision.OVERTURNED if finding.rule == RULE else None

    assert len(accused(judged(*people, decisions=whole))) == 5

    def lacking(finding: Finding) -> Decision | None:
        return Decision.UPHELD if finding.rule == RULE else None

    assert accused(judged(*people, decisions=lacking)) == []


def test_one_learner_judged_alone_is_judged_by_the_case_that_stands():
    people = [watches(f"lin{n}", [HOLE], phase=1.0 + n) for n in range(5)]
    (case,) = cases(judged(*people))
    newcomer = watches("zhao", [HOLE], phase=7.3)
    assert len(accused(judged(newcomer))) == 1
    standing = [replace(case, members=(0,))]
    assert accused(judged(newcomer, standing=standing)) == []
    cheat = watches("wu", [HOLE, (2000, 2300)])
    assert len(accused(judged(cheat, standing=standing))) == 1


def test_nobody_is_ahead_of_order_for_going_on_from_a_film_that_cannot_be_completed():
    short = [watches(f"lin{n}", [HOLE], phase=1.0 + n) for n in range(4)]
    on = [replace(watches(f"lin{n}", phase=3.0, at=9000), lesson=1) for n in range(4)]
    assert accused(judged(*short, *on)) == []
    early = [replace(watches(f"lin{n}", film=2500, phase=3.0)) for n in range(4)]
    assert accused(judged(*early, *on)) == []
    (half,) = accused(judged(watches("wu", film=1300), replace(watches("wu", at=9000), lesson=1)))
    assert half.reason == "ahead_of_order"


@pytest.mark.parametrize("seed", range(24))
def test_whatever_a_film_lacks_nobody_honest_is_accused_and_the_act_makes_all_of_them_whole(seed):
    rng = Random(seed)
    cuts = sorted(rng.sample(range(100, 2600, 90), 2 * rng.randint(1, 4)))
    holes = [
        (start + rng.random(), start + rng.uniform(8, end - start))
        for start, end in zip(cuts[::2], cuts[1::2], strict=True)
        if end - start
    ]
    if sum(end - start for start, end in holes) > LENGTH / 2:
        holes = holes[:1]
    people = [
        watches(
            f"lin{n:02}",
            holes,
            told=rng.choice(["beats", "beats", "seek", "stalls"]),
            beat=rng.choice([5.0, 10.0, 15.0]),
            phase=rng.uniform(0.5, 5),
            jitter=Random(rng.random()) if rng.random() < 0.5 else None,
            at=n * 4000.0,
        )
        for n in range(rng.randint(3, 12))
    ]
    result = judged(*people)
    assert accused(result) == []
    assert [case.reason for case in cases(result)] == ["skipped"]
    film = Film(round(LENGTH * 1000), tuple((round(a * 1000), round(b * 1000)) for a, b in holes))
    told = corrected(trace(*people, lessons=CATALOGUE), {(0, 0): film})[0]
    again = assess(told, POLICY)
    assert accused(again) == [] and cases(again) == []
    assert min(hour.coverage for hour in again.hours) >= 0.98


@pytest.mark.parametrize("seed", range(12))
def test_a_crowd_that_skips_what_most_others_played_stays_accused_to_the_last(seed):
    rng = Random(seed)
    start = rng.uniform(200, 2000)
    hole = (start, start + rng.uniform(45, 400))
    honest, crowd = rng.randint(6, 16), rng.randint(1, 6)
    people = [
        watches(f"lin{n:02}", phase=rng.uniform(0.5, 9), jitter=Random(rng.random()))
        for n in range(honest)
    ]
    cheats = [watches(f"wu{n}", [hole], phase=rng.uniform(0.5, 9)) for n in range(crowd)]
    result = judged(*people, *cheats)
    assert cases(result) == []
    assert {it.session for it in accused(result)} == {*range(honest, honest + crowd)}


def test_a_case_is_nothing_by_itself_that_one_detector_says_of_a_class_that_skips_nothing():
    people = [watches(f"lin{n}", phase=1.0 + n, jitter=Random(n)) for n in range(6)]
    assert found(RULE, *people, lessons=CATALOGUE) == []
    assert assess(trace(*people, lessons=CATALOGUE), only("fast_forward")).findings == []
