"""`zhenxue verify`: an audit package checked offline, without a database or any setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli_answer import FOUND, Json, say

if TYPE_CHECKING:
    from app.reports.verify import Report

app = typer.Typer(help="Check an audit package, offline.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The package, a zip.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Public key in hex that it must be signed with.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every hash, chain and signature, and judge the evidence again to the same verdicts.

    Exits with 0 when all is right, 1 when something is not, 2 when the file is no package.
    """
    from app.reports.verify import NotAPackage
    from app.reports.verify import verify as check

    if key is not None and not re.fullmatch(r"[0-9A-Fa-f]{64}", key):
        raise typer.BadParameter("64 hex digits", param_hint="--key")
    try:
        report = check(file.read_bytes(), key)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from error
    except NotAPackage as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error
    say(report.shown(), as_json, "\n".join(_lines(report, key)))
    if report.problems:
        raise typer.Exit(FOUND)


def _lines(report: Report, key: str | None) -> list[str]:
    lines = [f"{name}: {count}" for name, count in report.checked.items()]
    lines += [f"✗ {it.member}: {it.detail} [{it.code}]" for it in report.problems]
    if report.public_key:
        lines.append(f"公钥 public key: {report.public_key}")
        if key is None:
            lines.append("请与来源单位公布的公钥核对 compare it with the one the office publishes")
    lines.append("✗ 未通过 not verified" if report.problems else "✓ 通过 verified")
    return lines
