"""What somebody holds before the camera over a class-hour: attacks, and the person.

Each is told what the service asks, and gives frames; `benchmarks/hostile.py` sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from app.simulation.page import Habits
from app.vision.image import Rgb
from benchmarks import acted
from benchmarks.acted import Still


@dataclass(frozen=True, slots=True)
class Model:
    """Somebody whose photographs are at hand; `spoof`: pictures taken of a screen or print."""

    name: str
    enrolled: Sequence[Still]
    others: Sequence[Still]
    spoof: Sequence[Still]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the service asks of the camera: the n-th request of the sitting, from 0, and of face
    checks, or of random photos, alone the `turn`-th."""

    n: int
    turn: int
    check: bool
    actions: Sequence[str]
    frames: int


Picture = Rgb | bytes
Show = Callable[[Model, Asked, np.random.Generator], Iterator[Picture]]
"""What is held before the camera, frame by frame; bytes are sent as they are. Fewer than asked: no
more is sent."""


@dataclass(frozen=True, slots=True)
class Play:
    """One way to pass a class-hour. `needs`: photographs beside the enrolled ones, or `spoof`."""

    id: str
    what: str
    show: Show
    honest: bool = False
    needs: int = 1
    spoof: bool = False
    habits: Habits = field(default_factory=Habits)


def jpeg(picture: Rgb, quality: int = 85) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode(".jpg", picture[..., ::-1], options)[1].tobytes()


def _noised(picture: Rgb, rng: np.random.Generator, strength: float = 3.0) -> Rgb:
    light = picture * (1 + rng.normal(0, 0.01)) + rng.normal(0, strength, picture.shape)
    return np.clip(light, 0, 255).astype(np.uint8)


