"""A film for the demo lesson: a clock that counts and a bar that grows, drawn when it is wanted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIZE = (320, 180)
_FPS = 2
_GROUND, _INK, _BAR = (72, 44, 24), (245, 245, 245), (90, 190, 250)  # blue, green, red


def draw_film(path: Path, seconds: int) -> None:
    """Write a silent WebM of that length; about 1.5 KB and 15 ms a second of film."""
    width, height = SIZE
    codec = cv2.VideoWriter.fourcc(*"VP80")
    film = cv2.VideoWriter(str(path), codec, _FPS, SIZE)
    if not film.isOpened():
        raise RuntimeError("this OpenCV writes no WebM")
    for n in range(seconds * _FPS):
        picture = np.full((height, width, 3), _GROUND, np.uint8)
        minutes, rest = divmod(n // _FPS, 60)
        at = (width // 2 - 78, height // 2 + 8)
        face = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(picture, f"{minutes:02}:{rest:02}", at, face, 1.6, _INK, 2, cv2.LINE_AA)
        grown = 20 + n * (width - 40) // (seconds * _FPS)
        cv2.rectangle(picture, (20, height - 30), (grown, height - 22), _BAR, -1)
        film.write(picture)
    film.release()
