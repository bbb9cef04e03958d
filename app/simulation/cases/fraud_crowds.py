"""Cheating for many at once, and making good afterwards what was not there in time."""

from __future__ import annotations

from app.simulation.behaviour import absent
from app.simulation.casebook import (
    INVALID,
    NOT_PROVEN,
    PENDING,
    REVIEW,
    Expected,
    case,
    violation,
    whole_lesson,
)
from app.simulation.cases.honest_crowds import over_the_hole
from app.simulation.entities import Photo, SimulatedPerson
from app.simulation.environment import SimulatedEnvironment
from app.simulation.sitting import Device, Passage

ACCOUNTS = 8
LATE_S = 540.0


@case(
    "F36 one_bot_many_accounts",
    "一台机器同时代学八人",
    "one machine studies for eight accounts at once, each with answers and photos of its own",
    Expected(
        PENDING, (2646.0, 2700.25), {"shared_device": REVIEW}, tolerated=frozenset({"collusion"})
    ),
)
def one_bot_many_accounts(env: SimulatedEnvironment) -> Passage:
    farm = Device("farm-0")
    for n in range(1, ACCOUNTS):
        at_s = 3.0 * n
        sitting = env.sitting(learner=env.companion(n), device=farm, at_s=at_s)
        env.alongside(whole_lesson(sitting), at_s)
    yield from whole_lesson(env.sitting(device=farm, person=SimulatedPerson()))


@case(
    "F37 photos_after_the_fact",
    "事后补交照片",
    "no camera while it played, photos handed in nine minutes after the end",
    Expected(
        NOT_PROVEN,
        (0.0, 2700.25),
        {"face_liveness": NOT_PROVEN, "photo_retention": NOT_PROVEN},
        (INVALID, PENDING),
    ),
)
def photos_after_the_fact(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting(camera=absent)
    yield from whole_lesson(sitting)
    yield sitting.t + LATE_S
    sitting.t += LATE_S
    for n, challenge in enumerate(sitting.photos_asked):
        snapshot = {
            "snapshot_id": f"{sitting.session_id}-late-{n}",
            "purpose": "random",
            "challenge_id": challenge,
            "frame": 0,
            "taken_at_ms": sitting.clock.date_ms(sitting.t),
        }
        photo = Photo(env.learner.identity, n + 1)
        sitting.service.photo(sitting, snapshot, photo)


@case(
    "F38 three_skip_the_same",
    "三人约好跳过同一段，五人都看过",
    "three agree to skip the same dull stretch, which five others played",
    violation("fast_forward", credited_s=(2350, 2450)),
)
def three_skip_the_same(env: SimulatedEnvironment) -> Passage:
    dull = env.share(1500), env.share(1800)
    for n in range(1, 8):
        at_s = env.rng.uniform(0, 600)
        sitting = env.sitting(learner=env.companion(n), at_s=at_s, judged=n < 3)
        does = over_the_hole(sitting, *dull, declared=False) if n < 3 else whole_lesson(sitting)
        env.alongside(does, at_s)
    yield from over_the_hole(env.sitting(), *dull, declared=False)
