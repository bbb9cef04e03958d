"""The audit log is watched from outside the database: its head goes, signed, into files.

Entries are chained and sealed with a key that the database does not hold, so none can be changed.
That the last ones were cut off, only somebody tells who knew that they were there: a head that was
written down earlier names an entry that must still be there, under the same link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from prometheus_client import Gauge

from app.canonical import canonical
from app.clock import day
from app.errors import BadInput, ZhenxueError
from app.jobs.repeating import Repeating
from app.reports import signing
from app.services import Services
from app.store.accounts import audit
from app.whole_file import write_whole

EVERY_S = 300.0
FOLDER = "audit-heads"
_PRINTED = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")

log = structlog.get_logger("zhenxue.audit_watch")


class AuditBroken(ZhenxueError):
    """The audit log is not what it was."""


class AuditHead(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry at some moment: its number, when it was made, its link; all hex is lower
    case. `signature` is Ed25519 over the canonical JSON of the other fields."""

    entry: int
    at_ms: int
    chain: str
    written_ms: int
    public_key: str
    signature: str = ""

    def signed_bytes(self) -> bytes:
        told = msgspec.to_builtins(self)
        del told["signature"]
        return canonical(told)


def folder_of(services: Services) -> Path:
    return services.settings.data_dir.resolve() / FOLDER


def write_head(services: Services) -> Path | None:
    """Write the head down under today's date; None for an empty log. Raises AuditBroken, and lets
    the earlier heads be, where one of them is no longer in the log."""
    problems = check_heads(services, heads_in(folder_of(services)))
    if problems:
        raise AuditBroken("audit_log_broken", "; ".join(problems))
    with services.database.read() as connection:
        last = audit.head(connection)
    if last is None:
        return None
    key, now_ms = signing.private_key(services.vault), services.clock()
    head = AuditHead(
        entry=last.id,
        at_ms=last.at_ms,
        chain=last.chain.hex(),
        written_ms=now_ms,
        public_key=signing.public_hex(key),
    )
    head = msgspec.structs.replace(head, signature=key.sign(head.signed_bytes()).hex())
    path = folder_of(services) / f"{day(now_ms).isoformat()}.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, canonical(msgspec.to_builtins(head)) + b"\n")
    return path


def heads_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def written_ms(services: Services) -> int | None:
    """When this service wrote the head down last; None where it never did, or it is no head."""
    files = heads_in(folder_of(services))
    head = _read(files[-1], signing.own_keys(services.vault)) if files else None
    return head.written_ms if isinstance(head, AuditHead) else None


def check_heads(services: Services, files: Iterable[Path]) -> list[str]:
    """What is wrong with the log by heads that were written down earlier, a sentence each."""
    problems: list[str] = []
    heads: list[tuple[str, AuditHead]] = []
    own = signing.own_keys(services.vault)
    for file in files:
        head = _read(file, own)
        if isinstance(head, str):
            problems.append(f"{file.name}: {head}")
        else:
            heads.append((file.name, head))
    with services.database.read() as connection:
        there = audit.chains(connection, [head.entry for _, head in heads])
    for name, head in heads:
        chain = there.get(head.entry)
        if chain is None:
            problems.append(f"{name}: entry {head.entry} is gone from the audit log")
        elif chain.hex() != head.chain:
            problems.append(f"{name}: entry {head.entry} is not what it was")
    return problems


def verify(services: Services, more: Sequence[Path] = (), printed: Sequence[str] = ()) -> list[str]:
    """Everything that tells of the log: each link and seal, the heads in the data folder, those
    of `more`, and those that signed lists print. A sentence for each problem. Raises BadInput for
    one that is not as it is printed."""
    problems = check_heads(services, [*heads_in(folder_of(services)), *more])
    problems += _check_printed(services, printed)
    with services.database.read() as connection:
        broken = audit.first_broken(connection)
    if broken is not None:
        problems.append(f"entry {broken} does not follow from the one before, or has no valid seal")
    return problems


def _check_printed(services: Services, printed: Sequence[str]) -> list[str]:
    heads: dict[int, str] = {}
    for told in printed:
        found = _PRINTED.fullmatch("".join(told.split()).lower())
        if found is None:
            raise BadInput("bad_head", f"{told!r}: a head is printed as number:64 hex digits")
        heads[int(found[1])] = found[2]
    with services.database.read() as connection:
        there = audit.chains(connection, heads)
    return [
        f"{entry}: is {'not what was printed' if entry in there else 'gone from the audit log'}"
        for entry, chain in heads.items()
        if entry not in there or there[entry].hex() != chain
    ]


def require_whole(services: Services) -> None:
    """What the night asks. Raises AuditBroken."""
    problems = verify(services)
    if problems:
        log.error("the audit log is broken", problems=problems)
        raise AuditBroken("audit_log_broken", "; ".join(problems))


def _read(file: Path, own: Sequence[str]) -> AuditHead | str:
    try:
        head = msgspec.json.decode(file.read_bytes(), type=AuditHead)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head.public_key))
        public.verify(bytes.fromhex(head.signature), head.signed_bytes())
    except (OSError, ValueError, InvalidSignature):
        return "is no head of an audit log, or was changed"
    return head if head.public_key in own else "was signed by another installation"


def install(services: Services) -> None:
    """Write the head down every few minutes and at the end; `/metrics` tells when one is gone."""
    broken = Gauge(
        "zhenxue_audit_broken",
        "1 when an entry that an earlier head names is gone from the audit log, or changed",
        registry=services.registry,
    )

    def look() -> None:
        try:
            write_head(services)
        except AuditBroken as error:
            log.error("the audit log is broken", problems=error.detail)
            broken.set(1)
        except Exception:
            log.exception("the audit log's head could not be written down")
        else:
            broken.set(0)

    job = Repeating("audit-watch", EVERY_S, look)
    services.on_start.append(look)
    services.on_start.append(job.start)
    services.on_stop.append(look)
    services.on_stop.append(job.stop)
