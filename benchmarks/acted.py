"""Bursts made of one photograph: a head that turns in space, and flat pictures that pretend to.

Films of people who answer a challenge are not to be had, so both sides are made from the same
stills. A head has depth: its 68 landmarks stand at the distances of an average face, everything
between them on a smooth surface, and a camera with perspective looks at it while it turns. A flat
picture is moved, tilted, bent or pulled. Either then passes a camera: unsteady hands, light that
changes, noise, JPEG.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.vision.image import Rgb
from app.vision.landmarks import Points, eye_centres

Floats = NDArray[np.float64]
SIZE = (640, 480)


def burst_frames(actions: int) -> int:
    return 2 + 7 * actions


_COARSE = 2  # pixels between the points that are moved
EYES = 78.0  # pixels between the eyes of a person in front of a laptop, at `SIZE`
_CAMERA = 8.0  # distance of the camera, in eye distances: some 50 cm
_NEARER, _FARTHER = (1.8, 3.2), (1.8, 3.5)  # how far somebody moves who is asked to
_AXIS = -1.3  # the head turns about its neck, so far behind the eyes

# How far the landmarks stand before the plane of the eyes, in eye distances.
_HALF_JAW = [-0.72, -0.69, -0.67, -0.63, -0.56, -0.45, -0.27, -0.06]
_HALF_BROW = [-0.2, -0.1, 0.0, 0.1, 0.18]
_EYE = [-0.1, -0.04, -0.02, 0.0, -0.01, -0.03]
DEPTH = np.array(
    [*_HALF_JAW, 0.01, *_HALF_JAW[::-1], *_HALF_BROW, *_HALF_BROW[::-1]]
    + [0.2, 0.32, 0.44, 0.56, 0.3, 0.36, 0.39, 0.36, 0.3]
    + [_EYE[at] for at in (0, 1, 2, 3, 4, 5)]
    + [_EYE[at] for at in (3, 2, 1, 0, 5, 4)]
    + [0.05, 0.24, 0.34, 0.36, 0.34, 0.24, 0.05, 0.23, 0.34, 0.36, 0.34, 0.23]
    + [0.07, 0.32, 0.34, 0.32, 0.07, 0.31, 0.33, 0.31]
)
# Beside the landmarks: forehead, temples, ears, neck, as (right, down, before) in eye distances
# from the point between the eyes.
_FOREHEAD = [(0, -1.1, -0.05), (-0.7, -1.0, -0.35), (0.7, -1.0, -0.35), (0, -1.7, -0.6)]
_EARS = [(-1.25, 0.1, -1.3), (1.25, 0.1, -1.3), (-1.1, -0.9, -0.9), (1.1, -0.9, -0.9)]
_NECK = [(0, 2.6, -0.8), (-0.8, 2.4, -1.0), (0.8, 2.4, -1.0)]
_AROUND = np.array([*_FOREHEAD, *_EARS, *_NECK])


@dataclass(frozen=True, slots=True)
class Still:
    """A person's photograph at `SIZE`, uint8 RGB, and the 68 landmarks in it, (68, 2)."""

    name: str
    picture: Rgb
    points: Points


def alone(picture: Rgb, eyes: Floats) -> Rgb:
    """Without whoever else is in the photograph: the room about the head is blurred."""
    own = (_grid() - eyes) / EYES
    rim = np.hypot(own[:, 0] / 1.75, (own[:, 1] - 0.35) / 2.6).reshape(SIZE[::-1])
    room = np.clip((rim - 1.2) / 0.2, 0, 1)[..., None]
    blurred = cv2.GaussianBlur(picture, (0, 0), 30)
    return np.asarray(picture * (1 - room) + blurred * room, np.uint8)


@dataclass(frozen=True, slots=True)
class Step:
    """Where a burst is at one frame: of the way to the picture's left (-1) or right (1), and to
    farther from the camera (-1) or nearer (1)."""

    at_ms: int
    turn: float
    near: float = 0.0


_DOES = {"turn_left": (1, 0), "turn_right": (-1, 0), "nearer": (0, 1), "farther": (0, -1)}


def steps(actions: Sequence[str], rng: np.random.Generator) -> list[Step]:
    """The course of a burst that follows its prompts with a person's delay and pace."""
    times = np.linspace(0, 700 + 2_800 * len(actions), burst_frames(len(actions)))
    does = np.zeros((len(times), 2))
    for place, action in enumerate(actions):
        begins = 700 + 2_800 * place + rng.uniform(250, 600)
        goes, stays = rng.uniform(350, 700), rng.uniform(500, 1_000)
        inside = (times - begins) / goes
        back = 1 - (times - begins - goes - stays) / rng.uniform(350, 600)
        does += np.outer(np.clip(np.minimum(inside, back), 0, 1), _DOES[action])
    return [Step(int(at), *map(float, each)) for at, each in zip(times, does, strict=True)]


