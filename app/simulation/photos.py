"""From what a photo shows to its JPEG bytes.

The faces themselves come from a callable, `photograph(photo)`; by default the artificial portraits
beside this. What befell the picture is done to the pixels here.
Everything is deterministic: equal photos become equal bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.simulation.entities import Action, Photo

Photograph = Callable[[Photo], bytes]
Pixels = NDArray[np.uint8]

SIZE = (480, 360)
_JPEG_QUALITY = 88
_POSES: dict[Action | None, float] = {"turn_left": 1.0, "turn_right": -1.0}
_SCALES: dict[Action | None, float] = {"nearer": 1.4, "farther": 0.75}


def artificial_photograph(photo: Photo) -> bytes:
    """A portrait of nobody, as JPEG bytes of `SIZE` pixels. Variation 0 looks straight ahead; the
    others turn, talk and blink a little, in changing light, before a phone held anew."""
    identity, variation = photo.identity, photo.variation
    from app.simulation.portraits.portrait import (
        portrait,  # loads OpenCV: only when pictures are wanted
    )

    if variation == 0 and photo.does is None:
        return portrait(identity, size=SIZE)
    rng = Random(variation)
    pose = max(-0.25, min(0.25, rng.gauss(0.0, 0.12)))
    return portrait(
        identity,
        pose=_POSES.get(photo.does, pose),
        light=rng.uniform(0.8, 1.2),
        mouth_open=max(0.0, rng.gauss(0.0, 0.1)),
        eyes_open=1.0 - abs(rng.gauss(0.0, 0.1)),
        camera=(rng.uniform(-0.1, 0.1), rng.uniform(-0.08, 0.08)),
        noise_seed=variation,
        size=SIZE,
    )


def develop(photo: Photo, photograph: Photograph = artificial_photograph) -> bytes:
    """The JPEG bytes of a photo."""
    if photo.condition == "empty":
        return _encode(_empty_room(photo.variation))
    taken, scale = photograph(photo), _SCALES.get(photo.does, 1.0)
    if photo.condition == "good" and scale == 1.0:
        return taken
    with Image.open(io.BytesIO(taken)) as picture:
        pixels = _scaled(np.asarray(picture.convert("RGB"), np.uint8), scale)
    if photo.condition == "good":
        return _encode(pixels)
    if photo.condition == "dark":
        return _encode(_noised(pixels * 0.2, photo.variation, 4))
    if photo.condition == "noised":
        return _encode(_noised(pixels, photo.resaved, 6))
    if photo.condition == "glasses":
        return _encode(_with_glasses(pixels))
    return _encode(_on_a_screen(pixels, photo.variation))


def _encode(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _scaled(pixels: Pixels, scale: float) -> Pixels:
    """The same picture from nearer (above 1) or farther away, as large as before."""
    if scale == 1.0:
        return pixels
    picture = Image.fromarray(pixels)
    size = round(picture.width * scale), round(picture.height * scale)
    left, top = (size[0] - picture.width) // 2, (size[1] - picture.height) // 2
    resized = picture.resize(size)
    if scale > 1:
        return np.asarray(
            resized.crop((left, top, left + picture.width, top + picture.height)), np.uint8
        )
    right, below = picture.width - size[0] + left, picture.height - size[1] + top
    return np.pad(np.asarray(resized, np.uint8), ((-top, below), (-left, right), (0, 0)), "edge")


def _noised(pixels: NDArray[Any], seed: int, strength: int) -> Pixels:
    noise = np.random.default_rng(seed).integers(-strength, strength + 1, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _empty_room(seed: int) -> Pixels:
    width, height = SIZE
    wall = np.linspace(170, 120, height)[:, None, None] * np.ones((1, width, 3))
    wall[round(height * 0.72) :] *= 0.6  # the desk
    return _noised(wall, seed, 6)


def _with_glasses(pixels: Pixels) -> Pixels:
    """Dark frames with tinted lenses about where the eyes are."""
    picture = Image.fromarray(pixels)
    height, width = pixels.shape[:2]
    draw = ImageDraw.Draw(picture, "RGBA")
    y, half, lens = height * 0.47, width * 0.085, height * 0.09
    for x in (width * 0.5 - half, width * 0.5 + half):
        box = (x - lens, y - lens * 0.8, x + lens, y + lens * 0.8)
        draw.ellipse(box, fill=(40, 30, 25, 215), outline=(20, 15, 10, 255), width=4)
    draw.line((width * 0.5 - half + lens, y, width * 0.5 + half - lens, y), (20, 15, 10, 255), 4)
    return np.asarray(picture, np.uint8)


def _on_a_screen(pixels: Pixels, seed: int) -> Pixels:
    """A picture of a display: bezel, cold white, raster lines."""
    height, width = pixels.shape[:2]
    inner = Image.fromarray(pixels).resize((round(width * 0.82), round(height * 0.82)))
    screen = np.full((height, width, 3), 12.0)
    top, left = (height - inner.height) // 2, (width - inner.width) // 2
    shown = np.asarray(inner, np.float64) * (0.88, 0.97, 1.08)
    shown[::3] *= 0.72
    shown[:, ::4] *= 0.85
    screen[top : top + inner.height, left : left + inner.width] = shown
    return _noised(screen, seed, 5)
