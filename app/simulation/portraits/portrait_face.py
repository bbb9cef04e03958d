"""How an artificial person is painted; coordinates and colours as in portrait_traits."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.simulation.portraits.portrait_traits import Traits

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

UNIT = 100.0
WIDTH, HEIGHT = 360, 420
CENTRE = np.array([180.0, 210.0])

_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class Expression:
    """What a face does when it is photographed, as differences from the person's calm face, in
    units: mouth and brows, where the eyes look (right, down), and soft lights and shadows."""

    smile: float = 0.0
    mouth: float = 1.0
    brows: float = 0.0
    frown: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    lights: tuple[tuple[float, float, float, float], ...] = ()  # x, y, size, strength

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Expression:
        """One of the many that a person has."""
        places = rng.uniform((-0.9, -1.2, 0.04, -0.1), (0.9, 1.2, 0.12, 0.1), (8, 4))
        return cls(
            smile=rng.uniform(-0.045, 0.045),
            mouth=rng.uniform(0.94, 1.06),
            brows=rng.uniform(-0.03, 0.03),
            frown=rng.uniform(-0.05, 0.05),
            gaze=(rng.uniform(-0.11, 0.11), rng.uniform(-0.05, 0.05)),
            lights=tuple((float(x), float(y), float(s), float(g)) for x, y, s, g in places),
        )

    def of(self, person: Traits) -> Traits:
        """The person with this face."""
        return replace(
            person,
            mouth_curve=person.mouth_curve + self.smile,
            mouth_width=person.mouth_width * self.mouth,
            brow_height=person.brow_height + self.brows,
            brow_slope=person.brow_slope + self.frown,
        )


CALM = Expression()


def draw(
    person: Traits, mouth_open: float = 0.0, eyes_open: float = 1.0, expression: Expression = CALM
) -> Pixels:
    """The person seen from the front: uint8 (420, 360, 4), BGR and how opaque.

    ``mouth_open`` and ``eyes_open`` run from 0 (shut) to 1.
    """
    canvas, face = (it.copy() for it in _unmoved(person))
    outline = _outline(person)
    moved = expression.of(person)
    for x, y, size, strength in expression.lights:
        colour = np.array([255.0, 255.0, 255.0]) if strength > 0 else person.skin * 0.3
        face.shade((x, y), (size, size), colour, abs(strength))
    _draw_mouth(face, moved, mouth_open)
    for side in (-1, 1):
        _draw_eye(face, moved, side, eyes_open, expression.gaze)
        _draw_brow(face, moved, side)
    face.blur(0.8)
    canvas.paste(face, _mask(outline, softness=1.2))
    _draw_fringe(canvas, person, outline)
    _draw_glasses(canvas, person)
    return np.dstack([canvas.pixels, canvas.drawn_on()])


@functools.lru_cache(maxsize=32)
def _unmoved(person: Traits) -> tuple[_Canvas, _Canvas]:
    """What lies behind the face, and of the face what is the same in all of a person's pictures."""
    canvas = _Canvas(person.background)
    _draw_behind(canvas, person)
    face = _Canvas(person.skin)
    _draw_complexion(face, person)
    _draw_nose(face, person)
    _draw_beard(face, person)
    return canvas, face


@functools.lru_cache(maxsize=32)
def depth(person: Traits) -> NDArray[np.float32]:
    """How far each canvas pixel stands out towards the viewer, in units: float32 (420, 360)."""
    x, y = _GRID
    head = np.clip(1 - (x / (person.half_width * 1.15)) ** 2 - (y / 1.6) ** 2, 0, 1)
    ridge = np.clip((y + 0.25) / (person.nose_y + 0.25), 0, 1)
    below = np.clip(y - person.nose_y, 0, None)
    nose = 0.32 * ridge * np.exp(-((x / 0.16) ** 2) - (below / 0.1) ** 2)
    return np.asarray(np.sqrt(head) * person.depth + nose, np.float32)


_GRID = np.meshgrid(
    (np.arange(WIDTH, dtype=np.float32) - np.float32(CENTRE[0])) / np.float32(UNIT),
    (np.arange(HEIGHT, dtype=np.float32) - np.float32(CENTRE[1])) / np.float32(UNIT),
)


