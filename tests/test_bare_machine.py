"""A newcomer's machine: Python, a compiler, git, make, and nothing else that tests could use.

The tests run once more in a process that finds no browser, no curl, no PostgreSQL and no font.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import CHROMIUM, CURL, POSTGRESQL, Part, lacks, not_tried

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[1]
THERE = ("sh", "bash", "git", "make", "cc")
EACH_KIND = (
    "tests/e2e/test_auditor.py::test_a_decision_without_a_reason_is_not_taken",
    "tests/sdk/test_playing.py",
    "tests/sdk/test_windows.py",
    "tests/store/test_schema.py",
    "tests/test_guides.py",
    "tests/reports/test_pdf.py::test_rare_names_are_printed_and_what_the_type_lacks_is_named",
    "tests/console/test_class_requests.py",
)


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in THERE:
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ZHENXUE_", "PYTEST_", "PG"))
    }
    return kept | {
        "PATH": str(programs),
        "ZHENXUE_TEST_POSTGRES_URL": "none",
        "FONTCONFIG_FILE": os.devnull,
        "PYTHONUTF8": "1",
    }


def test_the_tests_pass_there_and_say_what_they_could_not_try(bare: dict[str, str]) -> None:
    """Warnings of imports are errors, as everywhere in the tests."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *EACH_KIND],
        cwd=ROOT, env=bare, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    told = done.stdout[done.stdout.index("not tried on this machine") :]
    for part in (CHROMIUM, CURL, POSTGRESQL):
        (line,) = [it for it in told.splitlines() if it.startswith(f"{part.name}: ")]
        assert line.endswith(part.brought_by)
    assert " passed" in told and "failed" not in told and "error" not in told


@pytest.mark.parametrize("part", [CHROMIUM, CURL, POSTGRESQL], ids=lambda it: it.name)
def test_what_is_required_and_missing_is_a_failure(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(part.variable, raising=False)
    with pytest.raises(pytest.skip.Exception, match=part.brought_by):
        lacks(part)
    monkeypatch.setenv(part.variable, "1")
    with pytest.raises(pytest.fail.Exception, match=part.name):
        lacks(part)


def test_other_reasons_to_skip_are_not_told_as_missing_parts() -> None:
    assert not_tried(["compares people with each other"]) == []
