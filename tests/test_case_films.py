"""Files of real kinds of mishap, imported as they lie: nobody is accused, and the hours count."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

from app.domain.catalogue.id_numbers import check_digit
from tests.cli.test_validate import run

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
