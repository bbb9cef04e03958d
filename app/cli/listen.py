"""`zhenxue listen`: what a platform is told, brought to a developer's machine behind any router."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx2
import typer
from standardwebhooks import Webhook as Signer

from app.canonical import canonical
from app.cli.answer import require_address, require_key
from app.clock import system_clock
from app.domain.notify import WebhookEvent
from app.errors import BadInput

EVERY_S = 1.0
_ENDING = (signal.SIGTERM, signal.SIGHUP)  # `kill`, and a window that is shut: end as Ctrl-C does
_AT_LEAST_S = 10.0  # for an answer

app = typer.Typer(help="Forward webhooks to this machine.")


@app.command()
def listen(
    forward: Annotated[str, typer.Argument(help="Where they go, e.g. http://localhost:3000/hook")],
    service: Annotated[str, typer.Option("--service", help="The service's address.")],
    key: Annotated[
        str, typer.Option("--key", envvar="ZHENXUE_API_KEY", help="Its key: scopes admin, read.")
    ],
    event: Annotated[
        list[str] | None, typer.Option("--event", help="Repeat it; all events if not given.")
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Ask for a webhook.test first.")] = False,
    messages: Annotated[
        int, typer.Option("--messages", min=0, help="End after so many; 0: go on.")
    ] = 0,
) -> None:
    """Forward a platform's webhooks to an address on this machine until interrupted.

    A webhook of its own is registered for as long as this runs. Each message is signed with its
    secret, which is printed first, as it would be if the service had sent it. Nothing has to reach
    this machine from outside.
    """
    require_address(forward, "FORWARD")
    require_address(service, "--service")
    require_key(key)
    head = {"authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=service, headers=head, timeout=_AT_LEAST_S) as client:
        with _registered(client, event or list(WebhookEvent)) as hook:
            typer.echo(hook["secret"])
            at = f"/v1/webhooks/{hook['webhook_id']}"
            if test:
                _answer(client.post(f"{at}/test"))
            _forward(client, at, Signer(hook["secret"]), forward, messages)


@contextmanager
def _registered(client: httpx2.Client, events: list[str]) -> Iterator[dict[str, Any]]:
    try:
        hook = _answer(client.post("/v1/webhooks", json={"url": "listen:", "events": events}))
    except httpx2.TransportError as error:
        raise BadInput("no_answer", f"{client.base_url} is not reached: {error}") from error
    before = {it: signal.signal(it, signal.default_int_handler) for it in _ENDING}
    try:
        yield hook
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        client.delete(f"/v1/webhooks/{hook['webhook_id']}")


def _forward(client: httpx2.Client, at: str, signer: Signer, to: str, most: int) -> None:
    got, brought = list[int](), 0
    while True:
        try:
            told = _answer(client.post(f"{at}/messages", json={"got": got}))["messages"]
        except httpx2.TransportError as error:
            typer.echo(f"not reached: {error}", err=True)
            told = []
        for it in told:
            typer.echo(f"{it['event']}  {it['message_id']}  {_bring(signer, to, it)}", err=True)
        got = [it["delivery_id"] for it in told] or got
        brought += len(told)
        if most and brought >= most:
            _answer(client.post(f"{at}/messages", json={"got": got}))
            return
        if not told:
            time.sleep(EVERY_S)


def _bring(signer: Signer, to: str, message: dict[str, Any]) -> str:
    """How the developer's own program answered."""
    body = canonical(message["payload"])
    when = datetime.fromtimestamp(system_clock() // 1000, UTC)
    head = {
        "content-type": "application/json",
        "webhook-id": message["message_id"],
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": signer.sign(message["message_id"], when, body.decode()),
    }
    try:
        return str(httpx2.post(to, content=body, headers=head, timeout=_AT_LEAST_S).status_code)
    except httpx2.TransportError as error:
        return type(error).__name__


def _answer(response: httpx2.Response) -> dict[str, Any]:
    """Raises BadInput with what the service said."""
    if response.is_success:
        found: dict[str, Any] = response.json()
        return found
    try:
        said = response.json()
        raise BadInput(said["code"], f"{said['code']}: {said['detail']}")
    except (json.JSONDecodeError, KeyError):
        raise BadInput("no_answer", f"{response.status_code} from {response.url}") from None
