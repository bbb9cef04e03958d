"""`zhenxue validate`: the class's verdicts on standard output, and nothing else there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import outcome
from tests.evidence import catalogue, ndjson, sitting


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command on a data folder of its own: (exit code, standard output, standard error)."""
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ZHENXUE_FACE_WORKERS", "0")
    for name in ("ZHENXUE_DATABASE_URL", "ZHENXUE_BLOB_URL", "ZHENXUE_ENV"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        return outcome(capsys, *arguments)

    return run


@pytest.fixture
def taken(run: Any, tmp_path: Path) -> Path:
    """Lin's minute of study, imported for platform `huang-edu`."""
    file = tmp_path / "night.ndjson"
    file.write_bytes(ndjson([*catalogue(), *sitting(beats=6)]))
    assert run("import", str(file), "--platform", "huang-edu", "--json")[0] == 0
    return file


def test_it_prints_every_verdict_of_the_class(run: Any, taken: Path) -> None:
    code, out, _ = run("validate", "c1", "--platform", "huang-edu", "--json")
    told = json.loads(out)
    assert code == 0
    assert set(told) == {"class", "enrolments", "class_hours", "sessions", "findings", "run"}
    assert told["class"]["class_id"] == "c1"
    assert {it["learner_id"] for it in told["enrolments"]} == {"lin", "wu"}
    assert len(told["class_hours"]) == 2 * 3
    (session,) = told["sessions"]
    assert session["session_id"] == "s1" and session["lesson_id"] == "l1"
    assert "face_liveness" in {it["rule"] for it in told["findings"]}


def test_again_it_prints_the_same(run: Any, taken: Path) -> None:
    first, second = (json.loads(run("validate", "c1", "--json")[1]) for _ in range(2))
    assert first.pop("run")["verdicts_stored"] > second.pop("run")["verdicts_stored"] == 0
    assert first == second


def test_people_read_sentences(run: Any, taken: Path) -> None:
    code, out, _ = run("validate", "c1")
    assert code == 0
    assert "3个课时没有学完：第1–3课时。" in out and "not_proven" in out


def test_an_unknown_class_or_platform_is_refused(run: Any, taken: Path) -> None:
    assert run("validate", "c9", "--json")[0] == 2
    code, out, err = run("validate", "c1", "--platform", "guang-edu", "--json")
    assert (code, out) == (2, "") and "there is no class 'c1'" in err
    assert run("validate")[0] == 2


def test_a_class_that_two_platforms_have_needs_the_platform(run: Any, taken: Path) -> None:
    run("import", str(taken), "--platform", "guang-edu", "--json")
    code, _, err = run("validate", "c1", "--json")
    assert code == 2 and "several platforms" in err
    assert run("validate", "c1", "--platform", "guang-edu", "--json")[0] == 0
