"""What all commands share: as whom they act, and how they answer people, programs and the shell."""

from __future__ import annotations

import json
from typing import Annotated, Any, NoReturn

import msgspec
import typer

ACTOR = "system:cli"
FOUND, BAD_INPUT = 1, 2  # exit codes beside 0

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]


def say(answer: dict[str, Any] | msgspec.Struct, as_json: bool, text: str) -> None:
    """Print `answer` as JSON, or `text`, on standard output."""
    if as_json:
        say_json(answer)
    else:
        typer.echo(text)


def say_json(answer: dict[str, Any] | msgspec.Struct) -> None:
    """Print `answer` as one line of JSON."""
    typer.echo(json.dumps(msgspec.to_builtins(answer), ensure_ascii=False))


def refuse(text: str) -> NoReturn:
    """End the command over bad usage or input, with a line on standard error."""
    typer.echo(text, err=True)
    raise typer.Exit(BAD_INPUT)
