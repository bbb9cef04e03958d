"""`zhenxue export` and `zhenxue verify`, as people type them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import app.reports
from app.cli.main import main
from app.cli.verify import _WORDS
from app.reports import container
from app.settings import Settings


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(settings.data_dir))
    monkeypatch.delenv("ZHENXUE_DATABASE_URL", raising=False)


def run(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_one_list_is_written_where_it_was_wished(tmp_path: Path) -> None:
    out = tmp_path / "list.xlsx"
    assert run("export", "class-demo", "admitted.xlsx", "--out", str(out)) == 0
    assert out.read_bytes().startswith(b"PK")
    assert out.stat().st_mode & 0o777 == 0o600, "names and numbers of people are in it"


def test_a_package_verifies_without_database_and_settings_and_not_once_it_was_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "audit.zip"
    assert run("export", "class-demo", "--audit", "--out", str(out), "--json") == 0
    key = told(capsys)["public_key"]
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path / "nowhere"))
    assert run("verify", str(out), "--key", key, "--json") == 0
    assert told(capsys)["ok"] is True
    assert run("verify", str(out), "--key", "00" * 32) == 1
    data = bytearray(out.read_bytes())
    data[data.index(b"verdicts/session.ndjson{") + 200] ^= 1
    out.write_bytes(data)
    assert run("verify", str(out)) == 1
    assert "verdicts/session.ndjson" in capsys.readouterr().out
    assert not (tmp_path / "nowhere").exists()


DEED = {"class_id": 1, "step": "payment", "remark": "", "done_ms": 1}
FORGED = [
    {**DEED, "id": 1, "deed": "first", "done_by": "user:jin", "body": {"amount_yuan": "9.00"}},
    {**DEED, "id": 2, "deed": "second", "done_by": "user:jin", "body": {}},
]


def test_forged_payments_are_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "audit.zip"
    assert run("export", "class-demo", "--audit", "--out", str(out)) == 0
    members = container.unpack(out.read_bytes())
    stages = b"".join(json.dumps(it).encode() + b"\n" for it in FORGED)
    out.write_bytes(container.pack({**members, "stages.ndjson": stages}))
    capsys.readouterr()
    assert run("verify", str(out)) == 1
    said = capsys.readouterr().out
    for code in ("hash", "stage", "signatures", "sum", "people"):
        assert f"{_WORDS[code]} " in said and f"[{code}]" in said


def test_whatever_a_check_finds_has_its_words() -> None:
    written = [it.read_text("utf-8") for it in Path(app.reports.__file__).parent.glob("*.py")]
    codes = re.findall(r'(?:PackageProblem|_fail)\([^,()]*,\s*"(\w+)"', "\n".join(written))
    assert len(set(codes)) > 20
    assert set(codes) <= _WORDS.keys()


def test_bad_usage_and_bad_input_exit_with_2(tmp_path: Path) -> None:
    junk = tmp_path / "junk.zip"
    junk.write_bytes(b"junk")
    for arguments in (
        ("export", "nobody", "roster.csv"),
        ("export", "class-demo", "secrets.csv"),
        ("export", "class-demo", "roster.csv", "--all"),
        ("export", "class-demo", "roster.csv", "--photos"),
        ("export", "class-demo", "monthly.csv", "--on", "gestern"),
        ("export", "class-demo", "--all", "--out", str(junk)),
        ("verify", str(junk)),
        ("verify", str(tmp_path / "missing.zip")),
        ("verify", str(junk), "--key", "abc"),
    ):
        assert run(*arguments) == 2, arguments
