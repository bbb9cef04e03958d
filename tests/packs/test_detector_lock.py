"""A released rule cannot change under its version; what decides nothing, or is not out, is free."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.policy import detector_lock, packs
from app.domain.policy.pack_schema import PackError
from detectors import registry
from detectors.policy import LATER

RELEASED, NEXT = "0.1.0", "0.2.0"
EVERY = {it.rule for it in registry.ALL}
ENGINE = detector_lock.ENGINE
AFTER = str(int(registry.ENGINE_VERSION) + 1)
NEVER = "    def never(self) -> int:\n        return 1\n\n"


class Tree:
    """A copy of the detectors, locked in a release, that a test may change."""

    def __init__(self, folder: Path) -> None:
        self.lock = folder
        self.sources = folder / "detectors"
        self.sources.mkdir()
        for path in detector_lock.SOURCES.glob("*.py"):
            shutil.copy(path, self.sources)
        detector_lock.publish(self.lock, self.sources, RELEASED)

    def edit(self, module: str, old: str, new: str) -> None:
        path = self.sources / f"{module}.py"
        text = path.read_text("utf-8")
        assert old in text, f"{module}.py has no {old!r}"
        path.write_text(text.replace(old, new, 1), "utf-8")

    def refused(self, release: str = NEXT) -> set[str]:
        found = detector_lock.check(self.lock, self.sources, release)
        assert all(it.code == "changed_rule" for it in found)
        return {it.pack for it in found}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_the_shipped_detectors_stand_as_locked() -> None:
    assert detector_lock.check(packs.FOLDER) == []
    assert {*detector_lock.read_lock(packs.FOLDER)} - {ENGINE} <= EVERY
    assert ENGINE in detector_lock.read_lock(packs.FOLDER)


def test_a_limit_that_is_a_twentieth_higher_is_refused_under_the_old_version(tree: Tree) -> None:
    assert tree.refused() == set()
    tree.edit("marathon", 'policy[RULE]["', '1.05 * policy[RULE]["')
    (problem,) = detector_lock.check(tree.lock, tree.sources, NEXT)
    assert problem.code == "changed_rule" and problem.pack == "marathon"
    for told in ("marathon version 2", "0.1.0", "detectors/registry.py", "pack check --publish"):
        assert told in problem.detail


def test_publishing_does_not_bless_a_changed_rule_that_was_released(tree: Tree) -> None:
    before = detector_lock.read_lock(tree.lock)
    tree.edit("marathon", 'policy[RULE]["', '1.05 * policy[RULE]["')
    assert detector_lock.publish(tree.lock, tree.sources, NEXT) == []
    assert detector_lock.read_lock(tree.lock) == before
    assert tree.refused() == {"marathon"}


def test_a_higher_version_is_free_and_is_locked_with_the_release_it_is_for(tree: Tree) -> None:
    tree.edit("marathon", 'policy[RULE]["', '1.05 * policy[RULE]["')
    raised = [replace(it, version="9") if it.rule == "marathon" else it for it in registry.ALL]
    assert detector_lock.check(tree.lock, tree.sources, NEXT, raised) == []
    assert detector_lock.publish(tree.lock, tree.sources, NEXT, raised) == ["marathon version 9"]
    line = detector_lock.read_lock(tree.lock)["marathon"]
    assert (line.version, line.release) == ("9", NEXT)
    tree.edit("marathon", "1.05 * ", "1.1 * ")
    later = detector_lock.check(tree.lock, tree.sources, "0.3.0", raised)
    assert [it.pack for it in later] == ["marathon"]


def test_until_a_release_is_out_its_lines_are_renewed(tree: Tree) -> None:
    tree.edit("marathon", 'policy[RULE]["', '1.05 * policy[RULE]["')
    (problem,) = detector_lock.check(tree.lock, tree.sources, RELEASED)
    assert "renews its line" in problem.detail
    renewed = detector_lock.publish(tree.lock, tree.sources, RELEASED)
    assert renewed == ["marathon version 2"] and tree.refused(RELEASED) == set()


def test_a_rule_that_no_release_has_is_free(tree: Tree) -> None:
    lines = (tree.lock / detector_lock.LOCK).read_text("utf-8").splitlines(keepends=True)
    kept = [it for it in lines if not it.startswith("marathon")]
    (tree.lock / detector_lock.LOCK).write_text("".join(kept), "utf-8")
    tree.edit("marathon", 'policy[RULE]["', '1.05 * policy[RULE]["')
    assert tree.refused() == set()
    assert detector_lock.publish(tree.lock, tree.sources, NEXT) == ["marathon version 2"]


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("marathon", '"""', '"""Otherwise said. '),
        ("marathon", "\n\ndef detect(", "\n\n\n# as the plan has it\ndef detect("),
        ("marathon", "import numpy as np\n", "import numpy as np  # columns\n"),
        ("marathon", "RULE = ", "UNUSED = 7\nRULE = "),
        ("policy", "    @property\n    def runs", NEVER + "    @property\n    def runs"),
        ("assess", "def acts(", "def never() -> None: ...\n\n\ndef acts("),
    ],
    ids=["docstring", "comment", "margin", "constant", "method", "engine"],
)  # fmt: skip
def test_what_no_rule_decides_by_changes_no_digest(
    tree: Tree, module: str, old: str, new: str
) -> None:
    tree.edit(module, old, new)
    assert tree.refused() == set()


def test_what_a_rule_calls_elsewhere_counts_as_its_own(tree: Tree) -> None:
    tree.edit("crowd", "def ", "def before() -> int:\n    return 1\n\n\ndef ")
    assert tree.refused() == set()
    tree.edit("popups", ">= ", "> ")
    assert {"popup_gap"} <= tree.refused() < EVERY


def test_what_makes_the_facts_counts_for_every_rule(tree: Tree) -> None:
    tree.edit("excursions", "STRAY_MS = ", "STRAY_MS = 1 + ")
    assert tree.refused() == EVERY | {ENGINE}


def test_a_default_for_older_packs_counts_for_its_rule_alone(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LATER, "marathon", {"days": 2})
    assert tree.refused() == {"marathon"}


def test_a_lock_that_says_something_else_is_refused(tree: Tree) -> None:
    for line in ('marathon = "2"\n', 'marathon = { version = "2" }\n'):
        (tree.lock / detector_lock.LOCK).write_text(line, "utf-8")
        with pytest.raises(PackError, match="marathon: must have version, release and digest"):
            detector_lock.read_lock(tree.lock)
    line = 'marathon = { version = "2", release = "0.1.0", digest = "any" }\n'
    (tree.lock / detector_lock.LOCK).write_text(line, "utf-8")
    with pytest.raises(PackError, match="64 hex digits"):
        detector_lock.read_lock(tree.lock)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("assess", 'length * rule["coverage"]', 'length * rule["coverage"] * 0.9'),
        ("class_checks", "share >= least", "share > least"),
        ("eligibility", "len(reviewers) >= pack.reviewers", "len(reviewers) > pack.reviewers"),
        ("learner_checks", "count <= most", "count < most"),
    ],
    ids=["class-hours", "class", "enrolment", "learner"],
)
def test_a_conclusion_cannot_change_under_the_engine_s_version(
    tree: Tree, module: str, old: str, new: str
) -> None:
    tree.edit(module, old, new)
    assert tree.refused() == {ENGINE}
    assert detector_lock.check(tree.lock, tree.sources, NEXT, engine=AFTER) == []
