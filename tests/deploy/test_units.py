"""The systemd units of docs/deploy, held to each other and to what the programs take."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "docs/deploy"
UNITS = pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda it: it.stem)


def lines(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)


def shut(unit: Path) -> list[str]:
    text = unit.read_text("utf-8").partition("LimitNOFILE=")[2].partition("\n[")[0]
    return text.split()


def test_there_is_a_unit_for_each_part() -> None:
    started = {" ".join(lines(it, "ExecStart")[0].split()[:2]) for it in DEPLOY.glob("*.service")}
    parts = ("zhenxue serve", "zhenxue worker", "zhenxue migrate", "dask scheduler", "dask worker")
    assert started == {f"/opt/zhenxue/bin/{it}" for it in parts}


@UNITS
def test_every_unit_is_shut_as_the_service_is(unit: Path) -> None:
    assert shut(unit) == shut(DEPLOY / "zhenxue@.service")
    assert "ProtectSystem=strict" in shut(unit) and lines(unit, "User") == ["zhenxue"]


@UNITS
def test_a_unit_can_write_where_its_data_folder_is(unit: Path) -> None:
    """ProtectSystem=strict leaves it the state directory and a /tmp of its own."""
    folders = re.findall(r"ZHENXUE_DATA_DIR=(\S+)", unit.read_text("utf-8"))
    assert folders == [f"/var/lib/{it}" for it in lines(unit, "StateDirectory")]
    assert len(folders) == (0 if unit.stem == "zhenxue-dask-scheduler" else 1)


@UNITS
def test_a_unit_starts_what_there_is_with_options_that_it_takes(unit: Path) -> None:
    (start,) = lines(unit, "ExecStart")
    program, command, *words = start.split()
    done = subprocess.run(
        [Path(sys.executable).parent / Path(program).name, command, "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert all(it in done.stdout for it in words if it.startswith("--"))
