"""Files of real kinds of mishap, imported as they lie: nobody is accused, and the hours count."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.cli.test_validate import run

__all__ = ["run"]
CASES = Path(__file__).parent / "cases"


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
