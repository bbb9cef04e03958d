"""`zhenxue webhook`: where platforms want to be told, and what became of the messages."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.answer import ACTOR, Json, RowId, say
from app.domain.accounts import platforms
from app.domain.exchange import webhooks
from app.domain.notify import WebhookEvent
from app.services import open_services

app = typer.Typer(help="Webhooks of platforms.", no_args_is_help=True)


@app.command()
def add(
    url: str,
    platform: Annotated[str, typer.Option("--platform", help="The platform's slug.")],
    event: Annotated[
        list[str] | None, typer.Option("--event", help="Repeat it; all events if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Register an address; the secret that signs its messages is printed once."""
    with open_services() as services, services.database.write() as connection:
        made = webhooks.register(
            connection,
            services.vault,
            platforms.platform_of(connection, platform).id,
            url=url,
            events=event or list(WebhookEvent),
            https_only=services.settings.production,
            actor=ACTOR,
            now_ms=services.clock(),
        )
    answer = {"webhook_id": made.webhook.id, "url": made.webhook.url, "secret": made.secret}
    say(answer, as_json, made.secret)


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """All webhooks, without their secrets."""
    with open_services() as services, services.database.read() as connection:
        slugs = {it.id: it.slug for it in platforms.platforms(connection)}
        found = webhooks.webhooks(connection)
    rows = [
        {
            "webhook_id": it.id,
            "platform": slugs[it.platform_id],
            "url": it.url,
            "events": list(it.events),
            "waiting": it.waiting,
            "dead": it.dead,
        }
        for it in found
    ]
    lines = (
        f"{it['webhook_id']:>4}  {it['platform']}  {it['url']}  waiting {it['waiting']}, "
        f"given up {it['dead']}"
        for it in rows
    )
    say({"webhooks": rows}, as_json, "\n".join(lines))


@app.command()
def remove(webhook_id: RowId, as_json: Json = False) -> None:
    """Send nothing there any more."""
    with open_services() as services, services.database.write() as connection:
        webhooks.remove(connection, None, webhook_id, actor=ACTOR, now_ms=services.clock())
    answer = {"webhook_id": webhook_id, "removed": True}
    say(answer, as_json, f"webhook {webhook_id} is removed")


@app.command()
def deliveries(
    webhook_id: RowId,
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """The latest messages to a webhook and how they fared."""
    with open_services() as services, services.database.read() as connection:
        rows = webhooks.deliveries(connection, None, webhook_id, None, last)
    lines = (
        f"{it.delivery_id:>6}  {it.event}  {it.state}  {it.attempts} attempts  "
        f"{it.last_status or ''} {it.last_error or ''}".rstrip()
        for it in rows
    )
    say({"deliveries": rows}, as_json, "\n".join(lines))


@app.command()
def redeliver(webhook_id: RowId, delivery_id: RowId, as_json: Json = False) -> None:
    """Have the service send a message once more."""
    with open_services() as services, services.database.write() as connection:
        webhooks.redeliver(
            connection, None, webhook_id, delivery_id, actor=ACTOR, now_ms=services.clock()
        )
    say({"delivery_id": delivery_id, "state": "waiting"}, as_json, "it is sent again")
