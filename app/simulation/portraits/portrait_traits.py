"""What distinguishes one artificial person from another, drawn from a seed.

Lengths are in units of 100 canvas pixels, x to the right and y down, origin between the eyes and
the nose; the face is about one unit wide on each side. Colours are BGR, 0-255.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]  # (3,)

_HAIR = np.array(
    [
        [18, 18, 20],
        [18, 20, 26],
        [25, 32, 48],
        [35, 58, 92],
        [60, 95, 140],
        [120, 125, 130],
        [205, 205, 208],
        [40, 50, 120],
    ]
)
_DARK_SKIN, _LIGHT_SKIN = np.array([45.0, 70.0, 105.0]), np.array([196.0, 214.0, 242.0])


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """Everything that stays the same in all pictures of one artificial person."""

    half_width: float
    forehead: float
    chin: float
    jaw: float
    jaw_roundness: float
    skin: Colour
    blotches: NDArray[np.float32]  # (7, 6, 3) log gain of large soft patches of colour
    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    eye_tilt: float
    eye_fold: bool
    iris: Colour
    socket: float
    eye_bags: float
    brow_height: float
    brow_thickness: float
    brow_width: float
    brow_slope: float
    brow_arch: float
    nose_width: float
    nose_y: float
    nose_relief: float
    cheek_fold: float
    blush: float
    mouth_width: float
    mouth_y: float
    mouth_curve: float
    upper_lip: float
    lower_lip: float
    lip: Colour
    hair: Colour
    haircut: int
    hairline: float
    parting: float
    beard: float
    moustache: float
    glasses: int  # 0 none, 1 round, 2 square, 3 oval, 4 tinted
    glasses_colour: Colour
    clothes: Colour
    background: Colour
    depth: float


@functools.lru_cache(maxsize=128)
def traits(seed: int) -> Traits:
    """The traits of the person numbered ``seed``; the same object for the same number."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    def sometimes(chance: float, low: float, high: float) -> float:
        value = between(low, high)
        return value if rng.random() < chance else 0.0

    skin_tone = between(0, 1)
    skin = _DARK_SKIN + skin_tone * (_LIGHT_SKIN - _DARK_SKIN) + rng.uniform(-14, 14, 3)
    chin = between(1.05, 1.45)
    return Traits(
        half_width=between(0.78, 1.04),
        forehead=between(1.12, 1.42),
        chin=chin,
        jaw=between(0.70, 1.0),
        jaw_roundness=between(0.55, 1.0),
        skin=np.clip(skin, 10, 250),
        blotches=(rng.normal(0, 1, (7, 6, 3)) * between(0.03, 0.16)).astype(np.float32),
        eye_x=between(0.34, 0.50),
        eye_y=between(-0.30, -0.06),
        eye_width=between(0.14, 0.25),
        eye_height=between(0.045, 0.125),
        eye_tilt=between(-0.07, 0.07),
        eye_fold=rng.random() < 0.6,
        iris=rng.uniform(15, 130, 3),
        socket=between(0.05, 0.6),
        eye_bags=between(0, 0.6),
        brow_height=between(0.19, 0.37),
        brow_thickness=between(0.015, 0.09),
        brow_width=between(0.18, 0.31),
        brow_slope=between(-0.10, 0.10),
        brow_arch=between(0, 0.11),
        nose_width=between(0.12, 0.29),
        nose_y=between(0.18, 0.44),
        nose_relief=between(0.1, 0.9),
        cheek_fold=between(0, 0.7),
        blush=between(0, 0.35),
        mouth_width=between(0.24, 0.48),
        mouth_y=between(0.57, 0.76) * chin / 1.2,
        mouth_curve=between(-0.06, 0.07),
        upper_lip=between(0.02, 0.10),
        lower_lip=between(0.03, 0.13),
        lip=np.clip(skin * [0.62, 0.56, 0.85] + rng.uniform(-18, 25, 3), 15, 245),
        hair=np.clip(_HAIR[rng.integers(len(_HAIR))] + rng.uniform(-10, 10, 3), 5, 230),
        haircut=int(rng.integers(7)),
        hairline=between(-0.98, -0.58),
        parting=between(-0.6, 0.6),
        beard=sometimes(0.3, 0.3, 1.0),
        moustache=sometimes(0.3, 0.3, 1.0),
        glasses=int(rng.integers(1, 5)) if rng.random() < 0.35 else 0,
        glasses_colour=rng.uniform(10, 120, 3),
        clothes=rng.uniform(20, 200, 3),
        background=between(110, 215) + rng.uniform(-18, 18, 3),
        depth=between(0.95, 1.15),
    )
