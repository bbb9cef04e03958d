"""Every command that the README and the guides show runs as it is written.

One throw-away installation: the demo service on a free port, with the demo county's platforms.
The README's commands come first, in order; the guides' commands follow in what they left behind.
What is not run here stands in NOT_RUN with the reason.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

from app.cli.main import app as commands
from app.simulation.county import PLANS
from tests.machine import CURL, GENERATOR, Part, lacks

ROOT = Path(__file__).parents[1]
GUIDES = ("README.md", *sorted(f"docs/{it.name}" for it in (ROOT / "docs").glob("*.md")))
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:\.venv/bin/)?zhenxue [^`]+)`")
PROGRAMS = "zhenxue make pip uv curl docker pytest python python3.11 apt-get psql pg_dump".split()

# A block that holds these words is not run, for this reason.
NOT_RUN = {
    "make run": "makes the environment anew over the network; .ci/run does, on a fresh clone",
    "pip install": "the same by hand",
    "docker compose": "needs Docker",
    "duckdb": "a program of the reader's own",
    "zhenxue recordings FOLDER": "needs the reader's own films; tests/cli has one",
    "@花名册.xlsx": "needs the reader's own table; tests/api/test_tables.py has some",
    "zhenxue serve": "serves until it is stopped; tests/e2e/test_setups.py begins so",
    "keys master announce": "needs a new key in a file; `make drills` exchanges one",
    "zhenxue restore": "needs an empty machine; tests/jobs/test_backup.py makes one",
    "--attacks FOLDER": "needs labelled photos; tests/vision/test_calibrate.py has some",
    "zhenxue calibrate": "needs 78 persons with three photos each, as the guide says",
    "zhenxue partitions cut": "needs PostgreSQL; tests/jobs/test_partitions.py cuts one",
    "zhenxue bench": "loads the machine for minutes; tests/bench has it in small",
    "--live": "takes as long as a lesson; tests/simulation/test_live_on_the_service.py plays it",
    "simulate --county": "draws pictures for a minute; tests/simulation/test_county.py does",
    "php connect.php": "needs PHP; the test below has the guide's program run by it",
    "java Connect.java": "the same with Java",
    "night_study": "lays a rule in the sources; tests/test_adding_a_rule.py does it in a copy",
    "systemd-run": "needs a machine that systemd runs; tests/deploy/test_units.py has the units",
    "pack check --publish": "writes into the sources; tests/packs/test_cli_pack.py has a copy",
}


# Exit code 1 is an answer: these have found something.
FINDS = ("pack diff",)
COMPLAIN = """trap 'echo "!! $? $BASH_COMMAND"' ERR"""


@dataclass(frozen=True)
class Block:
    guide: str
    line: int
    words: str

    @property
    def why_not(self) -> str | None:
        return next((why for mark, why in NOT_RUN.items() if mark in self.words), None)


def blocks(guide: str) -> list[Block]:
    """What a guide tells its reader to type, in order: fenced blocks, and the README's table."""
    text = (ROOT / guide).read_text("utf-8")
    found = [
        (it.start(), it[2]) for it in FENCED.finditer(text) if it[1] in ("sh", "bash", "console")
    ]
    found += [(it.start(), it[1]) for it in INLINE.finditer(text) if it[1].startswith(".venv/")]
    return [Block(guide, text[:at].count("\n") + 1, words) for at, words in sorted(found)]


ALL = [block for guide in GUIDES for block in blocks(guide)]


def test_no_command_hides_outside_the_blocks_that_are_run() -> None:
    for guide in GUIDES:
        text = (ROOT / guide).read_text("utf-8")
        indented = re.findall(r"(?<=\n\n)(?: {4}.*\n)+", FENCED.sub("", text))
        plain = [it[2] for it in FENCED.finditer(text) if it[1] in ("", "text")]
        for line in "\n".join(indented + plain).splitlines():
            assert line.split()[:1] not in [[it] for it in PROGRAMS], f"{guide}: {line}"


def test_every_reason_for_not_running_a_block_is_needed() -> None:
    for mark in NOT_RUN:
        assert any(mark in block.words for block in ALL), mark


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_that_is_named_exists_with_its_options(guide: str) -> None:
    text = (ROOT / guide).read_text("utf-8")
    for command in INLINE.findall(text):
        words = command.removeprefix(".venv/bin/").split()[1:]
        here: Any = typer.main.get_command(commands)
        while words and hasattr(here, "list_commands") and words[0] in here.list_commands(None):
            here = here.get_command(None, words.pop(0))
        known = {name for it in here.params for name in it.opts}
        assert words[:1] in ([], ["…"]) or not hasattr(here, "list_commands") or known, command
        for word in words:
            assert not word.startswith("--") or word in known, f"{guide}: {command}: {word}"


