"""A platform is told what it sent for nothing, in numbers and with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.exchange.platform_notes import of_classes
from app.domain.exchange.xapi_fates import LOST
from app.domain.sittings.sitting_life import Fate
from app.store.bodies import EvidenceCounts


def counts(**more: Any) -> EvidenceCounts:
    none = dict.fromkeys(("sittings", "judged", "with_events", "ended_by_lease"), 0)
    rest = {"complete": 0, "complete_share": None, "live": 0, "attested": 0}
    return EvidenceCounts(**none, **rest, **more)


def test_what_classes_played_unseen_is_summed_and_dated_by_the_latest() -> None:
    seen = counts()
    one, other = (counts(unseen_sittings=n, unseen_s=s) for n, s in ((2, 30.4), (1, 9.8)))
    (note,) = of_classes([(seen, 900), (one, 100), (other, 300)])
    assert (note.code, note.count, note.sessions, note.last_ms) == ("unseen_play", 40, 3, 300)
    assert "3次学习" in note.sentence.zh and "40秒" in note.sentence.zh


@pytest.mark.parametrize("classes", [[], [(counts(), 100)], [(counts(unseen_sittings=0), None)]])
def test_where_nothing_was_unseen_nothing_is_said(classes: Any) -> None:
    assert of_classes(classes) == []


def test_every_refusal_of_a_running_sitting_is_told_of_as_a_loss() -> None:
    refusals = {fate.value for fate in Fate if fate.refused} - {Fate.LIVE.value}  # imports only
    assert refusals <= set(LOST)
