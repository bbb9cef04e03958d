"""Clearly artificial portraits: photographs of nobody, for the demo county and for tests.

Every picture is drawn (no photograph, no generative model) and carries a caption that says so.
They are made so that the default backends treat them like faces; they say nothing about accuracy
on people. See docs/model-cards/artificial-portraits.md.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.simulation.portraits import portrait_face
from app.simulation.portraits.portrait_face import (
    CALM,
    CENTRE,
    HEIGHT,
    UNIT,
    WIDTH,
    Expression,
    Pixels,
)
from app.simulation.portraits.portrait_traits import traits

CAPTION = "ARTIFICIAL IMAGE - not a person"

# People found by searching 13,000 seeds: detected, able to turn their heads far enough for a
# challenge, and far from one another (docs/model-cards/artificial-portraits.md). The most reliable
# and furthest apart come first: the first 16 are all more than 0.6 from one another.
# fmt: off
PORTRAIT_SEEDS: tuple[int, ...] = (
    6761, 7699, 7832, 9923, 8573, 4973, 3739, 3218, 11852, 6871, 10107, 9746, 1922, 12490, 4079,
    8490, 8292, 8276, 7072, 9480, 12857, 12919, 812, 2584, 2066, 750, 155, 6382, 9413, 7741, 1,
    3939, 2090, 7105, 9967, 5649, 6629, 2341, 10979, 193, 11643, 7848, 4839, 3014, 9788, 8846,
    3609, 10994, 10490, 9675, 8115, 2729, 10921, 861, 4467, 12053, 9907, 12614, 12524, 10911,
    1964, 4164, 11018, 1463, 638, 9050, 11434, 4903, 12732, 2216, 2422,
)
# fmt: on

_YAW_AT_FULL_POSE = 0.62  # radians
_SKIN, _SHIFT = 0.12, 0.01  # how far apart skin moves for itself, and how far it moves, in units
_EXPRESSION = 1_000_033
_ROOM = 1_000_003  # keeps a room's random numbers apart from those of the snapshots
_FACE_SCALE = 1.25 / 480  # canvas pixels to picture pixels, per pixel of picture height


def portrait(
    seed: int,
    *,
    pose: float = 0.0,
    light: float = 1.0,
    noise_seed: int = 0,
    size: tuple[int, int] = (640, 480),
    mouth_open: float = 0.0,
    eyes_open: float = 1.0,
    camera: tuple[float, float] = (0.0, 0.0),
) -> bytes:
    """One snapshot of the artificial person ``seed`` as JPEG bytes.

    ``pose`` turns the head, from -1 (about 36 degrees towards the left edge of the picture) to 1;
    ``light`` multiplies the brightness; ``noise_seed`` varies sensor noise, position, tilt, the
    light, the skin, what the face does and where it looks, as between two snapshots (0 is a calm
    face);
    ``mouth_open`` and ``eyes_open`` run from 0 to 1; ``camera`` moves the room behind the person,
    in shares of ``size``, as when a phone is held otherwise than before; ``size`` is (width,
    height) in pixels. The same arguments give the same bytes.
    """
    picture = portrait_pixels(
        seed,
        pose=pose,
        light=light,
        noise_seed=noise_seed,
        size=size,
        mouth_open=mouth_open,
        eyes_open=eyes_open,
        camera=camera,
    )
    encoded: NDArray[np.uint8] = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return encoded.tobytes()


def portrait_pixels(
    seed: int,
    *,
    pose: float,
    light: float,
    noise_seed: int,
    size: tuple[int, int],
    mouth_open: float,
    eyes_open: float,
    camera: tuple[float, float] = (0.0, 0.0),
) -> Pixels:
    """The picture of `portrait` before encoding: uint8 (height, width, 3) BGR."""
    rng = np.random.default_rng([seed, noise_seed])
    person = traits(seed)
    moved = np.random.default_rng([seed, noise_seed, _EXPRESSION])
    expression = Expression.drawn(moved) if noise_seed else CALM
    canvas = _living(portrait_face.draw(person, mouth_open, eyes_open, expression), moved)
    yaw = pose * _YAW_AT_FULL_POSE + rng.uniform(-0.03, 0.03)
    sitter = _place(_turn(canvas, portrait_face.depth(person), yaw), size, rng)
    picture = _in_front_of(_room(seed, person.background, size, camera), sitter)
    return _caption(_expose(picture, light, rng))


def _turn(canvas: Pixels, depth: NDArray[np.float32], yaw: float) -> Pixels:
    """Rotate about the vertical axis: for each pixel find the surface point that lands on it."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    sin, cos = np.float32(np.sin(yaw)), np.float32(np.cos(yaw))
    seen = (x - np.float32(CENTRE[0])) / np.float32(UNIT)
    source: NDArray[np.float32] = x
    for _ in range(6):  # a damped fixed point; the nose may fold over its far side
        height = cv2.remap(depth, source, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        target = (seen - height * sin) / cos * np.float32(UNIT) + np.float32(CENTRE[0])
        source = np.asarray(np.float32(0.3) * source + np.float32(0.7) * target, np.float32)
    turned = cv2.remap(canvas, source, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def _living(canvas: Pixels, rng: np.random.Generator) -> Pixels:
    """Skin shifts a little everywhere, differently in every take: no turn or light undoes that."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    grid = (round(HEIGHT / UNIT / _SKIN), round(WIDTH / UNIT / _SKIN))
    for axis in (x, y):
        shifts = rng.normal(0, _SHIFT * UNIT, grid).astype(np.float32)
        axis += cv2.resize(shifts, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    shifted = cv2.remap(canvas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shifted, np.uint8)


def _place(canvas: Pixels, size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    width, height = size
    scale = height * _FACE_SCALE * rng.uniform(0.95, 1.05)
    matrix = cv2.getRotationMatrix2D(CENTRE.tolist(), np.degrees(rng.uniform(-0.05, 0.05)), scale)
    centre = np.array([width * rng.uniform(0.43, 0.57), height * rng.uniform(0.49, 0.57)])
    matrix[:, 2] += centre - CENTRE
    placed = cv2.warpAffine(canvas, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(placed, np.uint8)


def _room(
    seed: int, wall: NDArray[np.float64], size: tuple[int, int], camera: tuple[float, float]
) -> Pixels:
    """A wall with frames, shelves and a light switch: it stays while the person moves, as a real
    room does, so that two snapshots are two photographs. `camera` moves it as a whole."""
    rng = np.random.default_rng([seed, _ROOM])
    width, height = size
    room = np.empty((height, width, 3), np.uint8)
    room[:] = np.clip(wall, 0, 255)
    for _ in range(9):
        corner = rng.uniform(-0.1, 0.95, 2) + camera
        left, top = (int(value) for value in corner * [width, height])
        wide, high = (int(value) for value in height * rng.uniform(0.06, 0.44, 2))
        area = (left, top, wide, high)
        cv2.rectangle(room, area, (wall * rng.uniform(0.7, 1.1)).tolist(), -1)
        cv2.rectangle(room, area, (wall * rng.uniform(0.4, 1.1)).tolist(), max(1, height // 120))
    return room


def _in_front_of(room: Pixels, sitter: Pixels) -> Pixels:
    opaque = sitter[..., 3:].astype(np.float32) / 255
    return np.asarray(room + opaque * (sitter[..., :3].astype(np.float32) - room), np.uint8)


def _expose(picture: Pixels, light: float, rng: np.random.Generator) -> Pixels:
    width = picture.shape[1]
    sideways = 1 + rng.uniform(-0.12, 0.12) * np.linspace(-0.5, 0.5, width, dtype=np.float32)
    gain = (light * rng.uniform(0.94, 1.06) * sideways).astype(np.float32)
    noise = rng.integers(0, 13, picture.shape, dtype=np.uint8)
    bright = picture * gain[None, :, None] + noise - np.float32(6)
    return np.asarray(np.clip(bright, 0, 255), np.uint8)


def _caption(picture: Pixels) -> Pixels:
    """White letters on a black strip along the lower edge."""
    height = picture.shape[0]
    strip = max(1, round(height / 24))
    picture[height - strip :] = 0
    baseline = (round(strip / 3), height - round(strip / 3))
    font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    cv2.putText(picture, CAPTION, baseline, font, strip / 40, white, 1, cv2.LINE_AA)
    return picture
