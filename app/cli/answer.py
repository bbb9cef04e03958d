"""What all commands share: as whom they act, and how they answer people, programs and the shell."""

from __future__ import annotations

import json
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import msgspec
import typer

ACTOR = "system:cli"
FOUND, BAD_INPUT = 1, 2  # exit codes beside 0

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]
RowId = Annotated[int, typer.Argument(min=1, max=2**63 - 1)]
Port = Annotated[int | None, typer.Option(help="Port; default ZHENXUE_PORT.", min=0, max=2**16 - 1)]


def say(answer: dict[str, Any] | msgspec.Struct, as_json: bool, text: str) -> None:
    """Print `answer` as JSON, or `text`, on standard output."""
    if as_json:
        say_json(answer)
    else:
        typer.echo(text)


def say_json(answer: dict[str, Any] | msgspec.Struct) -> None:
    """Print `answer` as one line of JSON."""
    typer.echo(json.dumps(msgspec.to_builtins(answer), ensure_ascii=False))


def require_address(url: str, option: str) -> None:
    """Raises BadParameter for what is no http address."""
    try:
        parts = urlsplit(url)
        there = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        there = False
    plain = url.isascii() and url.isprintable() and " " not in url
    if not there or not plain or parts.scheme not in ("http", "https"):
        raise typer.BadParameter(f"{url!r} is no http:// or https:// address", param_hint=option)


def require_key(key: str) -> None:
    """Raises BadParameter for what no header can bear."""
    if not key.isascii() or not key.isprintable():
        raise typer.BadParameter("is no API key", param_hint="--key")


def refuse(text: str) -> NoReturn:
    """End the command over bad usage or input, with a line on standard error."""
    typer.echo(text, err=True)
    raise typer.Exit(BAD_INPUT)
