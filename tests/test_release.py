"""What goes out: a list of its parts that is always the same, looked up and signed."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.advisories import concerns

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **more)


def made(path: Path) -> dict[str, Any]:
    run(sys.executable, "-m", "tests.bill", path, check=True)
    bill: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return bill


@pytest.mark.thorough
def test_the_bill_of_materials_names_all_that_is_locked_and_is_always_the_same(
    tmp_path: Path,
) -> None:
    bill = made(tmp_path / "one.json")
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.M)
    assert len(locked) > 50
    assert {(it["name"], it["version"]) for it in bill["components"]} >= set(locked)
    assert all(it["externalReferences"][0]["hashes"] for it in bill["components"])
    made(tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert "pypi.org" not in (tmp_path / "one.json").read_text()


@pytest.mark.parametrize(
    ("version", "hit"),
    [("0.9", False), ("1.0", True), ("1.4.9", True), ("1.5", False), ("2.0", True), ("2.2", False)],
)
def test_an_advisory_concerns_the_versions_of_its_ranges(version: str, hit: bool) -> None:
    events = [{"introduced": "1.0"}, {"fixed": "1.5"}]
    more = [{"introduced": "2.0"}, {"last_affected": "2.1"}]
    entry = {"ranges": [{"type": "ECOSYSTEM", "events": it} for it in (events, more)]}
    assert concerns(entry, version) is hit


def advisory(name: str, fixed: str) -> dict[str, Any]:
    package = {"name": name, "ecosystem": "PyPI"}
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    return {
        "id": "TEST-1",
        "summary": "made up",
        "affected": [{"package": package, "ranges": ranges}],
    }


@pytest.mark.thorough
@pytest.mark.parametrize(("fixed", "code"), [("0.0.1", 0), ("9999", 1)])
def test_what_is_locked_is_looked_up_in_a_copy_of_the_advisories(
    tmp_path: Path, fixed: str, code: int
) -> None:
    if not importlib.util.find_spec("pip_audit"):
        pytest.skip("not tried: no pip-audit here")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("TEST-1.json", json.dumps(advisory("alembic", fixed)))
    lock = tmp_path / "a.lock"
    lock.write_text(f"alembic==1.20.1 --hash=sha256:{'0' * 64}\n")
    told = run(sys.executable, "-m", "tests.advisories", tmp_path / "all.zip", lock)
    assert told.returncode == code, told.stdout + told.stderr
    assert ("TEST-1" in told.stdout) is bool(code)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="not tried: no ssh-keygen here")
def test_what_was_signed_verifies_and_what_was_changed_does_not(tmp_path: Path) -> None:
    """By the very lines of docs/deploy/release.md."""
    page = (ROOT / "docs/deploy/release.md").read_text("utf-8")
    lines = re.findall(r"^ssh-keygen .*(?:\n  .*)*", page, re.M)
    make, sign, verify = (it.replace("\\\n", "") for it in lines)
    (tmp_path / "SHA256SUMS").write_text("00  zhenxue.whl\n")

    def ran(line: str) -> int:
        return subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True).returncode

    assert ran(make + " -N '' -q") == 0
    key = (tmp_path / "release_key.pub").read_text()
    (tmp_path / "allowed_signers").write_text(f"release@zhenxue {key}")
    assert ran(sign) == 0
    assert ran(verify) == 0
    (tmp_path / "SHA256SUMS").write_text("11  zhenxue.whl\n")
    assert ran(verify) != 0
