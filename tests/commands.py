"""Running `zhenxue` in this process, as a person and a script see it."""

from __future__ import annotations

import pytest

from app.cli import main as cli


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command: (exit code, standard output, standard error)."""
    code = 0
    try:
        cli.main(list(arguments))
    except SystemExit as end:
        code = int(end.code or 0)
    return code, *capsys.readouterr()
