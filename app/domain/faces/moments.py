"""Photos as moments: what was taken together is one picture, the mean of its frames.

Fifteen frames of one second say little more than one of them. Which belong together is the server's
to say: they answer one control, or came within seconds of each other. Photos that were held back by
an outage arrive together and count as fewer moments than they are, to nobody's harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.vision.match import Embedding, Moment

TOGETHER_MS = 5_000


@dataclass(frozen=True, slots=True)
class SeenMoment:
    """Photos of one sitting that were taken together, and their embeddings, of one good face
    each."""

    photos: tuple[int, ...]  # ids
    embeddings: tuple[Embedding, ...]

    @property
    def moment(self) -> Moment:
        return Moment(np.asarray(np.mean(self.embeddings, axis=0), np.float32), len(self.photos))

    @property
    def scatter(self) -> float | None:
        """Variance of the frames about their mean, None of a single one."""
        if len(self.embeddings) < 2:
            return None
        frames = np.stack(self.embeddings)
        return float(((frames - frames.mean(axis=0)) ** 2).sum() / (len(frames) - 1))


class SeenPhoto(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def control_id(self) -> int | None: ...
    @property
    def received_ms(self) -> int: ...


def moments(photos: Iterable[tuple[SeenPhoto, Embedding]]) -> list[SeenMoment]:
    """Of one sitting's usable photos in order of receipt, in order of their first photo."""
    groups: list[list[tuple[SeenPhoto, Embedding]]] = []
    answering: dict[int, list[tuple[SeenPhoto, Embedding]]] = {}
    for row, embedding in photos:
        group = answering.get(row.control_id) if row.control_id is not None else None
        if group is None and groups:
            latest = groups[-1]
            if row.received_ms - latest[0][0].received_ms <= TOGETHER_MS:
                group = latest
        if group is None:
            group = []
            groups.append(group)
        group.append((row, embedding))
        if row.control_id is not None:
            answering[row.control_id] = group
    return [
        SeenMoment(tuple(row.id for row, _ in group), tuple(it for _, it in group))
        for group in groups
    ]
