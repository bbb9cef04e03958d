"""The picture of a sitting, drawn from its timeline alone."""

from __future__ import annotations

import re
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from markupsafe import Markup

from app.console.language import language
from app.console.session_frame import WIDTH, Drawing, frame_of
from app.console.session_lanes import hidden_stretches
from app.console.session_page import as_entered
from app.console.session_photos import Looks, shown_small
from app.console.session_picture import session_picture
from app.domain.judging.timeline import Timeline
from tests.console import stories
from tests.console.conftest import Desk

T0 = 1_775_644_600_000
ZH = language("zh")
STORIES = (
    stories.honest,
    stories.fast_forward,
    stories.popup_gap,
    stories.other_person,
    stories.two_windows,
)


def told(story: Any) -> dict[str, Any]:
    """A story as the document of a `Drawing`."""
    timeline: dict[str, Any] = story(T0) | {"events": "/console/sessions/1/events", "pack": ""}
    for number, it in enumerate(timeline["findings"], 1):
        it |= {"id": number, "sentence": it["sentence"]["zh"]}
    for void in timeline["voided"]:
        void |= {"href": "#finding-1", "outcome": "violation"}
    return timeline


def drawing(timeline: dict[str, Any]) -> Drawing:
    return msgspec.convert(timeline, Drawing)


def picture(timeline: dict[str, Any], looks: Looks | None = None) -> Markup:
    return session_picture(drawing(timeline), ZH, looks)


@pytest.mark.parametrize("story", STORIES)
def test_it_is_well_formed_and_stays_inside_its_frame(story: Any) -> None:
    root = ElementTree.fromstring(picture(told(story)))
    width = float(root.get("viewBox", "").split()[2])
    for node in root.iter("rect"):
        assert -1 <= float(node.get("x", "0")) <= width
        assert float(node.get("width", "0")) >= 0
    assert "nan" not in ElementTree.tostring(root, encoding="unicode")


def test_the_same_timeline_draws_the_same_picture() -> None:
    assert picture(told(stories.honest)) == picture(told(stories.honest))


def test_a_voided_stretch_leads_to_its_finding() -> None:
    drawn = picture(told(stories.popup_gap))
    assert 'href="#finding-1"' in drawn and "url(#void-popup_gap)" in drawn


def test_an_honest_sitting_shows_credit_and_accuses_of_nothing() -> None:
    drawn = picture(told(stories.honest))
    assert drawn.count('class="credit"') == 3
    assert "tone-violation" not in drawn and 'class="void"' not in drawn


def test_pop_ups_differ_in_shape_not_only_in_colour() -> None:
    timeline = told(stories.fast_forward)
    timeline["controls"][2] |= {"expired_ms": None}
    drawn = picture(timeline)
    for shape in ("mark answered", "mark expired", "mark unshown"):
        assert shape in drawn


@pytest.mark.parametrize("closed", [None, T0])
def test_a_sitting_without_events_is_an_empty_picture(closed: int | None) -> None:
    timeline = told(stories.honest) | {"samples": [], "credited": [], "controls": [], "photos": []}
    timeline["session"] |= {"closed_ms": closed, "media_ms": 0}
    ElementTree.fromstring(picture(timeline))


def test_a_long_sitting_stays_a_small_picture() -> None:
    timeline = told(stories.honest)
    timeline["samples"] = [[T0 + i * 100, i * 100, 1] for i in range(30_000)]
    assert len(picture(timeline)) < 60_000


def test_words_in_a_timeline_cannot_become_markup() -> None:
    timeline = told(stories.fast_forward)
    timeline["findings"][0]["sentence"] = "</title><script>alert(1)</script>"
    assert "<script>" not in picture(timeline)


def test_time_voided_by_another_sittings_finding_leads_to_that_finding(desk: Desk) -> None:
    row: Any = SimpleNamespace(id=7, key="k", outcome="violation", status="open", shadow=False)
    sitting = SimpleNamespace(id=1, pack_id="p", pack_version="1")
    story = stories.popup_gap(T0) | {"findings": []}
    story["voided"][0]["finding"] = "k"
    timeline = msgspec.convert(story, Timeline)
    assert as_entered(sitting, timeline, [], [row], set(), ZH).voided[0].href == (
        "/console/findings/7"
    )
    assert not as_entered(sitting, timeline, [], [], set(), ZH).voided


def test_every_mark_that_leads_somewhere_leads_to_a_row_of_the_page(desk: Desk) -> None:
    page = desk.sign_in("zhao").get(f"/console/sessions/{desk.county.sessions['fast']}")
    for anchor in set(re.findall(r'href="#([a-z]+-\d+)"', page)):
        assert f'id="{anchor}"' in page, anchor


def test_photos_of_one_burst_share_a_thumbnail_and_the_failed_one_stands_for_them() -> None:
    timeline = told(stories.honest)
    burst = {"snapshot_id": "p", "purpose": "random", "score": 0.4, "limit": 0.5, "flags": []}
    timeline["photos"] = [
        burst | {"id": number, "t_ms": T0 + 600_000 + number * 1_000, "check": check}
        for number, check in enumerate(("match", "mismatch", "match"), 1)
    ] + [burst | {"id": 9, "t_ms": T0 + 2_000_000, "check": "match"}]
    assert shown_small(drawing(timeline), frame_of(drawing(timeline), ZH)) == [2, 9]
    drawn = picture(timeline, {2: 71, 9: 72})
    assert drawn.count("<image") == 2 and "/71/small.jpg" in drawn and "×3" in drawn


def test_crowded_photos_never_cover_one_another() -> None:
    timeline = told(stories.honest)
    photo = {
        "snapshot_id": "p",
        "purpose": "random",
        "check": "match",
        "score": None,
        "limit": None,
        "flags": [],
    }
    timeline["photos"] = [photo | {"id": i, "t_ms": T0 + i * 17_000} for i in range(1, 171)]
    small = shown_small(drawing(timeline), frame_of(drawing(timeline), ZH))
    root = ElementTree.fromstring(picture(timeline, {it: it for it in small}))
    places = sorted(float(it.get("x", "")) for it in root.iter("image"))
    assert len(places) == len(small) > 5
    assert all(after - before >= 72 for before, after in pairwise(places))


def test_stretches_lead_to_the_events_they_rest_on() -> None:
    drawn = picture(told(stories.honest))
    hidden = hidden_stretches(drawing(told(stories.honest)).samples)[0][0]
    assert f'href="/console/sessions/1/events?at={hidden}#at"' in drawn


@pytest.mark.parametrize("count", [30, 200])
def test_many_findings_at_the_end_of_a_sitting_keep_their_letters_apart(count: int) -> None:
    timeline = told(stories.fast_forward)
    one, end = timeline["findings"][0], timeline["session"]["closed_ms"]
    timeline["findings"] = [
        one | {"id": number, "start_ms": end - 20_000, "end_ms": end} for number in range(count)
    ]
    root = ElementTree.fromstring(picture(timeline))
    labels = [it for it in root.iter("g") if (it.get("class") or "").startswith("label")]
    edges = [float(it.find("rect").get("x")) for it in labels]
    assert len(edges) == count and min(edges) >= 77.9 and max(edges) <= WIDTH
    assert (
        min(after - before for before, after in pairwise(edges))
        >= min(21, (WIDTH - 110) / count) - 0.02
    )
