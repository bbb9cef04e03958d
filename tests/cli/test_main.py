"""The command line: JSON on standard output, one line on standard error, exit codes 0, 1 and 2."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands import outcome
from tests.evidence import START_MS, catalogue, ndjson, picture, sitting, snapshot, zipped
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path / "data"))
    for name in ("ZHENXUE_DATABASE_URL", "ZHENXUE_BLOB_URL", "ZHENXUE_ENV"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command: (exit code, standard output, standard error)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        return outcome(capsys, *arguments)

    return run


def test_a_key_is_made_told_once_and_revoked(run: Any) -> None:
    code, out, _ = run("key", "create", "--platform", "huang-edu", "--scopes", "read", "--json")
    made = json.loads(out)
    assert code == 0
    assert made["key"].startswith("zx_")
    assert (made["platform"], made["scopes"]) == ("huang-edu", ["read"])
    assert made["key"] not in run("key", "list", "--json")[1]
    assert run("key", "revoke", str(made["key_id"]))[0] == 0
    (listed,) = json.loads(run("key", "list", "--json")[1])["keys"]
    assert listed["revoked_at_ms"] is not None


def test_platforms_are_added_and_listed(run: Any) -> None:
    assert run("platform", "add", "huang-edu", "--county", "潢川县", "--json")[0] == 0
    assert json.loads(run("platform", "list", "--json")[1])["platforms"] == [
        {"platform": "huang-edu", "name": "huang-edu", "county": "潢川县"}
    ]


MANY = "9" * 25
PLAY = ("simulate", "--scenario", "F02")


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "create", "--scope", "root"),
        ("key", "create", "--expires", "never"),
        ("key", "create", "--expires", "2001-01-01"),
        ("key", "revoke", "7"),
        ("key", "revoke", "seven"),
        ("platform", "add", "Not A Slug"),
        ("import",),
        ("import", "there-is-no-such-file"),
        ("frobnicate",),
        ("serve", "--port", "http"),
        ("serve", "--port", "65536"),
        ("key", "revoke", MANY),
        ("key", "rotate", MANY),
        ("webhook", "remove", MANY),
        ("webhook", "deliveries", MANY),
        ("webhook", "redeliver", "1", MANY),
        ("purge", "lift", MANY, "--reason", "no reason"),
        ("archive", "run", "--months", MANY),
        ("archive", "return", "--month", "2026-3"),
        ("audit", "verify", "there-is-no-such-file"),
        ("demo", "--today", "yesterday"),
        ("recordings", __file__),
        ("listen", "nowhere", "--service", "http://127.0.0.1:1", "--key", "k"),
        ("listen", "http://127.0.0.1:1", "--service", "nowhere", "--key", "k"),
        ("listen", "http://127.0.0.1:1", "--service", "http://[::1", "--key", "k"),
        ("listen", "http://127.0.0.1:1", "--service", "http://127.0.0.1:1", "--key", "钥匙"),
        ("listen", "http://127.0.0.1:1", "--service", "http://127.0.0.1:1", "--key", "k"),
        (*PLAY, "--live", "http://127.0.0.1:x", "--key", "k"),
        (*PLAY, "--live", "http://127.0.0.1:1/a b", "--key", "k"),
        (*PLAY, "--live", "http://[::1", "--key", "k"),
        (*PLAY, "--live", "http://127.0.0.1:1", "--key", "钥匙"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_with_code_2(run: Any, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.strip()
    assert "Traceback" not in err


def test_a_file_that_cannot_be_read_or_written_is_told_in_a_line(run: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    nobody = str(tmp_path / "nowhere" / "films.xlsx")
    empty, cut, other = (tmp_path / it for it in ("empty.npz", "cut.npz", "other.npy"))
    empty.touch()
    cut.write_bytes(b"PK\3\4")
    np.save(other, np.zeros(3))
    pixels = tmp_path / "pixels"
    pixels.write_bytes(bytes(range(128, 256)))
    assert run("migrate")[0] == 0
    for arguments in (
        ("recordings", str(tmp_path), "--out", nobody),
        ("recordings", str(tmp_path), "--out", str(data)),
        ("keys", "master", "announce", str(pixels)),
        *(("calibrate", "--embeddings", str(it)) for it in (empty, cut, other)),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (2, ""), arguments
        assert err.strip() and "Traceback" not in err, arguments


def test_a_wrong_setting_is_told_in_a_line(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHENXUE_PORT", "http")
    code, _, err = run("key", "list")
    assert code == 2
    assert "port" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("ZHENXUE_PHOTO_TERM_DAY", "365", "is no setting: is ZHENXUE_PHOTO_TERM_DAYS meant?"),
        ("ZHENXUE_DATABSE_URL", "postgresql:///zx", "is ZHENXUE_DATABASE_URL meant?"),
        ("ZHENXUE_MASTERKEY_FILE", "/run/key", "is ZHENXUE_MASTER_KEY_FILE meant?"),
        ("ZHENXUE_EXECUTOR", "threads:4", "ZHENXUE_EXECUTOR is `processes:N`"),
        ("ZHENXUE_TRUSTED_PROXIES", "10.0.0.9/8", "ZHENXUE_TRUSTED_PROXIES: 10.0.0.9/8 has host"),
        ("ZHENXUE_TRUSTED_PROXIES", "proxy", "ZHENXUE_TRUSTED_PROXIES: 'proxy' does not appear"),
        ("ZHENXUE_WEBHOOK_NETWORKS", "abc", "ZHENXUE_WEBHOOK_NETWORKS: 'abc' does not appear"),
        ("ZHENXUE_DATABASE_URL", "mysql://zx@db/zx", "ZHENXUE_DATABASE_URL is postgresql://"),
        ("ZHENXUE_DATABASE_URL", "zx", "ZHENXUE_DATABASE_URL is postgresql://"),
        ("ZHENXUE_BLOB_URL", "/srv/photos", "ZHENXUE_BLOB_URL is an address"),
        ("ZHENXUE_DEFAULT_PACK", "nowhere-2026", "nowhere-2026"),
    ],
)
def test_a_service_does_not_start_on_what_is_misspelt_or_means_nothing(
    run: Any, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    """It started, on an empty database beside the one that was meant, or until the night."""
    monkeypatch.setattr("app.main.run_service", lambda *_, **__: None)
    monkeypatch.setenv(variable, value)
    code, _, err = run("serve")
    assert (code, err.count("\n")) == (2, 1) and told in err


def test_a_service_does_not_start_on_a_list_of_erasures_that_nobody_can_read(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.main.run_service", lambda *_, **__: None)
    assert run("serve")[0] == 0
    (tmp_path / "data" / "erasures.ndjson").write_bytes(b'{"platform":"huang-edu","lear')
    code, _, err = run("serve")
    assert (code, err.count("\n")) == (2, 1) and "erasures.ndjson is no list of erasures" in err


def test_an_empty_database_is_told_with_what_fills_it(run: Any) -> None:
    code, _, err = run("user", "list")
    assert code == 2 and "run `zhenxue migrate` first" in err and len(err.splitlines()) == 1


def test_production_refuses_an_old_database_until_it_is_migrated(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHENXUE_ENV", "production")
    monkeypatch.setenv("ZHENXUE_MASTER_KEY", "a-key-of-this-test-and-of-nothing-else")
    monkeypatch.setenv("ZHENXUE_PUBLIC_URL", "https://zhenxue.example")
    code, _, err = run("key", "list")
    assert code == 2
    assert "zhenxue migrate" in err
    assert json.loads(run("migrate", "--json")[1])["changed"] is True
    assert json.loads(run("migrate", "--json")[1])["changed"] is False
    assert run("key", "list")[0] == 0


def test_the_night_logs_as_the_service_beside_it_does(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHENXUE_LOG_JSON", "true")
    code, _, told = run("nightly")
    events = [json.loads(it)["event"] for it in told.splitlines() if it.strip()]
    assert code == 0 and "no calibration yet" in events


@pytest.mark.parametrize("url", ["", "http://a.example", "a.example", "https://a.example/x?y"])
def test_production_wants_the_address_that_links_lead_to(
    run: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ZHENXUE_ENV", "production")
    monkeypatch.setenv("ZHENXUE_MASTER_KEY", "a-key-of-this-test-and-of-nothing-else")
    monkeypatch.setenv("ZHENXUE_PUBLIC_URL", url)
    code, _, err = run("serve")
    assert code == 2
    assert "ZHENXUE_PUBLIC_URL" in err and len(err.splitlines()) == 1


class TestImport:
    def test_a_good_file_exits_with_0_and_tells_what_it_stored(
        self, run: Any, tmp_path: Path
    ) -> None:
        file = tmp_path / "night.ndjson"
        file.write_bytes(ndjson([*catalogue(), *sitting()]))
        code, out, _ = run("import", str(file), "--json")
        assert code == 0
        assert json.loads(out)["stored"]["session"] == 1
        code, out, _ = run("import", str(file), "--platform", "local")
        assert code == 0
        assert "unchanged: 14" in out

    def test_photos_may_lie_beside_the_records(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "in" / "photos").mkdir(parents=True)
        (tmp_path / "in" / "photos" / "a.png").write_bytes(picture())
        (tmp_path / "outside.png").write_bytes(picture())
        file = tmp_path / "in" / "night.ndjson"
        file.write_bytes(
            ndjson(
                [
                    *catalogue(),
                    *sitting(),
                    snapshot("s1", "photos/a.png", START_MS + 30_000),
                    snapshot("s1", "../outside.png", START_MS + 40_000),
                ]
            )
        )
        code, out, _ = run("import", str(file), "--json")
        report = json.loads(out)
        assert code == 1
        assert report["stored"]["snapshot"] == 1
        assert [(it["line"], it["code"]) for it in report["rejected"]] == [(16, "missing_file")]

    def test_records_may_come_through_a_pipe(
        self, run: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Pipe:
            buffer = io.BytesIO(zipped(catalogue()))

        monkeypatch.setattr(sys, "stdin", Pipe())
        code, out, _ = run("import", "-", "--json")
        assert code == 0
        assert json.loads(out)["stored"] == {"class": 1, "course": 1, "roster": 1}

    def test_what_is_no_import_exits_with_2(self, run: Any, tmp_path: Path) -> None:
        file = tmp_path / "holiday.jpg"
        file.write_bytes(b"\xff\xd8\xff\xe0" * 100)
        code, out, err = run("import", str(file), "--json")
        told = json.loads(out)
        assert (code, told["stored"], told["rejected_total"]) == (2, {}, 1)
        assert told["rejected"][0]["line"] == 1
        assert "no line of it is a record" in err
        code, out, err = run("import", str(file))
        assert code == 2 and out.startswith("stored: nothing") and "line 1" in out and err


def test_records_of_an_import_that_was_killed_over_standard_input_are_swept(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Names and ID numbers, plain: they stayed in the system's temporary folder."""
    elsewhere, incoming = tmp_path / "temporary", tmp_path / "data" / "incoming"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    command = [sys.executable, "-m", "app.cli.main", "import", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as killed:
        assert killed.stdin is not None
        killed.stdin.write(ndjson(catalogue()))
        killed.stdin.flush()
        assert eventually(lambda: [*incoming.glob("*/stdin"), *elsewhere.iterdir()], 30)
        killed.kill()
    kept = tmp_path / "county.ndjson"
    kept.write_bytes(ndjson(catalogue()))
    assert run("import", str(kept))[0] == 0
    assert not [it for it in (*incoming.iterdir(), *elsewhere.iterdir()) if it.name != ".lock"]


def test_help_names_the_commands(run: Any) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in ("serve", "migrate", "import", "key", "platform", "pack", "simulate", "user"):
        assert name in out
