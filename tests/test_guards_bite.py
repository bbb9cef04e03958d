"""Guards are taken out of a copy of the sources, one by one: the test that holds it must fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("app", "detectors", "migrations", "models", "tests", "docs", "pyproject.toml")
ONE_FAILED = 1


@dataclass(frozen=True)
class Guard:
    file: str
    words: str
    without: str
    test: str


GUARDS = {
    "a key that ended": Guard(
        "app/http/keyring.py",
        "if now_ms >= key.ends_ms():",
        "if False:",
        "tests/api/test_keys.py::test_a_key_ends_at_its_expiry_even_while_remembered",
    ),
    "a revocation elsewhere": Guard(
        "app/http/keyring.py",
        "CACHE_MS = 5_000",
        "CACHE_MS = 5_000_000",
        "tests/api/test_keys.py::test_a_revocation_elsewhere_bites_within_five_seconds",
    ),
    "the wrong master key": Guard(
        "app/domain/accounts/master_key.py",
        "if any(_opens(master, it) for it in known):",
        "if known:",
        "tests/domain/accounts/test_master_key.py",
    ),
    "a person entered by a key that was exchanged": Guard(
        "app/store/catalogue/people.py",
        "    vault_keys.require_newest(connection, id_hash)\n",
        "",
        "tests/domain/accounts/test_keyring.py",
    ),
    "the audit log's former key": Guard(
        "app/store/accounts/audit.py",
        "return last if sealed and len(keys) > 1 else None",
        "return None",
        "tests/domain/accounts/test_keyring.py",
    ),
    "time that runs backwards": Guard(
        "app/store/events/events.py",
        "received_ms < head.last_recv_ms:",
        "False:",
        "tests/test_outages.py::TestClockThatIsSet",
    ),
    "a folder without its marker": Guard(
        "app/store/faces/blobs.py",
        "if not self._may_found():",
        "if False:",
        "tests/test_outages.py::TestPhotoFolder",
    ),
    "a night that another service ran": Guard(
        "app/domain/runs.py",
        "begun_ms >= due_ms",
        "False",
        "tests/jobs/test_nightly_scheduler.py",
    ),
    "an old memory of a sitting": Guard(
        "app/domain/controls/scheduler.py",
        "return batch.number <= self.number + 1",
        "return True",
        "tests/api/test_two_services.py",
    ),
    "a form of another site": Guard(
        "app/console/login.py",
        "if not csrf_matches(login",
        "if False and not csrf_matches(login",
        "tests/console/test_access.py",
    ),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        if (ROOT / name).is_dir():
            left = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=left)
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.mark.thorough
@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_without_its_guard_the_test_that_holds_it_fails(tree: Path, guard: Guard) -> None:
    path = tree / guard.file
    whole = path.read_text("utf-8")
    assert guard.words in whole, "the guard has other words now"
    path.write_text(whole.replace(guard.words, guard.without), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not thorough", guard.test]
    try:
        tried = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=300)
    finally:
        path.write_text(whole, "utf-8")
    assert tried.returncode == ONE_FAILED, tried.stdout[-2000:] + tried.stderr[-2000:]
    assert "SyntaxError" not in tried.stdout and "failed" in tried.stdout
