"""Cheating with the camera: nobody there, somebody else, or an old picture."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from app.simulation.behaviour import (
    absent,
    at_face_checks,
    at_start,
    facing,
    film_of,
    first_frames,
    fixed,
    once_at_random,
    showing,
)
from app.simulation.casebook import NOT_PROVEN, Expected, case, pending, whole_lesson
from app.simulation.entities import Photo, Shot
from app.simulation.environment import SimulatedEnvironment
from app.simulation.sitting import Habits, Passage

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
    pending("photo_reuse", tolerated=("face_liveness",)),
    lesson=2,
)
def photo_same_bytes(env: SimulatedEnvironment) -> Passage:
    picture = Photo(env.learner.identity, env.rng.randrange(1 << 31))
    good = facing(env.learner)
    last_week = env.sitting(
        lesson=env.setting.lesson - 1,
        camera=once_at_random(fixed(picture), good),
        judged=False,
    )
    yield from whole_lesson(last_week)
    today = env.sitting(at_s=WEEK_S, camera=at_start(good, fixed(picture)))
    yield from whole_lesson(today)


@case(
    "F27 photo_near_duplicate",
    "旧照片加噪后再用",
    "an old photo saved again with noise",
    pending(
        "photo_reuse",
        or_outcomes=("valid",),
        tolerated=("face_liveness",),
        needs_pixels=True,
    ),
    lesson=2,
)
def photo_near_duplicate(env: SimulatedEnvironment) -> Passage:
    picture = Photo(env.learner.identity, env.rng.randrange(1 << 31))
    good = facing(env.learner)
    last_week = env.sitting(
        lesson=env.setting.lesson - 1,
        camera=once_at_random(fixed(picture), good),
        judged=False,
    )
    yield from whole_lesson(last_week)

    def noised(_rng: Random, shot: Shot) -> Photo:
        return replace(picture, condition="noised", resaved=100 * shot.number + shot.frame)

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


# -- at the face check: the random photos are good

NOT_LIVE = Expected(NOT_PROVEN, (0, 2700.25), {"face_liveness": NOT_PROVEN})


@case(
    "F39 still_at_face_checks",
    "人脸比对时用静止照片",
    "one still for every frame of a face check",
    pending("face_liveness"),
)
def still_at_face_checks(env: SimulatedEnvironment) -> Passage:
    still = Photo(env.learner.identity, env.rng.randrange(1, 1 << 31))

    def resaved(_rng: Random, shot: Shot) -> Photo:
        return replace(still, condition="noised", resaved=100 * shot.number + shot.frame)

    yield from whole_lesson(env.sitting(camera=at_face_checks(resaved, facing(env.learner))))


@case(
    "F40 enrolled_photo_at_face_checks",
    "人脸比对时举登记照片",
    "the enrolment photo, saved again, at every face check",
    pending("face_liveness", tolerated=("photo_reuse",)),
)
def enrolled_photo_at_face_checks(env: SimulatedEnvironment) -> Passage:
    enrolled = Photo(env.learner.identity, 0)

    def resaved(_rng: Random, shot: Shot) -> Photo:
        return replace(enrolled, condition="noised", resaved=100 * shot.number + shot.frame)

    yield from whole_lesson(env.sitting(camera=at_face_checks(resaved, facing(env.learner))))


@case(
    "F41 film_of_another_check",
    "播放另一次核验的录像",
    "a film of another face check, with another step at another place",
    NOT_LIVE,
)
def film_of_another_check(env: SimulatedEnvironment) -> Passage:
    # Two steps and one turn: what no check asks for, so that it never fits by chance.
    film = film_of(env.learner.identity, ("nearer", "turn_left", "nearer"))
    yield from whole_lesson(env.sitting(camera=at_face_checks(film, facing(env.learner))))


@case(
    "F42 burst_at_once",
    "一秒内传完全部帧",
    "a film of the asked actions, sent within a second",
    NOT_LIVE,
)
def burst_at_once(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(habits=Habits(burst_gap_s=0.04)))


@case(
    "F43 burst_broken_off",
    "只交开头几帧",
    "the first frames of a face check and no more",
    NOT_LIVE,
)
def burst_broken_off(env: SimulatedEnvironment) -> Passage:
    me = facing(env.learner)
    yield from whole_lesson(env.sitting(camera=at_face_checks(first_frames(me, 4), me)))
