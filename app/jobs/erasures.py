"""Erased stays erased: the list of erasures lies beside the database, and is held against it.

A backup from before an erasure brings the learner's key back, and the record of the erasure is gone
with the rest. The list names learners by the platform's own ids, one line each; what it holds and
the database does not know is erased again, and the other way round it is written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from app.canonical import canonical
from app.domain.accounts import platforms
from app.domain.faces import retention
from app.errors import BadInput, Conflict, NotFound
from app.jobs import purge
from app.services import Services
from app.store import schema
from app.store.faces import retention as store
from app.whole_file import one_at_a_time, write_whole

FILE = "erasures.ndjson"
REASON = "恢复备份之后重新执行 / repeated after a backup was restored"

log = structlog.get_logger("zhenxue.erasures")


class Erasure(msgspec.Struct, frozen=True, order=True):
    """One learner, by the slug of the platform and the platform's own id."""

    platform: str
    learner: str


def file_of(services: Services) -> Path:
    return services.settings.data_dir.resolve() / FILE


def hold_together(services: Services) -> int:
    """Erase again what the list holds and the database forgot, and list what it lacks; how many
    were erased again. What a legal hold keeps, or nobody knows by that name, is left and told."""
    listed = _listed(file_of(services))
    with services.database.read() as connection:
        known = {Erasure(*it) for it in store.erased(connection)}
    again = [it for it in sorted(listed - known) if _erase(services, it)]
    if again:
        purge.sweep(services)
        purge.forget(services)
    _add(file_of(services), sorted(known - listed))
    return len(again)


def require_readable(services: Services) -> None:
    """Raises BadInput where the list is damaged, which the service could not start with."""
    _listed(file_of(services))


def join(into: Path, lists: Iterable[Path]) -> None:
    """Add what these lists hold to one. Raises BadInput where one is no list of erasures."""
    known = _listed(into)
    for file in lists:
        known_here = _listed(file)
        _add(into, sorted(known_here - known))
        known |= known_here


def _erase(services: Services, it: Erasure) -> bool:
    try:
        with services.database.write() as connection:
            retention.erase_learner(
                connection,
                platforms.platform_of(connection, it.platform).id,
                it.learner,
                reason=REASON,
                actor="system:erasures",
                now_ms=services.clock(),
            )
    except (NotFound, Conflict) as refusal:
        log.warning("an erasure was not repeated", learner=it.learner, reason=refusal.detail)
        return False
    log.warning("an erasure was repeated", platform=it.platform, learner=it.learner)
    return True


def _listed(file: Path) -> set[Erasure]:
    """Raises BadInput where the list was damaged: then nobody knows what it held."""
    lines = file.read_bytes().splitlines() if file.exists() else []
    try:
        return {msgspec.json.decode(line, type=Erasure) for line in lines if line.strip()}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = f"{file} is no list of erasures: {error}; put a copy that was kept in its place"
        raise BadInput("erasures", detail) from error


def _add(file: Path, erasures: list[Erasure]) -> None:
    if not erasures:
        return
    with one_at_a_time(file.parent):
        listed = file.read_bytes() if file.exists() else b""
        more = (canonical(msgspec.to_builtins(it)) + b"\n" for it in erasures)
        write_whole(file, b"".join([listed, *more]))


def install(services: Services) -> None:
    """Hold the list and the database together before anything is served."""

    def begin() -> None:
        if schema.at_head(services.database):  # else `/readyz` tells
            hold_together(services)

    services.on_start.append(begin)
