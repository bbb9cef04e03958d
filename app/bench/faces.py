"""Snapshots through the whole face check on one core: JPEG bytes to a comparison and liveness."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision import liveness, match
from app.vision.backends import Backends
from app.vision.face_reading import FaceReading
from app.vision.reading import read

SIZE = (640, 480)
SNAPSHOTS_A_VERDICT = 3
_CHALLENGE = liveness.Challenge(("turn_left", "turn_right"), 0, 20_000)


def portraits(count: int, size: tuple[int, int] = SIZE) -> list[bytes]:
    """JPEGs of artificial people."""
    known = len(PORTRAIT_SEEDS)
    return [
        portrait(PORTRAIT_SEEDS[n % known], noise_seed=n // known, size=size) for n in range(count)
    ]


def check(pictures: Sequence[bytes], models: Backends) -> tuple[int, list[float]]:
    """How many showed a face, and CPU seconds of each.

    Verification, detection, quality, embedding, hashes; every third snapshot a verdict on the match
    and on a head-turn burst, whose cost is spread over the times. One picture is read beforehand.
    """
    card = models.embedder.card
    read(pictures[0], models)
    enrolled = match.template([np.zeros(card.dim, np.float32)], card)
    times: list[float] = []
    readings: list[FaceReading] = []
    for picture in pictures:
        start = time.process_time()
        readings.append(read(picture, models))
        if len(readings) % SNAPSHOTS_A_VERDICT == 0:
            embeddings = [each.embedding for each in readings if each.embedding is not None]
            if embeddings:
                match.decide(enrolled, embeddings[-SNAPSHOTS_A_VERDICT:], card)
            frames = [liveness.Frame(300 * n, each) for n, each in enumerate(readings[-14:])]
            liveness.verify(frames, _CHALLENGE)
        times.append(time.process_time() - start)
    return sum(reading.face_count > 0 for reading in readings), times
