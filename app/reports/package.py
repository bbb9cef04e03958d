"""The audit package of a class: all that its verdicts rest on, signed, to be judged again anywhere.

Evidence and verdicts are gathered in the transaction in which the class was judged on them, so that
what is packed as current is what a replay comes to; lists are written after it, so that nobody who
studies waits for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.canonical import canonical
from app.domain import standing
from app.domain.catalogue.classes import term_of
from app.domain.judging import assess, eligibility
from app.domain.policy import packs
from app.domain.review import review
from app.domain.review.inspections import frame_digest
from app.domain.review.review import UNDECIDED
from app.errors import NotAllowed
from app.reports import (
    container,
    exports,
    layout,
    parquet,
    photo_files,
    signed_lists,
    signing,
)
from app.reports import csv as csv_writer
from app.reports.dossier import Dossier
from app.reports.exports import ExportOptions, File, file_name, subject
from app.reports.lists import LISTS
from app.services import Services
from app.store.accounts import audit
from app.store.catalogue.catalogue import ClassRow
from app.store.exchange import eligibility_rows, package_rows, report_rows
from app.store.exchange.package_rows import StoredLog
from app.store.judging import enrolment_facts, facts
from app.store.judging.unsettled import finding_keys
from app.store.money import payments
from app.store.money.payments import PaymentRow, RecoveryRow
from app.store.review import inspections, stages
from app.store.review.inspections import InspectionCheckRow, InspectionRow
from app.store.review.stages import StageEventRow
from app.store.scope import AccessScope
from app.vault import Vault
from detectors.registry import versions_run

MEDIA_TYPE = "application/zip"
FORMAT = "zhenxue-audit-package/1"
KINDS = ("session", "class_hour", "enrolment", "class")

Members = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Package:
    file: File
    public_key: str
    members: int


def export(
    services: Services,
    klass: ClassRow,
    options: ExportOptions,
    scope: AccessScope,
    *,
    photos: bool = False,
) -> Package:
    """Judge the class as it stands, then pack and sign it. Enters who took it into the audit log.

    Raises NotAllowed when people of the class studied at the same time in classes out of `scope`:
    without those sittings nobody could judge again, and with them too much would be told.
    """
    now_ms = services.clock()
    services.kept_photos.recheck(klass.id)
    with services.database.write() as connection:
        _judge(connection, klass, now_ms)
        audit.append(
            connection,
            at_ms=now_ms,
            actor=options.actor,
            action="export.package",
            subject=subject(klass),
            detail={"photos": photos},
        )
        gatherer = _Gatherer(connection, klass, scope)
        members = gatherer.members()
    with services.database.read() as connection:
        dossier = Dossier(connection, klass, now_ms, named=True, on=exports.day_of(options, now_ms))
        members |= _lists(dossier, services.vault) | _packs(dossier) | gatherer.events_parquet()
        if photos:
            members |= photo_files.opened(services.photos, connection, klass.id)
    key = signing.private_key(services.vault)
    manifest = _manifest(members, dossier, now_ms)
    whole = {"manifest.json": manifest, "signature.json": signing.signed(manifest, key), **members}
    file = File(file_name(klass, "审计数据包", "zip"), MEDIA_TYPE, container.pack(whole))
    return Package(file, signing.public_hex(key), len(whole))


def _judge(connection: Connection, klass: ClassRow, now_ms: int) -> None:
    """Bring all verdicts up to date. Concluding may find that a decision needs a second person,
    and then the sittings are judged on what is left of it."""
    while True:
        evaluated = assess.evaluate_sittings(connection, klass.id)
        assess.keep(connection, evaluated, now_ms, None)
        eligibility.conclude(connection, klass.id, now_ms)
        if assess.decisions_on(connection, evaluated) == evaluated.decided:
            return


def ndjson(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One canonical JSON object a line."""
    return b"".join(canonical(row) + b"\n" for row in rows)


