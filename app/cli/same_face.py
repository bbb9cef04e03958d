"""`zhenxue same-face`: one face under several accounts, beyond a single class."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.answer import ACTOR, Json, say

app = typer.Typer(help="Search for one face under several accounts.")


@app.callback(invoke_without_command=True)
def same_face(
    institution: Annotated[str, typer.Option(help="Accounts in its classes.")] = "",
    everyone: Annotated[
        bool, typer.Option("--everyone", help="All accounts there are; needs --reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")] = "",
    as_json: Json = False,
) -> None:
    """Compare accounts with each other; pairs become notes in their classes' next runs.

    Classes are searched by every run by themselves. Needs a calibration that is in force.
    """
    from app.domain.faces import same_face as domain
    from app.errors import BadInput
    from app.services import open_services
    from app.store.faces import face_sets

    if bool(institution) == everyone:
        raise BadInput("scope_missing", "say either --institution NAME or --everyone")
    if everyone and not reason.strip():
        raise BadInput("reason_missing", "--everyone needs a --reason")
    scope: domain.Scope = "everyone" if everyone else "institution"
    with open_services() as services:
        now_ms = services.clock()
        with services.database.write() as connection:
            accounts = face_sets.accounts(connection, institution=institution or None)
            domain.log_search(
                connection,
                scope=scope,
                actor=ACTOR,
                reason=reason or institution,
                accounts=len(accounts),
                now_ms=now_ms,
            )
        with services.database.read() as connection:
            card = services.settings.model_files.card()
            found = domain.search(connection, services.vault, card, accounts)
        with services.database.write() as connection:
            new = domain.keep(connection, found, scope, now_ms)
    pairs = [
        {"learner": it.learner_id, "other": it.other_id, "distance": round(it.distance, 4)}
        for it in found.pairs
    ]
    report = {"accounts": found.accounts, "limit": found.limit, "new": new, "pairs": pairs}
    lines = [f"{it.learner_id} and {it.other_id}: {it.distance:.3f}" for it in found.pairs]
    head = f"{found.accounts} accounts, {len(found.pairs)} pairs up to {found.limit:.3f}"
    say(report, as_json, "\n".join([head, *lines]))
