"""Cheating with the camera: nobody there, somebody else, or an old picture."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from app.simulation.behaviour import absent, at_start, facing, fixed, showing
from app.simulation.casebook import NOT_PROVEN, Expected, case, pending, whole_lesson
from app.simulation.entities import Photo, Shot
from app.simulation.environment import SimulatedEnvironment
from app.simulation.sitting import Passage

WEEK_S = 7 * 86_400.0
STRANGER = 7832  # the first of the artificial portraits, which is far from all others


@case(
    "F22 no_camera",
    "始终没有影像",
    "no photo ever arrives",
    Expected(
        NOT_PROVEN, (0, 2700.25), {"face_liveness": NOT_PROVEN, "photo_retention": NOT_PROVEN}
    ),
)
def no_camera(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(camera=absent))


@case(
    "F23 starts_then_leaves",
    "开课拍照后离开",
    "a good start photo, then an empty chair",
    pending("photo_retention", tolerated=("face_liveness",), or_outcomes=("invalid", NOT_PROVEN)),
)
def starts_then_leaves(env: SimulatedEnvironment) -> Passage:
    me = facing(env.learner)
    empty = facing(env.learner, "empty")
    yield from whole_lesson(env.sitting(camera=at_start(me, empty)))


@case(
    "F25 swapped_mid_lesson",
    "中途换人",
    "somebody else sits there at the random photos",
    pending("face_liveness"),
)
def swapped_mid_lesson(env: SimulatedEnvironment) -> Passage:
    camera = at_start(facing(env.learner), showing(STRANGER))
    yield from whole_lesson(env.sitting(camera=camera))


@case(
    "F26 photo_same_bytes",
    "使用上周的照片",
    "the bytes of last week's photo",
    pending("photo_reuse"),
    lesson=2,
)
def photo_same_bytes(env: SimulatedEnvironment) -> Passage:
    picture = Photo(env.learner.identity, env.rng.randrange(1 << 31))
    good = facing(env.learner)
    last_week = env.sitting(
        lesson=env.setting.lesson - 1,
        camera=lambda rng, shot: picture if shot.number == 2 else good(rng, shot),
        judged=False,
    )
    yield from whole_lesson(last_week)
    today = env.sitting(at_s=WEEK_S, camera=at_start(good, fixed(picture)))
    yield from whole_lesson(today)


@case(
    "F27 photo_near_duplicate",
    "旧照片加噪后再用",
    "an old photo saved again with noise",
    pending("photo_reuse", or_outcomes=("valid",), needs_pixels=True),
    lesson=2,
)
def photo_near_duplicate(env: SimulatedEnvironment) -> Passage:
    picture = Photo(env.learner.identity, env.rng.randrange(1 << 31))
    good = facing(env.learner)
    last_week = env.sitting(
        lesson=env.setting.lesson - 1,
        camera=lambda rng, shot: picture if shot.number == 2 else good(rng, shot),
        judged=False,
    )
    yield from whole_lesson(last_week)

    def noised(_rng: Random, shot: Shot) -> Photo:
        return replace(picture, condition="noised", resaved=shot.number)

    yield from whole_lesson(env.sitting(at_s=WEEK_S, camera=at_start(good, noised)))


@case(
    "F28 photo_other_person",
    "由他人代学",
    "another person in every photo",
    pending("face_liveness"),
)
def photo_other_person(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(camera=showing(STRANGER)))


@case(
    "F29 photo_spoof",
    "翻拍屏幕上的照片",
    "photos of a screen that shows the learner",
    pending("face_liveness", or_outcomes=("valid", NOT_PROVEN)),
)
def photo_spoof(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(camera=facing(env.learner, "replayed")))


@case(
    "F32 photo_of_classmate",
    "两人交同一张照片",
    "two accounts hand in the same bytes",
    pending("photo_reuse", tolerated=("face_liveness",)),
)
def photo_of_classmate(env: SimulatedEnvironment) -> Passage:
    picture = Photo(env.learner.identity, env.rng.randrange(1 << 31))
    me = facing(env.learner)
    classmate = env.companion(1)
    other = env.sitting(learner=classmate, camera=at_start(facing(classmate), fixed(picture)))
    env.alongside(whole_lesson(other))
    yield from whole_lesson(env.sitting(at_s=5.0, camera=at_start(me, fixed(picture))))
