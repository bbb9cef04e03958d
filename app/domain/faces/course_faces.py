"""The person over the course: which of a learner's sittings stand out, kept as distances.

Embeddings are sealed, so this is measured where sittings are decided, and a rule
(`detectors/person_over_course.py`) reads the numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any

from sqlalchemy import Connection

from app.domain.faces.comparison import Comparison
from app.domain.faces.moments import moments
from app.store.faces import course_faces as rows
from app.store.faces.snapshots import PhotoRow, reading_of
from app.vision import course, match
from app.vision.match import Embedding, Moment
from app.vision.seen import usable

_DIGITS = 4


def measure(
    connection: Connection,
    learner_id: int,
    class_id: int,
    comparison: Comparison,
    embedding_of: Callable[[PhotoRow], Embedding | None],
    now_ms: int,
) -> None:
    """Hold each of the learner's sittings in the class against the enrolled face and the others."""
    if comparison.template is None or not comparison.template.agrees:
        return
    model = comparison.card.model
    seen: dict[int, list[tuple[PhotoRow, Embedding]]] = defaultdict(list)
    photos = rows.photos(connection, learner_id, class_id)
    for row in photos:
        embedding = embedding_of(row)
        if embedding is not None and usable(row.reading) and reading_of(row)["model"] == model:
            seen[row.session_id].append((row, embedding))
    sittings = {
        session_id: [it.moment for it in moments(of_sitting)]
        for session_id, of_sitting in seen.items()
    }
    found = _standing_out(comparison, sittings) if len(sittings) > 1 else {}
    rows.replace(connection, {row.session_id for row in photos}, found, now_ms)


def _standing_out(
    comparison: Comparison, sittings: Mapping[int, list[Moment]]
) -> dict[rows.Sitting, dict[str, Any]]:
    assert comparison.template is not None
    card, site = comparison.card, comparison.site
    yardstick = match.card_yardstick(card) if site is None else site.yardstick
    if not yardstick.shown:
        return {}
    ids = list(sittings)
    faces = course.over_course(
        comparison.template.moments, list(sittings.values()), card, yardstick, comparison.fmr
    )

    def told(squared: float, limit: float, apart: int, others: int) -> dict[str, Any]:
        halved = card.metric == "cosine"
        shown = [it / 2 if halved else sqrt(it) for it in (squared, limit)]
        return {
            "model": card.model,
            "distance": round(shown[0], _DIGITS),
            "limit": round(shown[1], _DIGITS),
            "sittings": apart,
            "others": others,
        }

    found = {
        (session_id, "odd"): told(it.squared, it.limit, 1, len(ids) - 1)
        for session_id, it in zip(ids, faces.sittings, strict=True)
        if it.odd
    }
    split = faces.split
    if faces.whole.odd:
        found[ids[-1], "whole"] = told(faces.whole.squared, faces.whole.limit, len(ids), 0)
    if split is not None and split.two:
        smaller = len(split.second)
        values = told(split.squared, split.limit, smaller, len(ids) - smaller)
        found |= {(ids[at], "two"): values for at in split.second}
    return found