class Reach:
    """How far one person, or attacker, goes when asked to come nearer or to go farther away."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.nearer, self.farther = rng.uniform(*_NEARER), rng.uniform(*_FARTHER)

    def at(self, step: Step) -> float:
        """How much nearer the face is than at the start, in eye distances."""
        return step.near * (self.nearer if step.near > 0 else self.farther)


def head(still: Still, course: Sequence[Step], rng: np.random.Generator) -> Iterator[Rgb]:
    """A head in space that turns: what a living person's camera sees."""
    surface = _Surface(still)
    peaks = np.radians(rng.uniform(26, 42, 2))  # to the left, to the right
    nod, tilt = np.radians(rng.normal(0, 2.0, 2))
    sway = rng.normal(0, 0.02, (len(course), 3))
    reach = Reach(rng)
    for step, move in zip(course, np.cumsum(sway, axis=0) * 0.5, strict=True):
        yaw = step.turn * float(peaks[0] if step.turn < 0 else peaks[1])
        moved = move - np.array([0, 0, reach.at(step)])
        yield _camera(surface.turned(yaw, nod * abs(step.turn) + move[1] * 0.3, tilt, moved), rng)


Flat = Callable[[Floats, float, Floats], Floats]
"""(points in eye distances about the middle of the face, turn, three draws of this attacker)."""


def _held(points: Floats, _turn: float, _own: Floats) -> Floats:
    return points


def _affine(points: Floats, turn: float, own: Floats) -> Floats:
    narrow = 1 - (0.2 + 0.25 * own[0]) * abs(turn)
    shear = (own[1] - 0.5) * 0.3 * turn
    return np.stack([points[:, 0] * narrow + points[:, 1] * shear, points[:, 1]], axis=1)


def _tilted(points: Floats, turn: float, own: Floats) -> Floats:
    """A print or a screen turned about its upright axis."""
    angle = turn * np.radians(35 + 25 * own[0])
    far = points[:, 0] * np.sin(angle)
    seen = 1 + far / (4 + 4 * own[1])
    return np.stack([points[:, 0] * np.cos(angle), points[:, 1]], axis=1) / seen[:, None]


def _bent(points: Floats, turn: float, own: Floats) -> Floats:
    """A print rolled about an upright axis and turned."""
    radius = 1.6 + 1.5 * own[0]
    angle = np.clip(points[:, 0] / radius + turn * np.radians(20 + 25 * own[1]), -1.5, 1.5)
    near = radius * np.cos(angle) - radius
    seen = _CAMERA / (_CAMERA - near)
    return np.stack([radius * np.sin(angle), points[:, 1]], axis=1) * seen[:, None]


def _pulled(points: Floats, turn: float, own: Floats, share: float = 0.25) -> Floats:
    """The middle of the face drawn sideways by a share of its width while its rim stays."""
    inside = (points[:, 0] / 1.5) ** 2 + ((points[:, 1] - 0.5) / 2.0) ** 2
    move = share * 2.1 * turn * np.clip(1 - inside, 0, 1) ** (0.6 + 0.8 * own[0])
    return np.stack([points[:, 0] + move, points[:, 1]], axis=1)


def _panned(points: Floats, turn: float, own: Floats) -> Floats:
    return points + np.array([turn * (1.0 + own[0]), 0.2 * (own[1] - 0.5)])


def _pulled_and_tilted(points: Floats, turn: float, own: Floats) -> Floats:
    return _tilted(_pulled(points, turn, own), turn * 0.6, own)


def _pulled_far(points: Floats, turn: float, own: Floats) -> Floats:
    return _pulled(points, turn, own, 0.4)


FLAT: dict[str, Flat] = {
    "held": _held,
    "affine": _affine,
    "tilted": _tilted,
    "bent": _bent,
    "panned": _panned,
    "pulled 25 %": _pulled,
    "pulled 40 %": _pulled_far,
    "pulled and tilted": _pulled_and_tilted,
}


def flat(
    still: Still, course: Sequence[Step], kind: str, rng: np.random.Generator
) -> Iterator[Rgb]:
    """A flat picture of the person that follows the same prompts."""
    warp, own = FLAT[kind], rng.random(3)
    shake = np.cumsum(rng.normal(0, 0.02, (len(course), 2)), axis=0)
    middle, unit = _frame_of(still)
    reach = Reach(rng)
    for step, move in zip(course, shake, strict=True):
        grid = _grid(_COARSE)
        moved = warp((grid - middle) / unit, step.turn, own) + move
        moved *= _CAMERA / (_CAMERA - reach.at(step))
        yield _camera(_drawn(still.picture, grid, moved * unit + middle, -grid[:, 0] * 0), rng)


