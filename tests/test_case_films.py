"""Files of real kinds of mishap, imported as they lie: nobody is accused, and the hours count."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db import Database
from app.domain.id_numbers import check_digit
from app.domain.judging import assess
from app.simulation import bundle
from app.simulation.environment import Setting
from app.simulation.scenarios import perform
from models import Finding, Session
from tests.cli.test_validate import run

pytestmark = pytest.mark.thorough

__all__ = ["run"]
CASES = Path(__file__).parent / "cases"
CUT = "000000198002020000"  # of two people, after Excel kept fifteen digits


def judged(run: Any, klass: str) -> dict[str, Any]:
    code, out, err = run("validate", klass, "--json")
    assert code in (0, 1), err
    told: dict[str, Any] = json.loads(out)
    return told


def taken(run: Any, name: str) -> None:
    code, _, err = run("import", str(CASES / name), "--json")
    assert code == 0, err


def accused(told: dict[str, Any]) -> list[Any]:
    return [it for it in told["findings"] if it["fault"] == "learner"]


def corrected(folder: Path, body: dict[str, Any]) -> None:
    """The authority records what a lesson's film really holds."""
    database = next((folder / "data").rglob("*.sqlite*"))
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO acts (kind, class_id, body, reason, document, recorded_by, recorded_ms,"
            " approved_by, approved_ms) SELECT 'lesson_length', id, ?, 'measured', '', 'user:zhao',"
            " 1, 'user:zhao', 1 FROM classes",
            (json.dumps(body),),
        )


def test_two_reloads_of_the_source_accuse_nobody_and_cost_nothing(run: Any) -> None:
    taken(run, "reload2.zip")
    told = judged(run, "cls-reload2")
    assert accused(told) == []
    assert not [it for it in told["findings"] if it["rule"] == "fast_forward"]
    assert sum(it["credited_ms"] for it in told["sessions"]) >= 2_600_000


def test_a_short_film_is_the_catalogue_s_and_its_hours_count_once_it_is_corrected(
    run: Any, tmp_path: Path
) -> None:
    taken(run, "short-film-5-learners.zip")
    told = judged(run, "cls-many")
    assert accused(told) == []
    (case,) = [it for it in told["findings"] if it["rule"] == "lesson_length"]
    assert (case["measured"], case["limit"], case["fault"]) == (2500.0, 2700.0, "platform")
    assert case["subject"] == "lesson:crs-many-01"
    assert len(case["members"]) == 5
    assert {it["length_ms"] for it in told["class_hours"]} == {2_700_000}

    corrected(tmp_path, {"lesson_id": "crs-many-01", "media_seconds": 2500})
    again = judged(run, "cls-many")
    assert [it for it in again["findings"] if it["rule"] == "lesson_length"] == []
    hours = [it for it in again["class_hours"] if it["class_hour"] == 1]
    assert {it["length_ms"] for it in hours} == {2_500_000}
    assert [it["outcome"] for it in hours] == ["valid"] * 5
    assert {it["outcome"] for it in again["sessions"]} == {"valid"}
    assert all(it["coverage"] >= 0.98 for it in hours)


def test_a_package_made_after_a_length_was_corrected_replays(run: Any, tmp_path: Path) -> None:
    taken(run, "short-film-5-learners.zip")
    corrected(tmp_path, {"lesson_id": "crs-many-01", "media_seconds": 2500})
    told = judged(run, "cls-many")
    assert {it["length_ms"] for it in told["class_hours"] if it["class_hour"] == 1} == {2_500_000}
    package = tmp_path / "class.zip"
    assert run("export", "cls-many", "--audit", "--out", str(package))[0] == 0
    code, out, err = run("verify", str(package))
    assert code == 0, out + err


def test_two_people_under_a_number_that_was_cut_are_both_kept_out_by_name(run: Any) -> None:
    code, out, _ = run("import", str(CASES / "excel-same-id.zip"), "--json")
    report = json.loads(out)
    assert code == 1 and "roster" not in report["stored"] and "session" not in report["stored"]
    cut = [it["detail"] for it in report["rejected"] if it["code"] == "id_number_cut"]
    assert len(cut) == 2 and "林xlA：" in cut[0] and "林xlB：" in cut[1]
    told = judged(run, "cls-xlA")
    assert told["findings"] == told["sessions"] == told["enrolments"] == []
    assert told["class"]["outcome"] == "pending"


def test_two_people_under_one_whole_number_are_not_accused_of_studying_twice(
    run: Any, tmp_path: Path
) -> None:
    """The same file, had somebody put a check digit to the number that was cut."""
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(CASES / "excel-same-id.zip") as cut, zipfile.ZipFile(whole, "w") as file:
        for name in cut.namelist():
            data = cut.read(name)
            if name == "records.ndjson":
                data = data.replace(CUT.encode(), f"{CUT[:17]}{check_digit(CUT[:17])}".encode())
            file.writestr(name, data)
    code, out, _ = run("import", str(whole), "--json")
    shared = [
        it["detail"] for it in json.loads(out)["rejected"] if it["code"] == "id_number_shared"
    ]
    assert code == 1 and len(shared) == 2
    assert all("林xlA（" in it and "林xlB（" in it for it in shared)
    assert judged(run, "cls-xlA")["findings"] == []


