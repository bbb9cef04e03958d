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
    "a role that may not": Guard(
        "app/console/login.py",
        "if login.user.role not in roles:",
        "if False:",
        "tests/walk/test_console.py::test_a_form_is_refused_to_a_role_that_may_not",
    ),
    "a role that only reads": Guard(
        "app/api/auth.py",
        "if login.user.role not in WRITES:",
        "if False:",
        "tests/walk/test_api.py::test_who_reads_writes_nothing",
    ),
    "a key without the scope": Guard(
        "app/api/auth.py",
        "if scope not in caller.scopes:",
        "if False:",
        "tests/walk/test_api.py::test_a_key_does_only_what_its_scopes_say",
    ),
    "another county": Guard(
        "app/store/scope.py",
        "condition = condition & TrainingClass.county.in_(self.counties)",
        "pass",
        "tests/walk/test_api.py::test_people_of_elsewhere_find_nothing_of_this_county",
    ),
    "another platform": Guard(
        "app/store/scope.py",
        "condition = condition & (TrainingClass.platform_id == self.platform_id)",
        "pass",
        "tests/walk/test_api.py::test_a_foreign_platforms_key_finds_nothing_of_this_one",
    ),
    "another school": Guard(
        "app/store/scope.py",
        "condition = condition & (TrainingClass.institution_id == self.institution_id)",
        "pass",
        "tests/walk/test_api.py::test_people_of_elsewhere_find_nothing_of_this_county",
    ),
    "a platform of another county in a search": Guard(
        "app/store/catalogue/finder.py",
        "        scope.covers_platform(),\n",
        "",
        "tests/walk/test_elsewhere.py",
    ),
    "a second factor that is due": Guard(
        "app/domain/accounts/second_factors.py",
        "late and not login.confirmed:",
        "False:",
        "tests/console/test_second_factor.py",
    ),
    "a learner's link of another hand": Guard(
        "app/domain/review/learner_link.py",
        "if not vault.signed(",
        "if False and not vault.signed(",
        "tests/walk/test_console.py::test_a_learners_link_opens_only_that_learners_page",
    ),
    "a look at a photo without a purpose": Guard(
        "app/domain/faces/photo_viewing.py",
        "if not MIN_PURPOSE <= len(why) <= MAX_PURPOSE:",
        "if False:",
        "tests/console/test_photos.py",
    ),
    "a file of a case that nobody enters": Guard(
        "app/domain/review/case_desk.py",
        'log(connection, user.actor, "case.file_opened", case_id, now_ms, note=note_id)',
        "pass",
        "tests/console/test_cases.py",
    ),
    "an address inside the house": Guard(
        "app/jobs/outbound.py",
        "if any(address in network for network in _SPECIAL):",
        "if False:",
        "tests/jobs/test_webhooks.py",
    ),
    "the values of an error in the log": Guard(
        "app/db.py",
        "hide_parameters=True",
        "hide_parameters=False",
        "tests/test_logging.py",
    ),
    "an answer of the sign-on service to somebody else": Guard(
        "app/http/sign_on.py",
        'if answer.get("state") != begun.state or',
        "if",
        "tests/console/test_sign_on.py",
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
