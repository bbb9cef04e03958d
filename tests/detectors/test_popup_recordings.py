"""What the SDK told in a real Chromium when a pop-up came (`tests/sdk/popup_recordings.py`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.assess import assess
from detectors.finding import Finding, Outcome
from detectors.trace import (
    CONTROL,
    EVENT,
    LESSON,
    PHOTO,
    PIECE,
    SESSION,
    Kind,
    SessionFlag,
    Trace,
    offsets,
)
from tests.detectors.stories import only

FOLDER = Path(__file__).parent / "recordings"
MEDIA_MS = 45 * 60_000


def people(name: str) -> list[Any]:
    told = json.loads((FOLDER / f"{name}.json").read_text())
    return [
        pytest.param({**it, "columns": told["columns"]}, id=f"{it['person']}-{n}")
        for n, it in enumerate(told["people"])
    ]


def filled(dtype: np.dtype[Any], names: list[str], rows: list[list[int]]) -> Any:
    """A record array of these columns; others are zero."""
    result = np.zeros(len(rows), dtype)
    for place, name in enumerate(names):
        result[name] = [row[place] for row in rows]
    return result


def trace(person: dict[str, Any]) -> Trace:
    """The columns of one recorded person, who has nothing but pop-ups to answer."""
    sittings, named = person["sittings"], person["columns"]
    sessions = filled(
        SESSION,
        ["start_ms", "end_ms", "resume_ms", "device", "window"],
        [[it["start_ms"], it["end_ms"], it["resume_ms"], n, n] for n, it in enumerate(sittings)],
    )
    sessions["flags"] = SessionFlag.REFERENCE_PHOTO
    columns: dict[str, Any] = {}
    for name, dtype in (("events", EVENT), ("controls", CONTROL)):
        parts = [filled(dtype, named[name], it[name]) for it in sittings]
        columns[name] = np.concatenate(parts)
        columns[f"{name}_at"] = offsets(np.array([len(part) for part in parts], np.int64))
    return Trace(
        sessions=sessions,
        **columns,
        photos=np.zeros(0, PHOTO),
        photos_at=np.zeros(len(sittings) + 1, np.int64),
        lessons=np.array([(0, 1, MEDIA_MS, True, True)], LESSON),
        pieces=np.array([(0, 0, 0, 0, MEDIA_MS)], PIECE),
    )


def judged(person: dict[str, Any]) -> tuple[list[Finding], float]:
    """Findings of this rule alone, and seconds played that are not credited."""
    result = assess(trace(person), only("popup_gap"))
    played = result.facts.parts
    credited = int((result.credited.t1_ms - result.credited.t0_ms).sum())
    return result.findings, (int((played.t1_ms - played.t0_ms).sum()) - credited) / 1000


@pytest.mark.parametrize("person", people("sdk-plays-on-under-a-popup"))
def test_nobody_is_accused_by_the_sdk_that_played_on_for_a_minute(person):
    findings, lost_s = judged(person)
    assert [it.reason for it in findings if it.outcome is not Outcome.CLEAR] == []
    assert lost_s <= 62
    told = sum(it.end_ms - it.start_ms for it in findings if it.voids) / 1000
    assert lost_s <= told + 0.001  # what is not credited is said


@pytest.mark.parametrize("person", people("sdk-stops-under-a-popup"))
def test_who_studies_with_the_sdk_that_stops_loses_nothing(person):
    findings, lost_s = judged(person)
    assert [it.reason for it in findings] == []
    assert lost_s == 0


@pytest.mark.parametrize("person", people("sdk-stops-under-a-popup"))
def test_content_stands_from_the_display_to_the_answer(person):
    columns = trace(person)
    events = columns.events_of(len(columns) - 1)
    kind, pos, seq = events["kind"], events["pos_ms"], events["seq"]
    (shown, *_) = seq[kind == Kind.POPUP_SHOWN]
    ends = [it for it in seq[kind == Kind.POPUP_ANSWERED]] or [seq[-1]]
    under = (seq > shown) & (seq < ends[0]) & (pos >= 0)
    assert under.any()
    assert pos[under].max() - pos[under].min() <= 100
