"""A client that a generator makes of the document, in TypeScript, goes through a whole sitting.

The generator and its packages are pinned in tests/contract/client. Nothing generated is kept.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.db import Database
from tests.machine import NODE, NODE_PACKAGES, lacks
from tests.people import County, TestClock
from tests.served import served

CLIENT = Path(__file__).parent / "client"
SOURCES = ("package.json", "tsconfig.json", "sitting.ts")


def run(*command: str | Path, folder: Path) -> str:
    told = subprocess.run(
        [str(it) for it in command], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.fixture
def generated(app: FastAPI, tmp_path: Path) -> Path:
    """A folder with the client, generated and compiled: a name or type that the document does not
    give ends it here."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        lacks(NODE)
    if not (CLIENT / "node_modules").is_dir():
        lacks(NODE_PACKAGES)
    folder = tmp_path / "client"
    folder.mkdir()
    for name in SOURCES:
        shutil.copy(CLIENT / name, folder)
    (folder / "node_modules").symlink_to(CLIENT / "node_modules")
    (folder / "openapi.json").write_text(json.dumps(app.openapi()), encoding="utf-8")
    run("npm", "run", "generate", folder=folder)
    run("npm", "run", "build", folder=folder)
    return folder


def test_it_opens_plays_answers_closes_and_reads_the_verdict(
    app: FastAPI, generated: Path, database: Database, county: County, clock: TestClock
) -> None:
    @app.post("/clock", include_in_schema=False)
    def pass_time(seconds: float) -> dict[str, Any]:
        clock.advance(seconds=seconds)
        return {}

    with served(app) as address:
        secret = county.huang.secret
        text = run(
            "node", "build/sitting.js", address, secret, f"{address}/clock", folder=generated
        )
    told = json.loads(text)
    beats = told["accepted"] - 4  # play, pop-up shown and answered, pause
    assert (told["state"], told["answered"]) == ("closed", 1)
    assert told["credited_ms"] == beats * 10_000 > 0
    assert told["outcome"] == "not_proven"
    assert [it.partition(":")[0] for it in told["findings"]] == ["face_liveness"]  # no consent