@dataclass(frozen=True)
class Installation:
    folder: Path
    port: int
    environment: dict[str, str]

    def run(self, words: str) -> subprocess.CompletedProcess[str]:
        here = words.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        return subprocess.run(
            ["bash", "-uc", f"{COMPLAIN}\n{here}"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    if shutil.which("curl") is None:
        lacks(CURL)
    folder = tmp_path / "installation"
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHENXUE_")}
    environment = kept | {"PATH": path, "PYTHONUTF8": "1"}
    zhenxue = shutil.which("zhenxue", path=path)
    assert zhenxue, "the package is not installed: make dev"
    made = Installation(folder, port, environment)
    adding = [f"zhenxue platform add {slug} --name {name} --county 示例县" for slug, name in PLANS]
    added = made.run("\n".join(["set -e", *adding]))
    assert added.returncode == 0, added.stderr
    (folder / "data" / "demo-county-loaded").touch()  # its traffic takes a minute
    with (folder / "service.log").open("wb") as log:
        service = subprocess.Popen(
            [zhenxue, "demo", "--port", str(port)],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", service)
        yield made
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(60)


def wait_for(url: str, service: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            assert service.poll() is None, "the service ended"
            assert time.monotonic() < until, "the service did not start"
            time.sleep(0.1)


@pytest.mark.parametrize(
    "guides", [GUIDES[:1], pytest.param(GUIDES, marks=pytest.mark.thorough)], ids=["README", "all"]
)
def test_every_command_of_the_readme_and_the_guides_runs_in_order(
    installation: Installation, guides: tuple[str, ...]
) -> None:
    """One shell for all of them, as a reader has it: what the README sets, the guides use."""
    run = [it for it in ALL if it.why_not is None and it.guide in guides]
    script = "\n".join(
        f"cd '{installation.folder}'\necho '== {it.guide}:{it.line}'\n{it.words}" for it in run
    )
    done = installation.run(script)
    said = done.stdout.split("== ")[1:]
    assert len(said) == len(run), done.stderr
    failed = [line for line in done.stdout.splitlines() if line.startswith("!! ")]
    failed = [it for it in failed if not (it.startswith("!! 1 ") and any(f in it for f in FINDS))]
    assert failed == [], f"{done.stdout}\n{done.stderr}"
    for it in said:
        assert "urn:zhenxue:problem" not in it, it
    connecting = next(it for it in said if '"session_id":"s1"' in it)
    for told in ('"class_hours_total":1', '"enrolled":1', '"accepted":2', '"state":"closed"'):
        assert told in connecting
    tried = [it for it in said if '"sandbox":true' in it]
    assert len(tried) == ("docs/connect.md" in guides)
    for it in tried:
        assert re.search(r"^expired not_proven credited_s=1[12]\d$", it, re.MULTILINE), it
        assert re.search(r'"type":"session.verdict".*"sandbox":true', it), it


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("program", "needs"),
    [
        ("connect.php", ("php", "php-cli php-curl")),
        ("Connect.java", ("java", "default-jdk-headless")),
    ],
)
def test_a_sitting_by_the_program_of_the_connecting_guide_is_credited(
    installation: Installation, program: str, needs: tuple[str, str]
) -> None:
    """Thirty seconds by the clock, after the guide's own key, class and roster."""
    command, packages = needs
    if shutil.which(command) is None:
        lacks(Part(command, f"apt-get install {packages}", GENERATOR.variable))
    text = (ROOT / "docs/connect.md").read_text("utf-8")
    source = next(it[2] for it in FENCED.finditer(text) if f"// {program}" in it[2])
    (installation.folder / program).write_text(source, "utf-8")
    key, people, *_ = blocks("docs/connect.md")
    done = installation.run(f"{key.words}\n{people.words}\n{command} {program}")
    credited = re.search(r"^not_proven credited_s=(\d+)$", done.stdout, re.MULTILINE)
    assert credited, done.stdout + done.stderr
    assert 28 <= int(credited[1]) <= 30
