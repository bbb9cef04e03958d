"""`zhenxue audit`: is the audit log whole, and its head written down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.answer import FOUND, Json, say
from app.jobs import audit_watch
from app.services import open_services

app = typer.Typer(no_args_is_help=True, help="The audit log: verify it, write its head down.")


@app.command()
def verify(
    heads: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, help="Heads that were kept elsewhere."),
    ] = None,
    printed: Annotated[
        list[str] | None,
        typer.Option(help="A head that stands on a signed list, 审计日志: number:link; repeat it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every link and seal, the heads in the data folder, and those that are named.

    Exits with 1 when an entry was changed, or one that an earlier head names is gone.
    """
    with open_services() as services:
        problems = audit_watch.verify(services, heads or (), printed or ())
    text = "\n".join(problems) or "the audit log is whole"
    say({"ok": not problems, "problems": problems}, as_json, text)
    if problems:
        raise typer.Exit(FOUND)


@app.command()
def head(as_json: Json = False) -> None:
    """Write the head down, signed, and print the file's path: keep it where nobody reaches both."""
    with open_services() as services:
        path = audit_watch.write_head(services)
    say({"file": path and str(path)}, as_json, str(path or "the audit log is empty"))
