"""A class that studies at this moment, for the demo: its learners sit before the running service in
true time, each as one of the scenarios has it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from app.clock import DAY_MS
from app.simulation.entities import SimulatedLearner, invented_id_number
from app.simulation.environment import SHANGHAI, Setting, reference_photo
from app.simulation.live import enrol, play_live
from app.simulation.transport import Api, Problem

# Most study as they should; one lacks a camera, and in front of one sits somebody else.
PEOPLE = (
    ("H01", "严小满"),
    ("H04", "金立春"),
    ("H12", "魏白露"),
    ("H01", "陶夏至"),
    ("F22", "姜谷雨"),
    ("F28", "戚寒露"),
)
LESSONS = 9
PHOTOS = 5
APART_S = 4.0  # from one learner's beginning to the next
_FIRST = 7_000  # of their invented ID numbers


class OverForToday(Exception):
    """The service stops."""


def setting(now_ms: int) -> Setting:
    """A class of this month, so that every start of a day finds the same one."""
    first = datetime.fromtimestamp(now_ms / 1000, SHANGHAI).date().replace(day=1)
    name = f"today-{first:%Y%m}"
    return Setting(
        class_id=name,
        course_id=f"course-{name}",
        lessons=LESSONS,
        start_ms=now_ms,
        starts_on=first.isoformat(),
        ends_on=(first + timedelta(days=45)).isoformat(),
    )


def learners(where: Setting) -> list[SimulatedLearner]:
    from app.simulation.portraits.portrait import PORTRAIT_SEEDS  # loads OpenCV

    return [
        SimulatedLearner(
            f"{where.class_id}-{place + 1}",
            name,
            invented_id_number(_FIRST + place),
            identity=PORTRAIT_SEEDS[-1 - place],
        )
        for place, (_, name) in enumerate(PEOPLE)
    ]


def study(api: Api, now_ms: int, stopping: threading.Event) -> Sequence[threading.Thread]:
    """Enrol the class and have everybody begin; a thread a learner, until `stopping` or the end of
    the course. Raises `Problem` where the class is refused."""
    where = setting(now_ms)
    people = learners(where)
    enrol(api, where.catalogue(people), {})
    for learner in people:
        for number in range(PHOTOS):
            record, picture = reference_photo(learner, now_ms - DAY_MS, number)
            with suppress(Problem):  # a later start of the demo finds it there
                enrol(api, [record], picture)
    threads = []
    for place, (learner, (scenario, _)) in enumerate(zip(people, PEOPLE, strict=True)):
        arguments = (api, where, learner, scenario, place * APART_S, stopping)
        thread = threading.Thread(target=_attend, args=arguments, name=f"demo-{place}", daemon=True)
        thread.start()
        threads.append(thread)
    return threads


def _attend(
    api: Api,
    where: Setting,
    learner: SimulatedLearner,
    scenario: str,
    late_s: float,
    stopping: threading.Event,
) -> None:
    due = time.monotonic()

    def advance(seconds: float) -> None:
        """Until that much later than the last time: what requests take is made up for."""
        nonlocal due
        due += seconds
        if stopping.wait(max(0.0, due - time.monotonic())):
            raise OverForToday

    rng = Random(f"{learner.learner_id}/{where.start_ms}")
    try:
        advance(late_s)
        for lesson in range(1, LESSONS + 1):
            play_live(
                scenario,
                Api(api.client, api.key),
                seed=rng.randrange(1 << 30),
                setting=_at(where, learner, lesson, rng),
                advance=advance,
                with_catalogue=False,
            )
    except OverForToday:
        return


def _at(where: Setting, learner: SimulatedLearner, lesson: int, rng: Random) -> Setting:
    label = f"{learner.learner_id}-{rng.randrange(1 << 30):x}"
    return replace(where, learner=learner, lesson=lesson, label=label)
