"""`zhenxue`: the one command. Exits with 0 fine, 1 found something, 2 bad usage or input.

Everything heavy is imported inside the command that needs it, so that the others start quickly.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from app.cli.answer import ACTOR, BAD_INPUT, FOUND, Json, Port, RowId, say
from app.logging import beside_the_answer

if TYPE_CHECKING:
    from datetime import datetime

    from app.services import Services


# Commands that live in a module of their own, loaded when they are called.
ELSEWHERE = {
    "archive": "app.cli.archive",
    "audit": "app.cli.audit",
    "backup": "app.cli.backup",
    "bench": "app.cli.bench",
    "calibrate": "app.cli.calibrate",
    "demo": "app.cli.demo",
    "export": "app.cli.export",
    "keys": "app.cli.keys",
    "listen": "app.cli.listen",
    "models": "app.cli.models",
    "nightly": "app.cli.nightly",
    "pack": "app.cli.pack",
    "partitions": "app.cli.partitions",
    "purge": "app.cli.purge",
    "recordings": "app.cli.recordings",
    "restore": "app.cli.restore",
    "rule": "app.cli.rule",
    "same-face": "app.cli.same_face",
    "simulate": "app.cli.simulate",
    "user": "app.cli.user",
    "validate": "app.cli.validate",
    "verify": "app.cli.verify",
    "webhook": "app.cli.webhook",
    "worker": "app.cli.worker",
}


class Commands(TyperGroup):
    """The commands of this file and those of ELSEWHERE that are installed."""

    def list_commands(self, ctx: Any) -> list[str]:
        there = [name for name, module in ELSEWHERE.items() if find_spec(module)]
        return sorted([*super().list_commands(ctx), *there])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module = ELSEWHERE.get(cmd_name)
        if module is None or not find_spec(module):
            return super().get_command(ctx, cmd_name)
        command = typer.main.get_command(import_module(module).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Zhenxue 真学: decides whether online class-hours were really studied.",
)
keys = typer.Typer(no_args_is_help=True, help="API keys of platforms.")
platforms = typer.Typer(no_args_is_help=True, help="Learning platforms.")
app.add_typer(keys, name="key")
app.add_typer(platforms, name="platform")

PlatformSlug = Annotated[
    str, typer.Option("--platform", help="The platform's slug; created when missing.")
]


def main(arguments: list[str] | None = None) -> None:
    """Run a command. What is refused becomes one line on standard error and exit code 2.

    One that is told to end (`systemctl stop`, `timeout`) clears up as at Ctrl-C: Python itself
    would leave its folders, and programs that it started running on.
    """
    beside_the_answer()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app(arguments, prog_name="zhenxue")
    except Exception as error:
        line = _refusal(error)
        if line is None:
            raise
        typer.echo(f"zhenxue: {line}", err=True)
        sys.exit(BAD_INPUT)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address; default ZHENXUE_HOST.")] = None,
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Start the web service."""
    from app.domain.policy import packs
    from app.jobs import erasures
    from app.main import run_service
    from app.services import open_services
    from app.settings import Settings

    settings = Settings()
    with open_services(settings) as services:  # at head, or refused before anything listens
        erasures.require_readable(services)
    packs.load(settings.default_pack)
    host, port = host or settings.host, settings.port if port is None else port
    say({"url": f"http://{host}:{port}"}, as_json, f"http://{host}:{port}")
    run_service(settings, host, port, as_json=as_json)


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database to this version's schema."""
    from app.db import Database
    from app.settings import Settings
    from app.store import schema

    database = Database(Settings().resolved_database_url)
    changed = schema.upgrade(database)
    database.close()
    outcome = "migrated to" if changed else "already at"
    say({"revision": schema.head(), "changed": changed}, as_json, f"{outcome} {schema.head()}")


@app.command("import")
def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="zip or NDJSON; - for stdin.")],
    platform: PlatformSlug = "local",
    as_json: Json = False,
) -> None:
    """Take in a platform's historical records. Exits with 1 when some were rejected, with 2
    when no line is a record."""
    from app.domain.accounts.platforms import ensure_platform
    from app.domain.exchange.import_book import NoRecords
    from app.services import open_services

    if file != "-" and not Path(file).is_file():
        raise typer.BadParameter(f"there is no file {file!r}", param_hint="FILE")
    with open_services() as services, _as_file(file, services) as path:
        with services.database.write() as connection:
            tenant = ensure_platform(connection, platform, actor=ACTOR, now_ms=services.clock())
        beside = None if file == "-" else path.parent
        try:
            report = services.imports.take_file(tenant.id, path, actor=ACTOR, beside=beside)
        except NoRecords as refusal:
            say(refusal.report.shown(), as_json, refusal.report.summary())
            raise
    say(report.shown(), as_json, report.summary())
    if report.rejected_total:
        raise typer.Exit(FOUND)