class _Canvas:
    def __init__(self, colour: Points) -> None:
        self.pixels: Pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        self.pixels[:] = np.clip(colour, 0, 255)

    def copy(self) -> _Canvas:
        other = _Canvas.__new__(_Canvas)
        other.pixels = self.pixels.copy()
        return other

    def drawn_on(self) -> Pixels:
        """255 where the canvas no longer has its first colour (that of its top left corner)."""
        changed = np.any(self.pixels != self.pixels[0, 0], axis=2).astype(np.uint8) * 255
        closed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        return np.asarray(closed, np.uint8)

    def polygon(self, points: Iterable[tuple[float, float]] | Points, colour: Points) -> None:
        cv2.fillPoly(self.pixels, _fixed_point(points), _bgr(colour), cv2.LINE_AA, _SUBPIXEL_BITS)

    def line(self, points: Points, colour: Points, width: float) -> None:
        thickness = max(1, round(width * UNIT))
        path = _fixed_point(points)
        cv2.polylines(
            self.pixels, path, False, _bgr(colour), thickness, cv2.LINE_AA, _SUBPIXEL_BITS
        )

    def ellipse(
        self, centre: tuple[float, float], axes: tuple[float, float], colour: Points, width: float
    ) -> None:
        """An outline ``width`` units thick, or filled when ``width`` is 0."""
        angle = np.linspace(0, 2 * np.pi, 49)
        path = np.stack([np.cos(angle), np.sin(angle)], axis=1) * axes + centre
        if width:
            self.line(path, colour, width)
        else:
            self.polygon(path, colour)

    def shade(
        self,
        centre: tuple[float, float],
        size: tuple[float, float],
        colour: Points,
        strength: float,
    ) -> None:
        """Blend a soft elliptic spot of ``colour``; ``strength`` above 1 widens its full part."""
        reach = 2.2 + max(0.0, strength - 1)
        low = (np.array(centre) - np.array(size) * reach) * UNIT + CENTRE
        high = (np.array(centre) + np.array(size) * reach) * UNIT + CENTRE
        x0, y0 = np.clip(low, 0, [WIDTH, HEIGHT]).astype(int)
        x1, y1 = np.clip(high + 1, 0, [WIDTH, HEIGHT]).astype(int)
        x = (np.arange(x0, x1) - CENTRE[0]) / UNIT - centre[0]
        y = (np.arange(y0, y1) - CENTRE[1]) / UNIT - centre[1]
        spot = np.outer(np.exp(-((y / size[1]) ** 2)), np.exp(-((x / size[0]) ** 2)))
        alpha = np.clip(strength * spot, 0, 1).astype(np.float32)[..., None]
        part = self.pixels[y0:y1, x0:x1]
        part[:] = part + alpha * (np.clip(colour, 0, 255).astype(np.float32) - part)

    def blur(self, sigma: float) -> None:
        self.pixels = np.asarray(cv2.GaussianBlur(self.pixels, (0, 0), sigma), np.uint8)

    def multiply(self, gain: NDArray[np.float32]) -> None:
        self.pixels = np.clip(self.pixels * gain, 0, 255).astype(np.uint8)

    def paste(self, other: _Canvas, mask: NDArray[np.float32]) -> None:
        x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
        part = np.s_[y : y + height, x : x + width]
        alpha, own = mask[part][..., None], self.pixels[part]
        own[:] = (alpha * other.pixels[part] + (1 - alpha) * own + 0.5).astype(np.uint8)


def _fixed_point(points: Iterable[tuple[float, float]] | Points) -> list[NDArray[np.int32]]:
    pixels = np.asarray(points, np.float64) * UNIT + CENTRE
    return [np.round(pixels * 2**_SUBPIXEL_BITS).astype(np.int32)]


def _bgr(colour: Points) -> tuple[float, float, float]:
    blue, green, red = (float(value) for value in np.clip(colour, 0, 255))
    return blue, green, red


def _mask(outline: Points, softness: float) -> NDArray[np.float32]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, _fixed_point(outline), 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), softness) / np.float32(255), np.float32)


def _outline(person: Traits) -> Points:
    """The closed edge of the face, (120, 2), starting at the top."""
    angle = np.linspace(0, 2 * np.pi, 120)
    x, y = np.sin(angle), -np.cos(angle)
    power = np.where(y < 0, 0.85, person.jaw_roundness)
    narrowing = 1 - (1 - person.jaw) * np.clip(y, 0, 1) ** 2
    width = person.half_width * np.sign(x) * np.abs(x) ** power * narrowing
    return np.stack([width, np.where(y < 0, y * person.forehead, y * person.chin)], axis=1)


