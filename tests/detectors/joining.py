"""Traces put together and taken apart, as the nightly run does with its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from detectors.trace import Ints, Trace, offsets


def together(traces: Sequence[Trace]) -> Trace:
    """One trace of several whose people, classes and courses have nothing to do with each other."""
    sessions, lessons, pieces = [], [], []
    shift = dict.fromkeys(
        ("case", "person", "klass", "device", "window", "agent", "address", "course", "hour"), 0
    )
    lesson_rows = 0
    for trace in traces:
        sitting, lesson, piece = trace.sessions.copy(), trace.lessons.copy(), trace.pieces.copy()
        for name in ("case", "person", "klass", "device", "window"):
            sitting[name] += shift[name]
        for name in ("agent", "address"):
            sitting[name] += np.where(sitting[name] >= 0, shift[name], 0)
        sitting["lesson"] += lesson_rows
        lesson["course"] += shift["course"]
        piece["klass"] += shift["klass"]
        piece["hour"] += shift["hour"]
        piece["lesson"] += lesson_rows
        for columns, names in (
            (sitting, ("case", "person", "device", "window", "agent", "address")),
            (lesson, ("course",)),
            (piece, ("hour",)),
        ):
            for name in names:
                shift[name] = int(columns[name].max(initial=shift[name] - 1)) + 1
        shift["klass"] = 1 + max(
            int(sitting["klass"].max(initial=shift["klass"] - 1)),
            int(piece["klass"].max(initial=shift["klass"] - 1)),
        )
        lesson_rows += len(lesson)
        sessions.append(sitting)
        lessons.append(lesson)
        pieces.append(piece)
    return Trace(
        sessions=np.concatenate(sessions),
        **_joined(traces, "events"),
        **_joined(traces, "controls"),
        **_joined(traces, "photos"),
        lessons=np.concatenate(lessons),
        pieces=np.concatenate(pieces),
    )


def _joined(traces: Sequence[Trace], name: str) -> dict[str, Any]:
    counts = np.concatenate([np.diff(getattr(trace, f"{name}_at")) for trace in traces])
    return {
        name: np.concatenate([getattr(trace, name) for trace in traces]),
        f"{name}_at": offsets(counts),
    }


def picked(trace: Trace, rows: Sequence[int] | Ints) -> Trace:
    """The sessions of `rows`, in that order; catalogue and plan stay as they are."""
    rows = np.asarray(rows, np.int64)
    changes: dict[str, Any] = {"sessions": trace.sessions[rows]}
    for name in ("events", "controls", "photos"):
        values, at = getattr(trace, name), getattr(trace, f"{name}_at")
        parts = [values[at[row] : at[row + 1]] for row in rows]
        changes[name] = np.concatenate([values[:0], *parts])
        changes[f"{name}_at"] = offsets(np.array([len(part) for part in parts], np.int64))
    return replace(trace, **changes)
