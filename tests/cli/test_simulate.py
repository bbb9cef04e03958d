"""`zhenxue simulate` as a person and a script use it."""

from __future__ import annotations

import json
import zipfile

import pytest
from typer.testing import CliRunner

from app.cli.simulate import app
from app.simulation.scenarios import SCENARIOS


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_the_list_names_every_scenario():
    listed = json.loads(run("--list", "--json").stdout)["scenarios"]
    assert [entry["id"] for entry in listed] == list(SCENARIOS)
    assert "time_warp_4x" in run("--list").stdout


def test_a_scenario_goes_to_standard_output_as_records():
    lines = run("--scenario", "f02", "--lesson-seconds", "600").stdout.splitlines()
    assert json.loads(lines[0])["kind"] == "course"


def test_a_scenario_goes_to_a_file_with_its_photos(tmp_path):
    file = tmp_path / "h01.zip"
    told = json.loads(run("--scenario", "H01", "--out", str(file), "--json").stdout)
    assert told["expected"]["outcome"] == "valid"
    with zipfile.ZipFile(file) as archive:
        assert len(archive.namelist()) == 1 + told["photos"]


def test_records_alone_go_to_an_ndjson_file(tmp_path):
    file = tmp_path / "h01.ndjson"
    assert run("--scenario", "H01", "--out", str(file)).exit_code == 0
    assert file.read_bytes().count(b"\n") > 270


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--scenario", "X9"),
        ("--scenario", "F02", "--list"),
        ("--county",),
        ("--scenario", "F02", "--live", "http://127.0.0.1:9"),
        ("--scenario", "F02", "--live", "ftp://x", "--key", "k"),
        ("--scenario", "F02", "--live", "http://127.0.0.1:9", "--key", "k"),
    ],
)
def test_bad_usage_and_an_absent_service_exit_with_2(arguments, monkeypatch):
    monkeypatch.delenv("ZHENXUE_API_KEY", raising=False)
    assert run(*arguments).exit_code == 2
