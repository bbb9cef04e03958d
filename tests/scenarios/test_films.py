"""A class of honest people, with every oddity at once, and a film that lacks stretches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from app.simulation.honest import honest_scene
from detectors.assess import JudgedFacts, assess
from detectors.film import Film, corrected
from detectors.finding import Finding, Outcome
from detectors.trace import Trace
from tests.detectors.columns import GRADED
from tests.detectors.joining import together
from tests.scenarios.honest import trace_of

LENGTH_S = 2700.0


def one_class(traces: Sequence[Trace]) -> Trace:
    """These people in one class, at the lessons of one course."""
    joined = together(traces)
    lessons = len(traces[0].lessons)
    sessions = joined.sessions.copy()
    sessions["lesson"] %= lessons
    sessions["klass"] = sessions["klass"][0]
    pieces = joined.pieces[joined.pieces["klass"] == sessions["klass"][0]]
    return replace(joined, sessions=sessions, lessons=joined.lessons[:lessons], pieces=pieces)


def accused(result: JudgedFacts) -> list[Finding]:
    return [
        it
        for it in result.findings
        if it.rule in ("fast_forward", "lesson_order") and it.outcome is not Outcome.CLEAR
    ]


@pytest.mark.parametrize("seed", range(10))
def test_nobody_is_accused_of_what_the_film_lacks_before_and_after_it_is_recorded(seed):
    rng = Random(seed)
    cuts = sorted(rng.sample(range(100, 2500, 60), 2 * rng.randint(1, 2)))
    holes = tuple(
        (float(start), start + rng.uniform(12, min(end - start, 250)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=True)
    )
    scenes = [
        honest_scene(200_000 + seed * 50 + n, media_s=LENGTH_S, holes=holes)
        for n in range(rng.randint(5, 9))
    ]
    told = one_class([trace_of(scene) for scene in scenes])
    result = assess(told, GRADED)
    assert accused(result) == []
    (case,) = [it for it in result.findings if it.reason == "skipped"]
    assert len(case.stretches) == len(holes)
    film = Film(
        round(LENGTH_S * 1000),
        tuple((round(start * 1000), round(end * 1000)) for start, end in holes),
    )
    key = int(told.sessions["klass"][0]), 0
    again = assess(corrected(told, {key: film})[0], GRADED)
    assert accused(again) == []
    assert not [it for it in again.findings if it.reason == "skipped"]
    hours = [it for it in again.hours if it.length_ms == film.content_ms]
    assert max(it.played_ms for it in hours) >= 0.98 * film.content_ms
