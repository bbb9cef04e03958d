"""A sitting's page says minute by minute what counted, and what did not for which reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.console import credit_minutes, readable
from app.console.credit_minutes import CreditLine, length, without
from app.console.language import language
from app.console.session_frame import Drawing
from tests.console import stories

T0 = 1_775_644_600_000
ZH = language("zh")


def drawn(story: Any) -> Drawing:
    timeline: dict[str, Any] = story(T0) | {"events": "/console/sessions/1/events", "pack": ""}
    for number, it in enumerate(timeline["findings"], 1):
        it |= {"id": number, "sentence": it["sentence"]["zh"]}
    for void in timeline["voided"]:
        void |= {"href": "#finding-1", "outcome": "violation"}
    return msgspec.convert(timeline, Drawing)


def test_what_is_left_of_stretches() -> None:
    assert without([(0, 60)], [(10, 20), (15, 30), (50, 99)]) == [(0, 10), (30, 50)]
    assert without([(0, 10)], []) == [(0, 10)] and length([(0, 10), (20, 25)]) == 15


@pytest.mark.parametrize("story", [stories.honest, stories.fast_forward, stories.popup_gap])
def test_every_second_of_a_sitting_is_told_once(story: Any) -> None:
    drawing = drawn(story)
    lines = credit_minutes.lines(drawing, ZH)
    whole = drawing.session.ended_ms - drawing.session.opened_ms
    assert sum(it.t1_ms - it.t0_ms for it in lines) == whole
    told = sum(it.credited_ms + sum(ms for _, ms in it.reasons) for it in lines)
    assert abs(told - whole) <= 2_000 * len(lines)
    voided = {readable.rule(it.rule, "", ZH) for it in drawing.voided}
    named = {name for it in lines for name, _ in it.reasons}
    assert voided <= named


def test_minutes_that_are_alike_are_told_together() -> None:
    lines = credit_minutes.lines(drawn(stories.honest), ZH)
    assert any(it.t1_ms - it.t0_ms > 120_000 and it.plain for it in lines)
    assert not CreditLine(0, 1, 30, (("x", 30),)).plain
