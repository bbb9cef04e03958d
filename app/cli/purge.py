"""`zhenxue purge`: terms carried out, legal holds, the erasure of one learner's face data."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.answer import ACTOR, Json, RowId, say
from app.domain.accounts import platforms
from app.domain.faces import retention
from app.jobs import erasures, purge
from app.services import open_services
from app.store.faces import retention as store

app = typer.Typer(help="Remove photos and templates whose term is over.")

Slug = Annotated[str, typer.Option("--platform", help="The platform's slug.")]
Why = Annotated[str, typer.Option(help="Why; it stands in the audit log.")]


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what is due.")] = False,
    as_json: Json = False,
) -> None:
    """Remove photos and templates whose term is over; verdicts stay as they are."""
    if context.invoked_subcommand is not None:
        return
    with open_services() as services:
        if dry_run:
            due = purge.listed(services)
            lines = [
                f"{it['platform']}  {it['class_id']}  photos {it['photos']}, "
                f"templates {it['templates']}, held {it['held']}"
                for it in due
            ]
            say({"due": due}, as_json, "\n".join(lines) or "nothing is due")
            return
        done = purge.perform(services, ACTOR)
    say(done, as_json, "  ".join(f"{name} {count}" for name, count in done.items()))


@app.command()
def hold(
    platform: Slug,
    reason: Why,
    class_id: Annotated[str | None, typer.Option("--class")] = None,
    learner: Annotated[str | None, typer.Option("--learner")] = None,
    as_json: Json = False,
) -> None:
    """Keep what a class or a learner has, whatever its term."""
    with open_services() as services, services.database.write() as connection:
        hold_id = retention.place_hold(
            connection,
            platforms.platform_of(connection, platform).id,
            class_id=class_id,
            learner_id=learner,
            reason=reason,
            actor=ACTOR,
            now_ms=services.clock(),
        )
    say({"hold_id": hold_id}, as_json, f"hold {hold_id}")


@app.command()
def lift(hold_id: RowId, reason: Why, as_json: Json = False) -> None:
    """End a hold: terms run again."""
    with open_services() as services, services.database.write() as connection:
        now_ms = services.clock()
        retention.lift_hold(connection, hold_id, reason=reason, actor=ACTOR, now_ms=now_ms)
    say({"hold_id": hold_id, "lifted": True}, as_json, f"hold {hold_id} is lifted")


@app.command()
def holds(as_json: Json = False) -> None:
    """The holds in force."""
    with open_services() as services, services.database.read() as connection:
        rows = store.holds(connection)
    shown = [
        {
            "hold_id": it.id,
            "class_id": it.klass,
            "learner_id": it.learner,
            "reason": it.reason,
            "placed_by": it.placed_by,
            "placed_at_ms": it.placed_ms,
        }
        for it in rows
    ]
    lines = (
        f"{it['hold_id']:>4}  {it['class_id'] or it['learner_id']}  {it['reason']}" for it in shown
    )
    say({"holds": shown}, as_json, "\n".join(lines))


@app.command()
def learner(learner_id: str, platform: Slug, reason: Why, as_json: Json = False) -> None:
    """Destroy one learner's key, photos and templates. There is no way back."""
    with open_services() as services:
        with services.database.write() as connection:
            photos = retention.erase_learner(
                connection,
                platforms.platform_of(connection, platform).id,
                learner_id,
                reason=reason,
                actor=ACTOR,
                now_ms=services.clock(),
            )
        erasures.hold_together(services)
        removed = purge.sweep(services)
        forgotten = purge.forget(services)
    answer = {"learner_id": learner_id, "photos": photos, "removed": removed}
    message = f"{learner_id}: the key is destroyed, {removed} objects are removed"
    if not forgotten:
        message += "; the database was in use: run this again, so that its log is emptied too"
    say(answer | {"log_emptied": forgotten}, as_json, message)
