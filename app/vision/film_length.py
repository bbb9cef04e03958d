"""How long a recording really is, and how long without a break, read from its container.

Packets are read and nothing is decoded: an hour takes a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import cv2

BREAK_S = 5.0
"""Frames so far apart are a break in the recording (the product's default)."""


class UnreadableFilm(Exception):
    """No film that can be read."""


@dataclass(frozen=True, slots=True)
class FilmLength:
    """Seconds in all, of the longest stretch without a break, and how many breaks there are."""

    seconds: float
    longest_s: float
    breaks: int


def measured(path: Path) -> FilmLength:
    """The length of a film by the times of its pictures. Raises UnreadableFilm."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened() or not capture.set(cv2.CAP_PROP_FORMAT, -1):
            raise UnreadableFilm(f"{path.name}: no film that can be read")
        times = []
        while capture.grab():
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    finally:
        capture.release()
    if len(times) < 2:
        raise UnreadableFilm(f"{path.name}: holds no pictures")
    return of_times(times)


def of_times(times: Sequence[float]) -> FilmLength:
    """From when its pictures are shown, in seconds and any order; at least two.

    >>> of_times([0.0, 1.0, 2.0, 12.0, 13.0])
    FilmLength(seconds=14.0, longest_s=3.0, breaks=1)
    """
    ordered = sorted(times)
    steps = [after - before for before, after in pairwise(ordered)]
    shown_for = median(steps)  # the last picture stays for as long as the others
    longest = stretch = shown_for
    breaks = 0
    for step in steps:
        if step > BREAK_S:
            breaks += 1
            stretch = shown_for
        else:
            stretch += step
        longest = max(longest, stretch)
    return FilmLength(ordered[-1] - ordered[0] + shown_for, longest, breaks)