def _moved(picture: Rgb, rng: np.random.Generator, share: float = 1.0) -> Rgb:
    """Shifted, turned and scaled by a hair."""
    height, width = picture.shape[:2]
    angle, scale = rng.normal(0, 1.0 * share), 1 + rng.normal(0, 0.01 * share)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    right, down = rng.normal(0, 2.0 * share, 2)
    matrix = matrix + np.array([[0, 0, right], [0, 0, down]])
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _screen(picture: Rgb, rng: np.random.Generator) -> Rgb:
    """A picture of a telephone's display that shows it, held in a hand."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (round(width * 0.85), round(height * 0.85)))
    shown = small.astype(np.float64) * (0.9, 0.97, 1.06)
    shown[::3] *= 0.88
    shown[:, ::4] *= 0.93
    screen = np.full((height, width, 3), 14.0)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    screen[top : top + small.shape[0], left : left + small.shape[1]] = shown
    return _noised(_moved(np.clip(screen, 0, 255).astype(np.uint8), rng), rng)


def other_room(still: Still, rng: np.random.Generator) -> Rgb:
    """The head before another room."""
    left, right = still.points[36:42].mean(axis=0), still.points[42:48].mean(axis=0)
    unit, middle = float(np.linalg.norm(right - left)), (left + right) / 2
    y, x = np.mgrid[: acted.SIZE[1], : acted.SIZE[0]]
    rim = np.hypot((x - middle[0]) / (1.5 * unit), (y - middle[1] - 0.3 * unit) / (2.0 * unit))
    room = np.clip((rim - 1.0) / 0.1, 0, 1)[..., None]
    coarse = rng.uniform(30, 225, (*rng.integers(2, 9, 2), 3)).astype(np.float32)
    other = cv2.resize(coarse, acted.SIZE, interpolation=cv2.INTER_CUBIC)
    return np.clip(still.picture * (1 - room) + other * room, 0, 255).astype(np.uint8)


def _re_encoded(model: Model, asked: Asked, _rng: np.random.Generator) -> Iterator[bytes]:
    still = model.enrolled[0].picture
    for frame in range(asked.frames):
        yield jpeg(still, 55 + (7 * asked.n + frame) % 40)


def _another(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    for _ in range(asked.frames):
        yield _noised(model.others[0].picture, rng)


def _by_a_hair(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    for _ in range(asked.frames):
        yield _noised(_moved(model.others[0].picture, rng), rng)


def _wobbling(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    for _ in range(asked.frames):
        yield _noised(_moved(model.others[0].picture, rng, 5.0), rng)


def _different(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    """A different photograph of the right person in every frame."""
    for frame in range(asked.frames):
        yield _noised(model.others[(asked.n + frame) % len(model.others)].picture, rng)


def _one_png(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Picture]:
    picture = _noised(model.others[0].picture, rng)
    if asked.check:
        yield cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
    else:
        yield from (_noised(picture, rng) for _ in range(asked.frames))


def _then_random(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    """A frozen feed at face checks; at random times the same still, turned by a hair."""
    still = model.others[0].picture
    for _ in range(asked.frames):
        yield _noised(still if asked.check else _moved(still, rng), rng)


def _frozen_then_live(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    """A frozen feed at face checks; at random times the living person."""
    if asked.check:
        yield from _another(model, asked, rng)
    else:
        yield from _head(model, asked, rng)


def _on_screen(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    for _ in range(asked.frames):
        yield _screen(model.others[0].picture, rng)


def _real_replay(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    still = model.spoof[asked.n % len(model.spoof)].picture
    for _ in range(asked.frames):
        yield _noised(_moved(still, rng), rng)


def _other_room(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    """The enrolled photograph before another room each time."""
    picture = other_room(model.enrolled[0], rng)
    for _ in range(asked.frames):
        yield _noised(_moved(picture, rng), rng)


def _few(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    """The first frames of a head that does as asked, and no more."""
    shown = _head(model, asked, rng)
    for _ in range(6 if asked.check else asked.frames):
        yield next(shown)


def _flat(kind: str) -> Show:
    def show(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
        if not asked.check:
            yield from _by_a_hair(model, asked, rng)
            return
        course = acted.steps(asked.actions, rng)
        yield from acted.flat(model.others[0], course, kind, rng)

    return show


def _head(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    """A head in space that does as asked, from another photograph each time as long as there are
    some; the three tries at one check are one moment and use one."""
    at = -(asked.turn // 3) if asked.check else 1 + asked.turn
    still = model.others[at % len(model.others)]
    course = [acted.Step(0, 0.0)] * asked.frames
    if asked.check:
        course = acted.steps(asked.actions, rng)
    yield from acted.head(still, course, rng)


def _head_of_enrolled(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    yield from _head(Model(model.name, (), model.enrolled[:1], ()), asked, rng)


def _stills_alone(model: Model, asked: Asked, rng: np.random.Generator) -> Iterator[Rgb]:
    """The living person who watches a face check and does nothing."""
    yield from _head(model, Asked(asked.n, asked.turn, False, (), asked.frames), rng)


AT_ONCE = Habits(photo_delay_s=(0.04, 0.041))

PLAYS: tuple[Play, ...] = (
    Play("A01", "the enrolled photo at another JPEG quality", _re_encoded, needs=0),
    Play("A02", "another still for everything", _another),
    Play("A03", "another still, shifted and turned by a hair", _by_a_hair),
    Play("A04", "another still that a fake camera wobbles", _wobbling),
    Play("A05", "a different still in every frame", _different, needs=2),
    Play("A06", "one PNG 40 ms after the check, a still at random", _one_png, habits=AT_ONCE),
    Play("A07", "a frozen feed, then a random photo of the same still", _then_random),
    Play("A08", "a frozen feed, then random photos of the person", _frozen_then_live, needs=3),
    Play("A09", "the still on a telephone, drawn", _on_screen),
    Play(
        "A10", "the person on a telephone or print, really taken", _real_replay, needs=0, spoof=True
    ),
    Play("A11", "the enrolled photo before another room", _other_room, needs=0),
    Play("A12", "fewer frames than asked, of a head that follows", _few, needs=3),
    Play("A13", "a still warped by 25 % that follows the prompts", _flat("pulled 25 %")),
    Play("A14", "a still warped by 40 % that follows the prompts", _flat("pulled 40 %")),
    Play("A15", "a tilted print that follows the prompts", _flat("tilted")),
    Play("A16", "a head rendered from the enrolled photo", _head_of_enrolled, needs=0),
    Play("H1", "the person, who does as asked", _head, honest=True, needs=3),
    Play("H2", "the person, who does nothing at face checks", _stills_alone, honest=True, needs=3),
)
