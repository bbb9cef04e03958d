"""A film that lacks a stretch of its player's timeline: content is counted along what there is."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from detectors.assess import assess
from detectors.class_hours import as_reported
from detectors.film import Film, along_film, corrected, of_lesson, on_timeline
from detectors.trace import HOLE, Trace
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, only, trace

LENGTH = 2700.0
CATALOGUE = [LENGTH, LENGTH]


def film(*holes: tuple[float, float], ends: float = LENGTH) -> Film:
    return Film(round(ends * 1000), tuple((round(a * 1000), round(b * 1000)) for a, b in holes))


def recorded(told: Trace, it: Film, lesson: int = 0, klass: int = 0) -> Trace:
    return corrected(told, {(klass, lesson): it})[0]


def skipping(
    who: str, *holes: tuple[float, float], offset: float = 0.0, at: float = 0.0
) -> Sitting:
    """Somebody whose player jumps over these stretches by itself, with a heartbeat every 10 s."""
    sitting = Sitting(who, at=at).play()
    if offset:
        sitting.watch(offset)
    left = [*holes]
    while sitting.pos < LENGTH:
        step = min(10.0, LENGTH - sitting.pos)
        if left and sitting.pos + step > left[0][0]:
            start, end = left.pop(0)
            step = min(10.0, start - sitting.pos + LENGTH - end)
            sitting.pos += end - start
        sitting.watch(step, beat=step)
    return sitting.ended(LENGTH)


def places(count: int, seed: int) -> list[tuple[float, float]]:
    """Stretches at random, apart from each other."""
    rng = Random(seed)
    cuts = sorted(rng.sample(range(60, 2640, 20), 2 * count))
    return [(cuts[n] + rng.random(), cuts[n + 1] + rng.random()) for n in range(0, 2 * count, 2)]


@pytest.mark.parametrize("seed", range(8))
def test_places_on_the_timeline_and_along_the_film_name_the_same_frame(seed: int) -> None:
    holes = places(1 + seed % 4, seed)
    told = recorded(trace(Sitting().play().watch(60), lessons=CATALOGUE), film(*holes))
    lesson = int(told.sessions["lesson"][0])
    of = np.full(5000, lesson, np.int64)
    content = np.sort(
        np.random.default_rng(seed).integers(0, told.lessons["media_ms"][lesson], 5000)
    )
    for ends in (False, True):
        there = on_timeline(told, of, content, ends=ends)
        assert (along_film(told, of, there) == content).all()
        inside = [(there > a * 1000) & (there < b * 1000) for a, b in holes]
        assert not np.any(inside)
    assert of_lesson(told, lesson) == film(*holes)


@pytest.mark.parametrize("seed", range(12))
def test_whoever_plays_all_that_a_film_holds_has_all_of_it_and_nothing_was_skipped(seed):
    holes = places(1 + seed % 5, seed)
    skip = skipping("lin", *holes, offset=Random(seed).random() * 9)
    told = recorded(trace(skip, lessons=CATALOGUE), film(*holes))
    judged = assess(told, only("fast_forward"))
    assert judged.findings == []
    (hour,) = judged.hours
    assert hour.length_ms == film(*holes).content_ms
    assert hour.coverage >= 0.999


def test_a_jump_over_more_than_the_film_lacks_stays_a_jump():
    wu = skipping("wu", (1200, 1500))
    told = recorded(trace(wu, lessons=CATALOGUE), film((1200, 1320)))
    (jump,) = assess(told, only("fast_forward")).findings
    assert jump.reason == "jump" and 170 <= jump.measured <= 195


def test_what_was_credited_is_told_as_the_player_counts_and_without_the_hole():
    told = recorded(trace(skipping("lin", (1200, 1320)), lessons=CATALOGUE), film((1200, 1320)))
    parts = as_reported(told, assess(told, only("fast_forward")).credited)
    order = np.argsort(parts.p0_ms)
    spans = np.stack([parts.p0_ms[order], parts.p1_ms[order]], axis=1)
    assert int((spans[:, 1] - spans[:, 0]).sum()) == 2_580_000
    assert not np.any((spans[:, 0] < 1_320_000) & (spans[:, 1] > 1_200_000))
    assert spans[-1, 1] == 2_700_000


def test_whoever_played_the_stretch_before_it_was_cut_loses_nothing():
    lin = Sitting("lin").play().watch(LENGTH).ended(LENGTH)
    told = recorded(trace(lin, lessons=CATALOGUE), film((1200, 1320)))
    judged = assess(told, only("fast_forward"))
    assert judged.findings == [] and judged.hours[0].coverage == 1.0


def test_only_the_class_that_recorded_it_is_judged_by_it():
    sittings = [replace(skipping(f"lin{n}", (1200, 1320)), klass=n) for n in range(2)]
    told = recorded(trace(*sittings, lessons=CATALOGUE), film((1200, 1320)), klass=1)
    hours = assess(told, GRADED).hours
    assert sorted({hour.length_ms for hour in hours}) == [2_580_000, 2_700_000]


def test_a_sitting_goes_on_behind_the_hole():
    before = Sitting("lin").play().watch(1200)
    after = Sitting("lin", at=5000, resume=1320, pos=1320).play().watch(1380).ended(LENGTH)
    told = recorded(trace(before, after, lessons=CATALOGUE), film((1200, 1320)))
    judged = assess(told, only("fast_forward"))
    assert judged.findings == [] and judged.hours[0].coverage == 1.0


def test_two_corrections_of_one_film_come_to_the_later_one():
    told = trace(skipping("lin", (1200, 1320)), lessons=CATALOGUE)
    first = recorded(told, film((1200, 1300)))
    row = int(first.sessions["lesson"][0])
    again = recorded(first, film((1200, 1320)), lesson=row)
    assert of_lesson(again, int(again.sessions["lesson"][0])) == film((1200, 1320))
    assert np.isin(again.holes.dtype.names, HOLE.names).all()
    assert assess(again, only("fast_forward")).hours[0].coverage == 1.0
