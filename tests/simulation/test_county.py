"""The demo county is invented, consistent, and mostly honest."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from datetime import date, datetime

import pytest

from app.simulation import bundle
from app.simulation.county import County, county
from app.simulation.environment import SHANGHAI
from app.simulation.scenarios import SCENARIOS

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def demo() -> County:
    return county(TODAY, media_s=600.0)


def of_kind(demo, kind):
    return [r for platform in demo.platforms for r in platform.records if r["kind"] == kind]


def test_two_platforms_hold_three_classes_and_about_sixty_learners(demo):
    learners = [learner for roster in of_kind(demo, "roster") for learner in roster["learners"]]
    assert len(demo.platforms) == 2
    assert len(of_kind(demo, "class")) == 3
    assert 60 <= len(learners) <= 64
    assert len({learner["learner_id"] for learner in learners}) == len(learners)
    assert len({learner["name"] for learner in learners}) == len(learners)


def test_four_in_five_learners_study_honestly(demo):
    cheats = Counter[str]()
    for platform in demo.platforms:
        for performance in platform.performances:
            learner = performance.setting.learner.learner_id
            cheats[learner] += not SCENARIOS[performance.scenario_id].honest
    honest = sum(count == 0 for count in cheats.values())
    assert 0.75 <= honest / len(cheats) <= 0.85


def test_one_platform_never_reports_a_popup(demo):
    popups = [
        {r["session_id"] for r in platform.records if r.get("control") == "popup"}
        for platform in demo.platforms
    ]
    assert popups[0] and not popups[1]
    assert [k["controls"] for k in of_kind(demo, "class")] == ["service", "service", "platform"]


def test_nobody_in_it_can_exist(demo):
    for roster in of_kind(demo, "roster"):
        assert all(learner["id_number"].startswith("000000") for learner in roster["learners"])


def test_everything_happened_before_today_and_after_the_class_opened(demo):
    opened = {k["class_id"]: date.fromisoformat(k["starts_on"]) for k in of_kind(demo, "class")}
    for session in of_kind(demo, "session"):
        started = datetime.fromtimestamp(session["started_at_ms"] / 1000, SHANGHAI).date()
        ended = datetime.fromtimestamp(session["ended_at_ms"] / 1000, SHANGHAI).date()
        assert opened[session["class_id"]] <= started <= ended < TODAY


def test_a_lessons_title_says_what_is_taught_and_leaves_its_number_to_the_page(demo):
    for course in of_kind(demo, "course"):
        titles = [lesson["title"] for lesson in course["lessons"]]
        assert len(set(titles)) == len(titles) and not any("课" in it for it in titles)


def test_honest_learners_take_their_lessons_in_order(demo):
    for platform in demo.platforms:
        ends: dict[tuple[str, str], int] = {}
        starts: dict[tuple[str, str], int] = {}
        cheats = {
            performance.setting.learner.learner_id
            for performance in platform.performances
            if not SCENARIOS[performance.scenario_id].honest
        }
        for record in platform.records:
            if record["kind"] == "session" and record["learner_id"] not in cheats:
                key = record["learner_id"], record["lesson_id"]
                starts[key] = min(starts.get(key, 1 << 62), record["started_at_ms"])
                ends[key] = max(ends.get(key, 0), record["ended_at_ms"])
        for (learner, lesson), start in starts.items():
            before = learner, f"{lesson[:-2]}{int(lesson[-2:]) - 1:02}"
            assert ends.get(before, 0) < start


def test_session_ids_are_unique_and_tell_nothing(demo):
    ids = [session["session_id"] for session in of_kind(demo, "session")]
    assert len(set(ids)) == len(ids)
    assert all(session_id.startswith("s-") for session_id in ids)


def test_every_photo_named_is_there_and_they_are_few(demo):
    for platform in demo.platforms:
        named = {r["file"] for r in platform.records if "file" in r}
        assert named == set(platform.photos)
    sessions = of_kind(demo, "session")
    assert len(of_kind(demo, "snapshot")) < 3 * len(sessions)


def test_the_assessment_is_planned_for_the_next_window(demo):
    for klass in of_kind(demo, "class"):
        assert klass["assessment"]["planned_on"] == "2026-12-15"


def test_a_bundle_is_the_same_bytes_for_the_same_county():
    def made() -> bytes:
        platform = county(TODAY, media_s=300.0).platforms[1]
        buffer = io.BytesIO()
        bundle.write(buffer, platform.records, platform.photos, lambda photo: repr(photo).encode())
        return buffer.getvalue()

    first = made()
    assert first == made()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        records = [json.loads(line) for line in archive.read("records.ndjson").splitlines()]
        assert records[0]["kind"] == "course"
        assert archive.read("photos/reference-shouyin-03-01.jpg")


def test_nobody_in_the_county_studies_outside_the_days_of_the_class(demo: County) -> None:
    days = {
        it["class_id"]: (date.fromisoformat(it["starts_on"]), date.fromisoformat(it["ends_on"]))
        for it in of_kind(demo, "class")
    }
    for record in of_kind(demo, "session"):
        first, last = days[record["class_id"]]
        began = datetime.fromtimestamp(record["started_at_ms"] / 1000, SHANGHAI).date()
        assert first <= began <= last, record["session_id"]