@keys.command("create")
def create_key(
    platform: PlatformSlug = "local",
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", "--scopes", help="ingest, read, import, admin; repeat, or commas."),
    ] = None,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    expires: Annotated[
        Any, typer.Option(help="Day or time it ends.", parser=lambda it: _moment(it))
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key (scopes ingest, read and import unless told); its secret is printed once."""
    from app.domain.accounts.platforms import create_key as create
    from app.domain.accounts.platforms import ensure_platform
    from app.services import open_services

    scopes = [
        part.strip() for given in scope or ["ingest,read,import"] for part in given.split(",")
    ]
    with open_services() as services, services.database.write() as connection:
        now_ms = services.clock()
        tenant = ensure_platform(connection, platform, actor=ACTOR, now_ms=now_ms)
        made = create(
            connection,
            tenant.id,
            label=label,
            scopes=scopes,
            expires_ms=round(expires.timestamp() * 1000) if expires else None,
            actor=ACTOR,
            now_ms=now_ms,
        )
    answer = {
        "key": made.secret,
        "key_id": made.key.id,
        "platform": tenant.slug,
        "scopes": sorted(made.key.scopes),
        "expires_at_ms": made.key.expires_ms,
    }
    say(answer, as_json, made.secret)


@keys.command("rotate")
def rotate_key(
    key_id: RowId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=24 * 30, help="How long the old one stays good.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """A successor with the same scopes, whose secret is printed once; the old key ends then."""
    from app.domain.accounts import platforms as domain
    from app.services import open_services

    with open_services() as services, services.database.write() as connection:
        made = domain.rotate_key(
            connection,
            None,
            key_id,
            overlap_ms=round(overlap_hours * 3_600_000),
            actor=ACTOR,
            now_ms=services.clock(),
        )
    say({"key": made.secret, "key_id": made.key.id}, as_json, made.secret)


@keys.command("revoke")
def revoke_key(key_id: RowId, as_json: Json = False) -> None:
    """End a key; running services forget it within five seconds."""
    from app.domain.accounts.platforms import revoke_key as revoke
    from app.services import open_services

    with open_services() as services, services.database.write() as connection:
        revoke(connection, None, key_id, actor=ACTOR, now_ms=services.clock())
    say({"key_id": key_id, "revoked": True}, as_json, f"key {key_id} is revoked")


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """All keys, without their secrets."""
    from app.domain.accounts import platforms as domain
    from app.services import open_services

    with open_services() as services, services.database.read() as connection:
        slugs = {it.id: it.slug for it in domain.platforms(connection)}
        found = domain.keys(connection)
    rows: list[dict[str, Any]] = [
        {
            "key_id": key.id,
            "platform": slugs[key.platform_id],
            "label": key.label,
            "scopes": sorted(key.scopes),
            "created_at_ms": key.created_ms,
            "expires_at_ms": key.expires_ms,
            "revoked_at_ms": key.revoked_ms,
        }
        for key in found
    ]
    lines = [
        f"{it['key_id']:>4}  {it['platform']}  {it['label']}  {','.join(it['scopes'])}"
        f"{'  revoked' if it['revoked_at_ms'] else ''}"
        for it in rows
    ]
    say({"keys": rows}, as_json, "\n".join(lines))


@platforms.command("add")
def add_platform(
    slug: str,
    name: Annotated[str, typer.Option(help="Display name; the slug if not given.")] = "",
    county: Annotated[str, typer.Option(help="County whose auditors see it.")] = "未指定",
    as_json: Json = False,
) -> None:
    """Add a learning platform."""
    from app.domain.accounts.platforms import add_platform as add
    from app.services import open_services

    with open_services() as services, services.database.write() as connection:
        made = add(
            connection,
            slug=slug,
            name=name or slug,
            county=county,
            actor=ACTOR,
            now_ms=services.clock(),
        )
    answer = {"platform": made.slug, "name": made.name, "county": made.county}
    say(answer, as_json, f"{made.slug}  {made.name}  {made.county}")


@platforms.command("list")
def list_platforms(as_json: Json = False) -> None:
    """All learning platforms."""
    from app.domain.accounts import platforms as domain
    from app.services import open_services

    with open_services() as services, services.database.read() as connection:
        found = domain.platforms(connection)
    rows = [{"platform": it.slug, "name": it.name, "county": it.county} for it in found]
    say({"platforms": rows}, as_json, "\n".join("  ".join(it.values()) for it in rows))


@contextmanager
def _as_file(file: str, services: Services) -> Iterator[Path]:
    """The file of that name; standard input, which is read once only, is put into one, where what
    a killed import leaves is swept."""
    if file != "-":
        yield Path(file)
        return
    with services.rooms.room() as room:
        path = room / "stdin"
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield path


def _moment(text: str) -> datetime:
    """A day or time as people in Shanghai write it."""
    from datetime import datetime

    from app.clock import SHANGHAI

    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _refusal(error: Exception) -> str | None:
    """What to tell about an error that is nobody's bug; None for a bug."""
    from pydantic import ValidationError
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from app.errors import ZhenxueError
    from app.outages import outage_of

    if isinstance(error, ZhenxueError):
        return error.detail
    if (outage := outage_of(error)) is not None:
        return outage.detail
    if isinstance(error, ValidationError) and error.title == "Settings":
        wrong = error.errors(include_url=False, include_input=False)
        return "settings: " + "; ".join(
            f"{'.'.join(map(str, it['loc'])) or 'environment'}: {it['msg']}" for it in wrong
        )
    if isinstance(error, OperationalError | ProgrammingError):
        said = str(error.orig)
        if "no such table" in said or "UndefinedTable" in type(error.orig).__name__:
            return "the database is empty: run `zhenxue migrate` first"
    if isinstance(error, OperationalError):
        return f"the database does not answer: {str(error.orig).splitlines()[0]}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None


if __name__ == "__main__":
    main()
