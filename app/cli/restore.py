"""`zhenxue restore`: a backup put in place on an empty machine, and verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.answer import FOUND, Json, say

if TYPE_CHECKING:
    from app.jobs.restore import Restored

app = typer.Typer(help="Put a backup in place on an empty machine, and verify all of it.")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder of one backup.")],
    erasures: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The newest erasures.ndjson that was kept elsewhere; may be repeated.",
        ),
    ] = None,
    database_is_there: Annotated[
        bool,
        typer.Option("--database-is-there", help="pg_restore put the database in place already."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore into an empty database and photo store; hashes, chains and the audit log are checked.

    Exits with 1 when something in it is not what it must be.
    """
    from app.jobs import restore as job
    from app.settings import Settings

    done = job.restore(
        Settings(), folder, lists=erasures or (), database_is_there=database_is_there
    )
    say(done, as_json, "\n".join(_lines(done)))
    if not done.whole:
        raise typer.Exit(FOUND)


def _lines(done: Restored) -> list[str]:
    return [
        f"sittings: {done.sittings}, photos: {done.photos}, missing: {done.photos_missing}",
        f"learners erased again: {done.erased_again}",
        *(f"events altered: sitting {it}" for it in done.evidence_altered),
        *(f"audit log: {it}" for it in done.audit_problems),
        "whole" if done.whole else "NOT WHOLE",
    ]