def _manifest(members: Members, dossier: Dossier, now_ms: int) -> bytes:
    return canonical(
        {
            "format": FORMAT,
            "created_ms": now_ms,
            "class": {
                "id": dossier.id,
                "class_id": dossier.row.external_id,
                "official_class_no": dossier.row.official_class_no,
                "institution": dossier.row.institution,
                "platform": dossier.row.slug,
            },
            "pack": {"name": dossier.pack.name, "sha256": dossier.pack.digest},
            "pack_warning": dossier.heading().remark or None,
            "detectors": versions_run(dossier.pack.policy),
            "members": {
                name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, data in members.items()
            },
        }
    )


def _lists(dossier: Dossier, vault: Vault) -> Members:
    """All lists, signed ones as they were signed."""
    made = [signed_lists.printed(dossier, vault, name) for name in LISTS]
    return {f"lists/{it.name}.csv": csv_writer.write(it) for it in made}


def _packs(dossier: Dossier) -> Members:
    """The class's pack, and its sibling of the other scale where verdicts show both."""
    verdict = dossier.concluded.klass
    beside = [
        packs.load(it.pack.id, it.pack.version) for it in (verdict.graded, verdict.literal) if it
    ]
    return {f"pack/{it.name}.json": it.canonical for it in (dossier.pack, *beside)}