class _Surface:
    """The still with a depth for every pixel."""

    def __init__(self, still: Still) -> None:
        self.picture = still.picture
        self.middle, self.unit = _frame_of(still)
        own = (still.points - self.middle) / self.unit
        known = np.vstack([own, _AROUND[:, :2]])
        depth = np.concatenate([DEPTH, _AROUND[:, 2]])
        self.grid = _grid(_COARSE)
        place = (self.grid - self.middle) / self.unit
        coarse = _grid(8)
        values = _spline(known, depth, (coarse - self.middle) / self.unit)
        shape = (SIZE[1] // 8, SIZE[0] // 8)
        size = (SIZE[0] // _COARSE, SIZE[1] // _COARSE)
        smooth = cv2.resize(values.reshape(shape).astype(np.float32), size)
        self.depth = np.clip(smooth, -1.8, 0.7).ravel().astype(np.float64)
        rim = np.hypot(place[:, 0] / 1.75, (place[:, 1] - 0.35) / 2.6)
        self.body = np.clip((1.25 - rim) / 0.3, 0, 1)  # what turns with the head; the room stays
        self.place = place

    def turned(self, yaw: float, pitch: float, roll: float, move: Floats) -> Rgb:
        x, y, z = self.place[:, 0], self.place[:, 1], self.depth
        # As the camera saw it, the still is a perspective picture already: undo that first.
        deep = (_CAMERA - z) / _CAMERA
        x, y = x * deep, y * deep
        z = z - _AXIS
        x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
        x, y = x * np.cos(roll) - y * np.sin(roll), y * np.cos(roll) + x * np.sin(roll)
        z = z + _AXIS
        seen = _CAMERA / (_CAMERA - z + move[2])
        target = np.stack([(x + move[0]) * seen, (y + move[1]) * seen], axis=1)
        target = self.place + self.body[:, None] * (target - self.place)
        near = np.where(self.body > 0.5, z, -9.0)
        return _drawn(self.picture, self.grid, target * self.unit + self.middle, near)


def _frame_of(still: Still) -> tuple[Floats, float]:
    left, right = eye_centres(still.points)
    return (left + right) / 2, float(np.linalg.norm(right - left))


def _grid(every: int = 1) -> Floats:
    x, y = np.meshgrid(np.arange(0, SIZE[0], every), np.arange(0, SIZE[1], every))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)


def _spline(known: Floats, values: Floats, wanted: Floats, stiff: float = 0.02) -> Floats:
    """A thin plate through the known points."""

    def kernel(first: Floats, second: Floats) -> Floats:
        squared = ((first[:, None] - second[None]) ** 2).sum(axis=2)
        return np.asarray(squared * np.log(squared + 1e-12) / 2)

    n = len(known)
    plane = np.column_stack([np.ones(n), known])
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = kernel(known, known) + stiff * np.eye(n)
    system[:n, n:], system[n:, :n] = plane, plane.T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros(3)]))
    there = np.column_stack([np.ones(len(wanted)), wanted])
    return np.asarray(kernel(wanted, known) @ weights[:n] + there @ weights[n:])


def _drawn(picture: Rgb, source: Floats, target: Floats, near: Floats) -> Rgb:
    """Every point of `_grid(_COARSE)` at its new place, the nearest in front; holes are filled from
    around them."""
    width, height = SIZE[0] // _COARSE, SIZE[1] // _COARSE
    where = np.zeros((height, width, 2), np.float32)
    there = np.zeros((height, width), np.float32)
    order = np.argsort(near, kind="stable")
    source, target = source[order], target[order] / _COARSE
    for shift in (0.0, 0.5):
        at = np.floor(target + shift).astype(int)
        inside = (at[:, 0] >= 0) & (at[:, 0] < width) & (at[:, 1] >= 0) & (at[:, 1] < height)
        x, y = at[inside, 0], at[inside, 1]
        where[y, x] = source[inside]
        there[y, x] = 1
    for size in (3, 7, 21, 61):
        hole = there == 0
        if not hole.any():
            break
        known = cv2.boxFilter(there, -1, (size, size), normalize=False)
        mean = cv2.boxFilter(where * there[..., None], -1, (size, size), normalize=False)
        fill = hole & (known > 0.5)
        where[fill] = mean[fill] / known[fill][:, None]
        there[fill] = 1
    smooth = cv2.resize(cv2.GaussianBlur(where, (0, 0), 0.7), SIZE, interpolation=cv2.INTER_LINEAR)
    x, y = np.ascontiguousarray(smooth[..., 0]), np.ascontiguousarray(smooth[..., 1])
    return np.asarray(
        cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _camera(picture: Rgb, rng: np.random.Generator) -> Rgb:
    light = picture * (1 + rng.normal(0, 0.015)) + rng.normal(0, 2.5, picture.shape)
    ready = np.clip(light, 0, 255).astype(np.uint8)
    encoded = cv2.imencode(".jpg", ready[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
