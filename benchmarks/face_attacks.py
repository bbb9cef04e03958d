"""What is held before the camera at a face check, and what becomes of it.

Each answers one face check of the running service with drawn portraits: pictures, with the time in
milliseconds after the check was issued. `tests/jobs/test_face_attacks.py` sends them through the
API and holds the outcome to what stands here; `benchmarks.adversaries` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.simulation.portraits.portrait import portrait
from app.vision.backends import Backends
from app.vision.image import Rgb, decode
from benchmarks import acted
from benchmarks.acted import Still

FIRST_MS, EVERY_MS = 1_400, 420  # as this service's SDK takes them
ENROLLED = 0  # the variation of the portrait that is enrolled

Sent = tuple[int, bytes]
Answer = Callable[[int, Sequence[str], Backends], Iterator[Sent]]
"""(whose portrait, the actions asked for, models) → what is sent, and when."""


@dataclass(frozen=True, slots=True)
class FaceAttack:
    """One way to answer a face check, and what the burst is judged to be. `reasons`: some of them;
    `told`: why the learner is asked again, one of these; empty: it passed."""

    id: str
    zh: str
    en: str
    answer: Answer
    outcome: str
    reasons: tuple[str, ...]
    told: tuple[str, ...]


def _jpeg(picture: Rgb, quality: int = 85) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[
        1
    ].tobytes()


def _times(actions: Sequence[str]) -> list[int]:
    return [FIRST_MS + EVERY_MS * n for n in range(acted.burst_frames(len(actions)))]


_POSE = {"turn_left": 1.0, "turn_right": -1.0}
_SIZE = {"nearer": 1.4, "farther": 0.75}


def _head(
    person: int, actions: Sequence[str], _models: Backends, *, moves: bool = True
) -> Iterator[Sent]:
    """A head that does as asked, in seven frames an action; without `moves`, only the turns."""
    does = ["front", "front"]
    for action in actions:
        does += ["front", *[action] * 4, "front", "front"]
    for n, (at_ms, action) in enumerate(zip(_times(actions), does, strict=True)):
        picture = decode(portrait(person, pose=_POSE.get(action, 0.0), noise_seed=500 + n))
        yield at_ms, _jpeg(_zoomed(picture, _SIZE.get(action, 1.0) if moves else 1.0))


def _zoomed(picture: Rgb, scale: float) -> Rgb:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, scale)
    zoomed = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(zoomed, np.uint8)


def _turns_alone(person: int, actions: Sequence[str], models: Backends) -> Iterator[Sent]:
    return _head(person, actions, models, moves=False)


def _another_still(person: int, actions: Sequence[str], _models: Backends) -> Iterator[Sent]:
    still, rng = decode(portrait(person, noise_seed=700)), np.random.default_rng(1)
    for at_ms in _times(actions):
        noise = rng.normal(0, 3, still.shape)
        yield at_ms, _jpeg(np.clip(still + noise, 0, 255).astype(np.uint8))


def _enrolled(person: int, actions: Sequence[str], _models: Backends) -> Iterator[Sent]:
    still = decode(portrait(person, noise_seed=ENROLLED))
    for n, at_ms in enumerate(_times(actions)):
        yield at_ms, _jpeg(still, 60 + n)


def _at_once(person: int, _actions: Sequence[str], _models: Backends) -> Iterator[Sent]:
    picture = decode(portrait(person, noise_seed=701))
    yield 40, cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def _in_a_second(person: int, actions: Sequence[str], models: Backends) -> Iterator[Sent]:
    for n, (_, data) in enumerate(_head(person, actions, models)):
        yield 800 + 60 * n, data


def _wobbling(person: int, actions: Sequence[str], _models: Backends) -> Iterator[Sent]:
    still, rng = decode(portrait(person, noise_seed=702)), np.random.default_rng(2)
    height, width = still.shape[:2]
    for at_ms in _times(actions):
        right, down = rng.normal(0, 10, 2)
        matrix = cv2.getRotationMatrix2D(
            (width / 2, height / 2), rng.normal(0, 3), rng.uniform(0.94, 1.06)
        )
        matrix = matrix + np.array([[0, 0, right], [0, 0, down]])
        moved = cv2.warpAffine(still, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        yield at_ms, _jpeg(np.asarray(moved, np.uint8))


def _warped(person: int, actions: Sequence[str], models: Backends) -> Iterator[Sent]:
    picture = decode(portrait(person, noise_seed=703))
    (box, *_) = models.detector.detect(picture)
    still = Still("drawn", picture, models.landmarker.locate(picture, box))
    rng = np.random.default_rng(3)
    course = acted.steps(actions, rng)
    shown = acted.flat(still, course, "pulled 25 %", rng)
    for at_ms, frame in zip(_times(actions), shown, strict=True):
        yield at_ms, _jpeg(frame)


NOT_DONE = ("turn_not_seen", "move_not_seen")

FACE_ATTACKS: tuple[FaceAttack, ...] = (
    FaceAttack("P0", "本人按提示做动作", "the learner, who does as asked", _head, "live", (), ()),
    FaceAttack(
        "P1",
        "每次都用一张静止照片",
        "one still for every check",
        _another_still,
        "spoof",
        ("frozen_feed",),
        NOT_DONE,
    ),
    FaceAttack(
        "P2",
        "把注册照片重新编码后举在镜头前",
        "the enrolment photo, saved again",
        _enrolled,
        "spoof",
        ("known_picture",),
        NOT_DONE,
    ),
    FaceAttack(
        "P3",
        "40毫秒后只交一张PNG",
        "one PNG 40 ms after the check was issued",
        _at_once,
        "inconclusive",
        ("too_few_frames", "too_fast"),
        ("too_few_photos",),
    ),
    FaceAttack(
        "P4",
        "录像在一秒内传完",
        "a film of the turns, sent within a second",
        _in_a_second,
        "inconclusive",
        ("too_fast",),
        ("too_few_photos",),
    ),
    FaceAttack(
        "P5",
        "晃动的照片",
        "a still that a fake camera wobbles",
        _wobbling,
        "inconclusive",
        (),
        NOT_DONE,
    ),
    FaceAttack(
        "P6",
        "按提示变形25%的照片",
        "a still warped by 25 % as the prompts say",
        _warped,
        "not live",
        (),
        ("not_live", *NOT_DONE),
    ),
    FaceAttack(
        "P7",
        "转头都对、没有靠近或远离的录像",
        "a film of the right turns, without the step nearer or farther",
        _turns_alone,
        "inconclusive",
        ("move_not_seen",),
        ("move_not_seen",),
    ),
)