class _Gatherer:
    """What has to be of one moment: evidence, verdicts, and what people decided on them."""

    def __init__(self, connection: Connection, klass: ClassRow, scope: AccessScope) -> None:
        self.connection, self.klass, self.scope = connection, klass, scope
        self.evidence = facts.of_class(connection, klass.id)
        term = term_of(klass)
        self.warning = term.warning if term else None
        self._require_covered()
        self.logs = list(package_rows.logs(connection, self.evidence))
        self.names = [row.external_id for row in self.evidence.sessions]

    def members(self) -> Members:
        return {
            "README.md": layout.readme(self.warning),
            "dictionary.csv": layout.dictionary(),
            **self._evidence(),
            **self._tables(),
            **self._verdicts(),
            **self._people(),
        }

    def events_parquet(self) -> Members:
        """The events for whoever has other tools."""
        return {"evidence/events.parquet": parquet.write(self.logs, self.names)}

    def _require_covered(self) -> None:
        classes = {row.class_id for row in self.evidence.sessions} - {self.klass.id}
        if classes - package_rows.covered(self.connection, classes, self.scope):
            raise NotAllowed(
                "evidence_elsewhere",
                "people of this class studied at the same time where you may not look; "
                "somebody who may see both, or the command line, makes the package",
            )

    def _evidence(self) -> Members:
        photos = report_rows.photos(self.connection, self.klass.id)
        return {
            "evidence/sessions.ndjson": ndjson(map(_index, self.logs, self.names)),
            "evidence/batches.bin": b"".join(log.manifest for log in self.logs),
            "evidence/events.bin": b"".join(log.events for log in self.logs),
            "evidence/notes.bin": b"".join(log.notes for log in self.logs),
            "evidence/controls.bin": b"".join(log.controls for log in self.logs),
            "evidence/photos.bin": b"".join(log.photos for log in self.logs),
            "evidence/photos.ndjson": ndjson(map(package_rows.row_document, photos)),
        }

    def _tables(self) -> Members:
        tables = package_rows.tables(self.connection, self.klass.id, self.evidence)
        tables |= eligibility_rows.tables(self.connection, self.klass, tables)
        return {f"tables/{name}.ndjson": ndjson(rows) for name, rows in tables.items()}

    def _verdicts(self) -> Members:
        """Bodies byte for byte as they were stored, in the order they were reached. What was
        concluded of somebody who is in the class no more is history: nobody concludes it anew."""
        lines: dict[str, list[bytes]] = {kind: [] for kind in KINDS}
        index: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        last: dict[tuple[str, int, int], dict[str, Any]] = {}
        found = finding_keys(self.connection, self.klass.id)
        for row in package_rows.verdicts(self.connection, self.klass.id):
            entry = {
                "subject_id": row.subject_id,
                "hour": row.hour,
                "outcome": row.outcome,
                "standing": standing.of_stored(row.outcome, row.body, found),
                "pack": row.pack,
                "pack_sha256": row.pack_digest,
                "facts_sha256": row.facts_digest.hex(),
                "sha256": row.digest.hex(),
                "created_ms": row.created_ms,
                "current": True,
            }
            former = last.get((row.subject_kind, row.subject_id, row.hour))
            if former is not None:
                former |= {"current": False, "standing": None}
            last[row.subject_kind, row.subject_id, row.hour] = entry
            lines[row.subject_kind].append(row.body + b"\n")
            index[row.subject_kind].append(entry)
        there = {it.id for it in enrolment_facts.roster(self.connection, self.klass.id)}
        for (kind, subject_id, _), entry in last.items():
            if kind == "enrolment" and subject_id not in there:
                entry |= {"current": False, "standing": None}
        bodies = {f"verdicts/{kind}.ndjson": b"".join(lines[kind]) for kind in KINDS}
        return {"verdicts/index.json": canonical(index), **bodies}

    def _money(self) -> Members:
        """The steps from application to payment, who was paid what, and what came back."""
        of_class = self.connection, self.klass.id
        return {
            "stages.ndjson": ndjson(map(_stage, stages.of_class(*of_class))),
            "payments.ndjson": ndjson(map(_line, payments.of_class(*of_class))),
            "recoveries.ndjson": ndjson(map(_line, payments.recoveries(*of_class))),
        }

    def _people(self) -> Members:
        """What people found and decided; who reviews what is not settled is nobody's business, and
        the audit log's entries on it are left out as well."""
        found = package_rows.findings(self.connection, self.klass.id)
        settled = {it["id"] for it in found if it["status"] not in UNDECIDED}
        reviews = report_rows.reviews(self.connection, self.klass.id)
        appeals = report_rows.appeals(self.connection, self.klass.id)
        photos = report_rows.photos(self.connection, self.klass.id)
        inspected = inspections.of_class(self.connection, self.klass.id)[::-1]
        checks = inspections.checks_of_class(self.connection, self.klass.id)
        subjects = [
            subject(self.klass),
            f"class:{self.klass.id}",
            *(f"finding:{it['id']}" for it in found),
            *(f"learner:{it.id}" for it in report_rows.members(self.connection, self.klass.id)),
            *(f"snapshot:{it.id}" for it in photos),
            *(f"inspection:{it.id}" for it in inspected),
        ]
        entries = package_rows.audit_entries(self.connection, subjects)
        sealed = review.sealed(self.connection, (entry for entry, _ in entries))
        return {
            "findings.ndjson": ndjson(found),
            "reviews.ndjson": ndjson(
                package_rows.row_document(it) for it in reviews if it.finding_id in settled
            ),
            "appeals.ndjson": ndjson(map(package_rows.row_document, appeals)),
            "inspections.ndjson": ndjson(map(_inspection, inspected)),
            "inspection-checks.ndjson": ndjson(map(_inspection_check, checks)),
            **self._money(),
            "audit.ndjson": ndjson(
                {**package_rows.row_document(it), "previous": previous.hex()}
                for it, previous in entries
                if it.id not in sealed
            ),
        }


def _line(row: PaymentRow | RecoveryRow) -> dict[str, Any]:
    """The row as it is kept; `held`, which stands for a person, stays."""
    told: dict[str, Any] = msgspec.to_builtins(row)
    told.pop("held", None)
    return told


def _stage(row: StageEventRow) -> dict[str, Any]:
    """A deed on a step; who raised an objection is told to nobody."""
    told: dict[str, Any] = msgspec.to_builtins(row)
    told["body"].pop("raised_by", None)
    return told


def _inspection(row: InspectionRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in layout.INSPECTION if hasattr(row, name)}
    return {**values, "frame_sha256": frame_digest(row.frame), "drawn_by": row.who}


def _inspection_check(row: InspectionCheckRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in layout.INSPECTION_CHECK}
    return {**values, "checked_by": row.who}


def _index(log: StoredLog, name: str) -> dict[str, Any]:
    """Where one sitting's records lie: how many bytes of each file are its own."""
    return {
        "id": log.session_id,
        "session_id": name,
        "batches": len(log.manifest),
        "events": len(log.events),
        "notes": len(log.notes),
        "controls": len(log.controls),
        "photos": len(log.photos),
        "chain": log.chain.hex(),
    }