def test_a_log_whose_times_contradict_its_own_sitting_proves_nothing(run: Any) -> None:
    taken(run, "ov-shift.zip")
    told = judged(run, "cls-ovs")
    assert accused(told) == []
    (found,) = [it for it in told["findings"] if it["rule"] == "contradicting_times"]
    assert (found["outcome"], found["fault"]) == ("not_proven", "platform")
    assert found["session_id"] == "s-ovs-lin-ovs-crs-ovs-02-1"
    outcomes = {it["class_hour"]: it["outcome"] for it in told["class_hours"]}
    assert outcomes == {1: "valid", 2: "not_proven", 3: "not_started"}


@pytest.fixture
def hole(tmp_path: Path) -> tuple[Path, Path]:
    """Six learners of one class whose players all jump over 20:00 to 22:00 of the film: five of
    them in one file, and the sixth, who comes later, in another."""
    scene = perform("H45", setting=Setting(lessons=1))
    last = scene.setting.learner.learner_id
    sittings = {it["session_id"]: it["learner_id"] for it in scene.evidence if "learner_id" in it}
    files = tmp_path / "five.zip", tmp_path / "sixth.zip"
    for file, wanted in zip(files, (False, True), strict=True):
        own = [it for it in scene.evidence if (sittings[it["session_id"]] == last) is wanted]
        named = {it["file"] for it in (*own, *scene.catalogue) if "file" in it}
        photos = {name: it for name, it in scene.photos.items() if name in named}
        bundle.write(file, [*scene.catalogue, *own] if not wanted else own, photos)
    return files


def test_a_film_that_lacks_a_stretch_is_the_catalogue_s_and_whole_once_that_is_recorded(
    run: Any, tmp_path: Path, hole: tuple[Path, Path]
) -> None:
    for file in hole:
        code, _, err = run("import", str(file), "--platform", "huang-edu", "--json")
        assert code == 0, err
    told = judged(run, "class-demo")
    assert accused(told) == []
    (case,) = [it for it in told["findings"] if it["rule"] == "lesson_length"]
    assert (case["reason"], case["fault"], len(case["members"])) == ("skipped", "platform", 6)
    assert case["stretches"] == [[1_200_000, 1_320_000]]
    assert "20:00–22:00" in case["sentence"]["zh"] and "20:00–22:00" in case["sentence"]["en"]
    assert {it["outcome"] for it in told["sessions"]} == {"valid"}
    assert {it["outcome"] for it in told["class_hours"]} == {"incomplete"}

    recorded = {"lesson_id": "course-demo-01", "media_seconds": 2700, "skipped": [[1200, 1320]]}
    corrected(tmp_path, recorded)
    again = judged(run, "class-demo")
    assert [it for it in again["findings"] if it["rule"] == "lesson_length"] == []
    assert accused(again) == []
    assert [it["outcome"] for it in again["class_hours"]] == ["valid"] * 6
    assert {it["length_ms"] for it in again["class_hours"]} == {2_580_000}
    for sitting in again["sessions"]:
        spans = sorted((start, end) for start, end, _, _ in sitting["credited"])
        assert spans[-1][1] >= 2_698_000  # by the player, not along the film
        assert not any(start < 1_320_000 and end > 1_200_000 for start, end in spans)

    package = tmp_path / "class.zip"
    assert run("export", "class-demo", "--audit", "--out", str(package))[0] == 0
    code, out, err = run("verify", str(package))
    assert code == 0, out + err


def test_one_learner_judged_alone_comes_to_what_the_whole_class_came_to(
    run: Any, tmp_path: Path, hole: tuple[Path, Path]
) -> None:
    assert run("import", str(hole[0]), "--platform", "huang-edu")[0] == 0
    judged(run, "class-demo")
    database = Database(f"sqlite:///{next((tmp_path / 'data').rglob('*.sqlite*'))}")
    everybody = select(Session.learner_id).distinct()
    with database.write() as connection:
        known = set(connection.execute(everybody).scalars())
        for learner_id in known:
            alone = assess.judge_learner(connection, 1, learner_id, 1)
            assert (alone.verdicts, alone.new_findings) == (0, [])
    assert run("import", str(hole[1]), "--platform", "huang-edu")[0] == 0
    with database.write() as connection:
        (newcomer,) = set(connection.execute(everybody).scalars()) - known
        alone = assess.judge_learner(connection, 1, newcomer, 2)
        assert alone.verdicts > 0 and alone.new_findings == []
        assert assess.judge_sittings(connection, 1, 3).verdicts == 0
        stands = select(Finding.rule, Finding.fault).where(Finding.status != "gone")
        assert [tuple(it) for it in connection.execute(stands)] == [("lesson_length", "platform")]
