"""docs/adding-a-rule.md does what it says: its commands and its files, in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import outcome

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/adding-a-rule.md").read_text("utf-8")
SECTION = re.compile(r"^## \d\. .*?$", re.M)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
ZHENXUE = [sys.executable, "-c", "from app.cli.main import main; main()"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the guide touches, and what its commands need."""
    left = shutil.ignore_patterns("e2e", "vision")
    for part in ("app", "detectors", "models", "tests"):  # with what was compiled of them
        shutil.copytree(ROOT / part, tmp_path / part, ignore=left if part == "tests" else None)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    known = {"zhenxue": ZHENXUE, "python": [sys.executable]}
    environment = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.run(
        [*known[words[0]], *words[1:]],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def files(tree: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file()
        and not any(it[0] in "._" for it in path.relative_to(tree).parts if it != "__init__.py")
    }


def enter(tree: Path, heading: str, text: str) -> None:
    """Put a block of the guide where its section's heading says."""
    named = re.search(r"`([\w/]+\.\w+)`", heading)
    if named and "registry" in named[1]:
        assert text in (tree / named[1]).read_text("utf-8")  # the command wrote it
    elif named:
        (tree / named[1]).write_text(text, "utf-8")
    else:
        (path,) = [
            it for it in (tree / "detectors/packs").glob("*.toml") if "night" in it.read_text()
        ]
        head = path.read_text("utf-8").partition("[rules.")[0]
        path.write_text(head + text, "utf-8")


@pytest.mark.thorough
def test_the_guide_adds_a_rule_in_five_files_and_two_locks(tree: Path) -> None:
    before = files(tree)
    heading, at = "", 0
    commands = 0
    for block in BLOCK.finditer(GUIDE):
        for section in SECTION.finditer(GUIDE, at, block.start()):
            heading = section[0]
        at = block.start()
        language, text = block.groups()
        if language != "sh":
            enter(tree, heading, text)
            continue
        for line in text.splitlines():
            commands += 1
            answer = run(tree, *line.split())
            assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    assert commands == 3
    after = files(tree)
    touched = {name for name in after if after[name] != before.get(name)}
    locks = {"detectors/packs/packs.lock", "detectors/packs/detectors.lock"}
    assert len(touched - locks) == 5, touched
    (pack,) = [name for name in touched if name.endswith(".toml") and "packs/" in name]
    assert re.fullmatch(r"detectors/packs/huangchuan-2021-graded@\d+\.\d+\.0\.toml", pack)
    assert touched - locks == {
        pack,
        "detectors/night_study.py",
        "detectors/night_study.toml",
        "detectors/registry.py",
        "tests/detectors/test_night_study.py",
    }
    later = run(
        tree, *"python -m pytest -q tests/packs/test_packs.py tests/packs/test_cli_pack.py".split()
    )
    assert later.returncode == 0, later.stdout[-3000:]


@pytest.mark.thorough
def test_what_was_laid_works_and_cannot_be_published_unwritten(tree: Path) -> None:
    assert run(tree, "zhenxue", "rule", "new", "night_study").returncode == 0
    tested = run(tree, "python", "-m", "pytest", "-q", "tests/detectors/test_night_study.py")
    assert tested.returncode == 0, tested.stdout[-3000:]
    locks = {name: it for name, it in files(tree).items() if name.endswith(".lock")}
    refused = run(tree, "zhenxue", "pack", "check", "--publish")
    assert refused.returncode == 2 and "night_study.toml: write what stands as" in refused.stderr
    assert {name: it for name, it in files(tree).items() if name.endswith(".lock")} == locks
    told = run(tree, "zhenxue", "pack", "check")
    assert told.returncode == 1 and "unwritten_rule: night_study.toml" in told.stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("NightStudy",), "small letters and underscores"),
        (("popup_gap",), "is there already"),
        (("night_study", "--pack", "henan"), "no pack 'henan'"),
        (("night_study", "--tree", "docs"), "no source tree"),
    ],
)
def test_a_rule_that_cannot_be_laid_is_refused_in_one_line(
    words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, refused = outcome(capsys, "rule", "new", *words)
    assert code == 2 and problem in refused
    assert len(refused.strip().splitlines()) == 1