def _draw_behind(canvas: _Canvas, person: Traits) -> None:
    """Neck, clothes, ears and the hair that falls behind the face."""
    canvas.polygon([(-0.5, 0.8), (0.5, 0.8), (0.55, 2.2), (-0.55, 2.2)], person.skin * 0.72)
    collar = [(-0.5, 1.45), (0, 1.62), (0.5, 1.45)]
    canvas.polygon([(-1.9, 2.2), (-1.7, 1.72), *collar, (1.7, 1.72), (1.9, 2.2)], person.clothes)
    if person.haircut in (0, 4):
        canvas.polygon(_outline(person) * [1.2, 1.1] - [0, 0.08], person.hair)
    elif person.haircut in (1, 2):
        length = 1.5 if person.haircut == 1 else 0.5
        canvas.polygon(
            [(-1.15, length), (-1.12, -0.6), (-0.9, -1.35), (-0.45, -1.53), (0, -1.58),
             (0.45, -1.53), (0.9, -1.35), (1.12, -0.6), (1.15, length)],
            person.hair,
        )  # fmt: skip
    for side in (-1, 1):
        canvas.ellipse((side * person.half_width, -0.05), (0.11, 0.24), person.skin * 0.82, 0)


def _draw_complexion(face: _Canvas, person: Traits) -> None:
    x, y = _GRID
    roundness = np.clip(1 - (x / (person.half_width * 1.05)) ** 2 - (y / 1.5) ** 2, 0, 1)
    blotches = cv2.resize(person.blotches, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    face.multiply(np.exp(blotches) * (0.62 + 0.42 * np.sqrt(roundness))[..., None])
    dark = person.skin * 0.45
    steps = np.linspace(0, 1, 10)
    for side in (-1, 1):
        eye = side * person.eye_x
        face.shade((eye, person.eye_y - 0.04), (0.24, 0.16), dark, person.socket)
        face.shade((eye, person.eye_y + 0.15), (0.16, 0.05), dark, person.eye_bags)
        face.shade((side * 0.5, 0.3), (0.24, 0.2), person.skin * [0.7, 0.7, 1.1], person.blush)
        bridge = (side * person.nose_width * 0.75, person.nose_y - 0.15)
        face.shade(bridge, (0.08, 0.24), dark, 0.35 * person.nose_relief)
        fold_x = side * (person.nose_width + 0.06 + 0.14 * steps)
        fold_y = person.nose_y + 0.02 + steps * (person.mouth_y - person.nose_y)
        fold = np.stack([fold_x, fold_y], axis=1)
        face.line(fold, person.skin * (1 - 0.45 * person.cheek_fold), 0.03)
    face.blur(2.2)


def _draw_nose(face: _Canvas, person: Traits) -> None:
    dark, y, width = person.skin * 0.45, person.nose_y, person.nose_width
    relief = 0.5 + person.nose_relief
    face.shade((0, y - 0.22), (0.06, 0.3), person.skin * 1.25, 0.35 * relief)
    face.shade((0, y - 0.04), (0.08, 0.07), person.skin * 1.3, 0.4 * relief)
    face.shade((0, y + 0.12), (width * 0.9, 0.05), dark, 0.55)
    for side in (-1, 1):
        nostril = (side * width * 0.5, y + 0.065)
        face.shade(nostril, (width * 0.26, 0.032), person.skin * 0.2, 0.85)
        face.shade((side * width, y + 0.02), (0.035, 0.07), dark, 0.55)


def _draw_beard(face: _Canvas, person: Traits) -> None:
    if person.beard:
        face.shade((0, person.chin * 0.95), (0.8, 0.5), person.hair, 1.3 * person.beard)
    if person.moustache:
        middle = (0.0, (person.nose_y + person.mouth_y) / 2 + 0.03)
        face.shade(middle, (person.mouth_width * 0.85, 0.06), person.hair, 1.6 * person.moustache)


def _draw_mouth(face: _Canvas, person: Traits, mouth_open: float) -> None:
    x = np.linspace(-1, 1, 25)
    bulge = np.clip(1 - x**2, 0, 1)
    cupid = 1 - 0.35 * np.exp(-((x / 0.18) ** 2))
    seam = person.mouth_y - person.mouth_curve * x**2 + 0.01 * np.cos(2 * np.pi * x)
    lower_seam = seam + 0.35 * mouth_open * np.sqrt(bulge)
    top = seam - person.upper_lip * bulge**0.6 * cupid
    bottom = lower_seam + person.lower_lip * bulge**0.6

    def band(upper: Points, lower: Points) -> Points:
        edges = [np.stack([x * person.mouth_width, edge], axis=1) for edge in (upper, lower)]
        return np.concatenate([edges[0], edges[1][::-1]])

    below = (0.0, person.mouth_y + 0.35 * mouth_open + person.lower_lip + 0.1)
    face.shade(below, (person.mouth_width * 0.6, 0.05), person.skin * 0.45, 0.4)
    face.polygon(band(top, seam), person.lip * 0.85)
    face.polygon(band(lower_seam, bottom), person.lip)
    face.polygon(band(seam, lower_seam), np.array([50.0, 20.0, 30.0]))
    face.line(np.stack([x * person.mouth_width, seam], axis=1), person.lip * 0.35, 0.028)


def _draw_eye(
    face: _Canvas, person: Traits, side: int, eyes_open: float, gaze: tuple[float, float]
) -> None:
    centre_x, centre_y = side * person.eye_x, person.eye_y
    height = person.eye_height * eyes_open
    x = np.linspace(-1, 1, 21)
    bulge = np.clip(1 - x**2, 0, 1)
    middle = centre_y - side * x * person.eye_tilt
    along = centre_x + x * person.eye_width
    upper = np.stack([along, middle - height * bulge**0.7], axis=1)
    lower = np.stack([along, middle + 0.75 * height * bulge**0.8], axis=1)

    eyeball = _Canvas(np.array([224.0, 228.0, 230.0]))
    radius = max(0.075, 0.95 * person.eye_height)
    pupil = (centre_x + gaze[0], centre_y - 0.01 + gaze[1])
    eyeball.ellipse(pupil, (radius, radius), person.iris, 0)
    eyeball.ellipse(pupil, (radius / 2, radius / 2), np.array([12.0, 12.0, 12.0]), 0)
    gleam = (centre_x - 0.03, centre_y - 0.04)
    eyeball.ellipse(gleam, (0.02, 0.02), np.array([255.0, 255.0, 255.0]), 0)
    face.paste(eyeball, _mask(np.concatenate([upper, lower[::-1]]), softness=0.6))

    face.line(upper, np.array([25.0, 22.0, 25.0]), 0.035)
    face.line(lower, person.skin * 0.5, 0.012)
    if person.eye_fold:
        crease = np.stack([along, middle - person.eye_height * bulge**0.7 - 0.06], axis=1)
        face.line(crease, person.skin * 0.55, 0.015)


def _draw_brow(face: _Canvas, person: Traits, side: int) -> None:
    x = np.linspace(-1, 1, 15)
    middle = person.eye_y - person.brow_height + side * x * person.brow_slope
    middle = middle + person.brow_arch * (x**2 - 0.5)
    taper = 1 - 0.55 * np.clip(side * x, 0, 1)
    thickness = person.brow_thickness * taper * np.sqrt(np.clip(1 - x**4, 0, 1))
    along = side * person.eye_x + x * person.brow_width
    upper = np.stack([along, middle - thickness], axis=1)
    lower = np.stack([along, middle + thickness], axis=1)
    face.polygon(np.concatenate([upper, lower[::-1]]), person.hair * 0.8)


def _draw_fringe(canvas: _Canvas, person: Traits, outline: Points) -> None:
    """The hair in front of the forehead; haircut 6 is bald."""
    if person.haircut == 6:
        return
    top = outline[outline[:, 1] < person.hairline + 0.25]
    top = top[np.argsort(top[:, 0])]
    across = np.interp(top[:, 0], [top[0, 0], top[-1, 0]], [-1, 1])
    arch = np.cos(across * np.pi / 2)
    edge = (
        person.hairline
        + {
            0: 0.10 - 0.28 * arch,
            1: 0.10 - 0.28 * arch,
            2: 0.18 + 0.0 * arch,
            3: 0.15 - 0.25 * np.abs(across - person.parting),
            4: 0.25 * (across - person.parting) * np.sign(person.parting),
            5: -0.05 - 0.30 * arch,
        }[person.haircut]
    )
    crown = top * [1.08, 1.10] - [0, 0.06]
    forehead = np.stack([top[:, 0] * 1.02, np.maximum(edge, top[:, 1])], axis=1)
    canvas.polygon(np.concatenate([crown, forehead[::-1]]), person.hair)
    canvas.line(crown * [0.90, 0.93], person.hair * 1.2 + 8, 0.03)


def _draw_glasses(canvas: _Canvas, person: Traits) -> None:
    if not person.glasses:
        return
    colour, y = person.glasses_colour, person.eye_y + 0.02
    for side in (-1, 1):
        x = side * person.eye_x
        if person.glasses == 2:
            corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
            canvas.line(np.array(corners) * [0.28, 0.18] + [x, y], colour, 0.03)
        else:
            axes = (0.26, 0.26) if person.glasses == 1 else (0.29, 0.21)
            if person.glasses == 4:
                canvas.shade((x, y), (0.20, 0.15), colour, 0.6)
            canvas.ellipse((x, y), axes, colour, 0.03)
    bridge = person.eye_x - 0.27
    canvas.line(np.array([(-bridge, y - 0.05), (bridge, y - 0.05)]), colour, 0.03)
