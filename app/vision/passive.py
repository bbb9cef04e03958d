"""Hand-made signs of a photographed screen or print: logged, never decided by.

On simulated attacks such features reach an AUC of 0.99, on real ones 0.47-0.79. They are kept so
that a site can look at them beside reviewed cases; nothing in this package reads them.
"""

from __future__ import annotations

import cv2
import numpy as np

from app.vision.detector import crop
from app.vision.face_reading import Box
from app.vision.image import Rgb

_SIDE = 128


def passive_cues(picture: Rgb, box: Box) -> dict[str, float]:
    """high_frequency: share of spectral energy above half the band; moire: the strongest single
    mid-band frequency over the band's mean; saturation: mean, 0-1; specular: share of glare."""
    face = cv2.resize(crop(picture, box), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    window = np.outer(np.hanning(_SIDE), np.hanning(_SIDE))
    power = np.abs(np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * window))) ** 2
    y, x = np.indices(power.shape) - _SIDE // 2
    radius = np.hypot(x, y) / (_SIDE / 2)
    middle = power[(radius > 0.25) & (radius < 0.75)]
    hsv = cv2.cvtColor(face, cv2.COLOR_RGB2HSV)
    return {
        "high_frequency": float(power[radius > 0.5].sum() / max(float(power.sum()), 1e-9)),
        "moire": float(middle.max() / max(float(middle.mean()), 1e-9)),
        "saturation": float(hsv[..., 1].mean() / 255),
        "specular": float(np.mean((hsv[..., 1] < 40) & (hsv[..., 2] > 240))),
    }
