"""Checking an audit package, offline: every hash, chain and signature, then the judgement itself.

Each check says which member, sitting or verdict it failed on. What is damaged is not replayed:
its verdicts could only differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from app.domain.policy import packs
from app.reports import agreement, container, parquet, replay, signing
from app.reports.manifest import Indexed, Manifest
from app.reports.members import Malformed, PackageProblem, rows
from app.reports.package import FORMAT, KINDS
from app.store.accounts import audit
from app.store.events.event_log import GENESIS, MANIFEST, link
from app.store.exchange.package_rows import StoredLog
from detectors.registry import versions_run
from detectors.trace import EVENT

_SIGNED_APART = ("manifest.json", "signature.json")
_OF_ANOTHER_SHAPE = (
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,  # a sum of money that is no number, a time longer than any
    RecursionError,
    msgspec.DecodeError,
)
_AUDITED = ("at_ms", "actor", "action", "subject", "detail")


class NotAPackage(Exception):
    """The file is something else."""


@dataclass(slots=True)
class Verification:
    """What was checked, and what was found wrong."""

    problems: list[PackageProblem] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)
    public_key: str | None = None
    manifest: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "class": self.manifest.get("class"),
            "pack": self.manifest.get("pack"),
            "created_ms": self.manifest.get("created_ms"),
            "public_key": self.public_key,
            "checked": self.checked,
            "problems": [it.shown() for it in self.problems],
        }


def verify(data: bytes, key: str | None = None) -> Verification:
    """Check a package; `key` is the public key in hex that it must be signed with.

    Raises NotAPackage for a file that never was one.
    """
    report = Verification()
    try:
        members = container.unpack(data)
    except container.UnreadableArchive as error:
        if not _once_was_one(data):
            raise NotAPackage("this file is not an audit package") from error
        report.problems.append(
            PackageProblem(error.member or "the archive", "unreadable", str(error))
        )
        return report
    if not set(_SIGNED_APART) & members.keys():
        raise NotAPackage("this archive is not an audit package")
    _Checker(report, members, data, key).all()
    return report


class _Checker:
    """One pass over one package."""

    manifest: Manifest  # from _signature() on

    def __init__(
        self, report: Verification, members: dict[str, bytes], data: bytes, key: str | None
    ) -> None:
        self.report, self.members, self.data, self.key = report, members, data, key

    def all(self) -> None:
        self._container()
        if not self._signature():
            return
        self._hashes()
        try:
            logs = self._logs()
            self._chains(logs)
            self._audit()
            self._agreement()
            self._packs()
            self._verdicts()
            self._photos()
            if not self.report.problems:
                self._parquet(logs)
                self._replay(logs)
        except Malformed as error:
            self._fail(error.member, "malformed", error.detail)

    def _fail(self, member: str, code: str, detail: str) -> None:
        self.report.problems.append(PackageProblem(member, code, detail))

    def _container(self) -> None:
        where = container.altered(self.data, self.members)
        if where is not None:
            self._fail(where, "container", "bytes around this member are not as they were written")

    def _signature(self) -> bool:
        """Whether there is a manifest to go on with."""
        missing = [name for name in _SIGNED_APART if name not in self.members]
        for name in missing:
            self._fail(name, "missing", "is missing")
        if missing:
            return False
        manifest = self.members["manifest.json"]
        try:
            self.report.public_key = signing.check(manifest, self.members["signature.json"])
        except signing.BadSignature as error:
            member = "manifest.json" if error.manifest else "signature.json"
            self._fail(member, "signature", str(error))
        if self.key and self.report.public_key and self.report.public_key != self.key.lower():
            self._fail("signature.json", "other_key", f"is signed by {self.report.public_key}")
        try:
            told = msgspec.json.decode(manifest, type=dict[str, Any])
            if told.get("format") != FORMAT:
                self._fail("manifest.json", "format", f"is {told.get('format')!r}, not {FORMAT!r}")
                return False
            self.manifest = msgspec.convert(told, Manifest)
        except (msgspec.DecodeError, RecursionError) as error:
            self._fail("manifest.json", "malformed", str(error))
            return False
        self.report.manifest = told
        return True

    def _hashes(self) -> None:
        members = self.manifest.members
        for name, entry in members.items():
            data = self.members.get(name)
            if data is None:
                self._fail(name, "missing", "is named in the manifest and missing")
            elif hashlib.sha256(data).hexdigest() != entry.sha256:
                self._fail(name, "hash", "does not have the sha256 that the manifest names")
            elif len(data) != entry.size:
                self._fail(name, "hash", "does not have the size that the manifest names")
        for name in sorted(self.members.keys() - members.keys() - set(_SIGNED_APART)):
            self._fail(name, "unnamed", "is not named in the manifest")
        self.report.checked["members"] = len(members)

    def _logs(self) -> list[StoredLog]:
        """The sittings' logs, cut out of the files by the index."""
        files = {
            name: self._bytes(f"evidence/{name}.bin")
            for name in ("batches", "events", "notes", "controls", "photos")
        }
        at = dict.fromkeys(files, 0)
        logs = []
        with self._reading("evidence/sessions.ndjson"):
            for row in self._rows("evidence/sessions.ndjson"):
                cut = {}
                for name, data in files.items():
                    cut[name] = data[at[name] : at[name] + row[name]]
                    at[name] += row[name]
                logs.append(
                    StoredLog(
                        session_id=row["id"],
                        manifest=cut["batches"],
                        events=cut["events"],
                        notes=cut["notes"],
                        controls=cut["controls"],
                        photos=cut["photos"],
                        chain=bytes.fromhex(row["chain"]),
                    )
                )
        for name, data in files.items():
            if at[name] != len(data):
                self._fail(f"evidence/{name}.bin", "length", "is longer or shorter than its index")
        return logs

    def _chains(self, logs: list[StoredLog]) -> None:
        for log, name in zip(logs, self._sittings(), strict=True):
            with self._reading("evidence/batches.bin"):
                follows = _chained(log)
            if not follows:
                self._fail(
                    "evidence/events.bin",
                    "chain",
                    f"session {name}: events, words or times do not hash to the chain's head",
                )
        self.report.checked["chains"] = len(logs)

    def _sittings(self) -> list[str]:
        """What the platform calls each sitting, in the logs' order."""
        member = "evidence/sessions.ndjson"
        with self._reading(member):
            return [str(row["session_id"]) for row in self._rows(member)]

    def _rows(self, member: str) -> list[dict[str, Any]]:
        return rows(self.members, member)

    def _bytes(self, member: str) -> bytes:
        if member not in self.members:
            raise Malformed(member, "is missing")
        return self.members[member]

    @contextmanager
    def _reading(self, member: str) -> Iterator[None]:
        """Fields that are missing or of another type say which member they were looked for in."""
        try:
            yield
        except _OF_ANOTHER_SHAPE as error:
            raise Malformed(member, f"{type(error).__name__}: {error}") from error

    def _parquet(self, logs: list[StoredLog]) -> None:
        """The table that other tools read says what the chained records say."""
        member = "evidence/events.parquet"
        try:
            column = parquet.differs(self._bytes(member), logs, self._sittings())
        except parquet.UnreadableParquet as error:
            self._fail(member, "malformed", str(error))
            return
        if column is not None:
            self._fail(member, "events", f"tells another {column} than evidence/events.bin")

    def _audit(self) -> None:
        member = "audit.ndjson"
        entries = self._rows(member)
        with self._reading(member):
            for entry in entries:
                row = {name: entry[name] for name in _AUDITED}
                if audit.link(bytes.fromhex(entry["previous"]), row).hex() != entry["chain"]:
                    self._fail(member, "chain", f"entry {entry['id']} is not what was linked")
        self.report.checked["audit_entries"] = len(entries)

    def _agreement(self) -> None:
        with self._reading("the records of what people did"):
            self.report.problems += agreement.problems(self.members, self.manifest.klass.id)
        self.report.checked["draws"] = len(self._rows("inspections.ndjson"))
        self.report.checked["reviews"] = len(self._rows("reviews.ndjson"))

    def _packs(self) -> None:
        """The class's pack has the digest it is cited by, and the manifest means this class."""
        told, klass = self.manifest.pack, self.manifest.klass
        member = f"pack/{told.name}.json"
        if hashlib.sha256(self.members.get(member, b"")).hexdigest() != told.sha256:
            self._fail(member, "hash", "is not the pack that was judged by")
        self.report.checked["packs"] = sum(it.startswith("pack/") for it in self.members)
        names = [
            (it.get("id"), it.get("external_id"), it.get("official_class_no"))
            for it in self._rows("tables/classes.ndjson")
        ]
        if (klass.id, klass.class_id, klass.official_class_no) not in names:
            self._fail("manifest.json", "class", "names another class than the records are of")

    def _index(self) -> dict[str, list[Indexed]]:
        member = "verdicts/index.json"
        try:
            told = msgspec.json.decode(self._bytes(member), type=dict[str, list[Indexed]])
        except (msgspec.DecodeError, RecursionError) as error:
            raise Malformed(member, str(error)) from error
        if set(told) != set(KINDS):
            raise Malformed(member, "has not the kinds of verdicts that there are")
        return told

    def _verdicts(self) -> None:
        index = self._index()
        for kind in KINDS:
            member = f"verdicts/{kind}.ndjson"
            bodies = self._bytes(member).splitlines()
            if len(bodies) != len(index[kind]):
                self._fail(member, "length", "has not as many verdicts as its index")
            for number, (body, entry) in enumerate(zip(bodies, index[kind], strict=False), 1):
                if hashlib.sha256(body).hexdigest() != entry.sha256:
                    self._fail(member, "hash", f"verdict {number} is not the one that was stored")
        self.report.checked["verdicts"] = sum(len(it) for it in index.values())

    def _photos(self) -> None:
        member = "evidence/photos.ndjson"
        with self._reading(member):
            known = {row["sha256"] for row in self._rows(member)}
        held = [name for name in self.members if name.startswith("photos/")]
        for name in held:
            digest = hashlib.sha256(self.members[name]).hexdigest()
            if digest not in name or digest not in known:
                self._fail(name, "photo", "is not a photo of this class")
        self.report.checked["photos"] = len(held)

    def _replay(self, logs: list[StoredLog]) -> None:
        """The detectors over the packed evidence come to the stored bytes."""
        if not self._same_tools():
            return
        index = self._index()
        stored = {
            (kind, entry.subject_id, entry.hour): body
            for kind in replay.KINDS
            for entry, body in zip(
                index[kind], self.members[f"verdicts/{kind}.ndjson"].splitlines(), strict=True
            )
            if entry.current
        }
        try:
            tables = {
                name.removeprefix("tables/").removesuffix(".ndjson"): self._rows(name)
                for name in self.members
                if name.startswith("tables/")
            }
            tables["findings"] = self._rows("findings.ndjson")
            came_to = replay.judge(tables, logs, self.manifest.klass.id, self.manifest.created_ms)
        except Malformed:
            raise
        except Exception as error:  # noqa: BLE001 - rows of a stranger's making may break any line of the judging
            self._fail("tables", "replay", f"cannot be judged: {type(error).__name__}: {error}")
            return
        for subject in sorted(stored.keys() | came_to.verdicts.keys(), key=str):
            was, now = stored.get(subject), came_to.verdicts.get(subject)
            if was != now:
                member = f"verdicts/{subject[0]}.ndjson"
                with self._reading(member):
                    self._fail(member, "replay", _difference(was, now))
        with self._reading("findings.ndjson"):
            self._findings({it["key"]: it for it in tables["findings"]}, came_to.findings)
        self.report.checked["replayed"] = len(came_to.verdicts)

    def _findings(self, told: Mapping[str, Any], came_to: Mapping[str, Any]) -> None:
        """Judging again enters no finding anew and changes none."""
        for key in sorted(came_to, key=str):
            now, was = came_to[key], told.get(key)
            if was is None:
                detail = f"{now['rule']} {key}: the evidence gives a finding that is missing here"
                self._fail("findings.ndjson", "replay", detail)
            elif (was["body"], was["status"]) != (now["body"], now["status"]):
                detail = f"{now['rule']} {key}: the evidence gives another finding"
                self._fail("findings.ndjson", "replay", detail)

    def _same_tools(self) -> bool:
        """Whether this installation judges as the package's did."""
        held = [it for it in self.members if it.startswith("pack/")]
        for member in held:
            try:
                own = packs.load(member.removeprefix("pack/").removesuffix(".json"))
            except packs.UnknownPack as error:
                self._fail(member, "tools", error.detail)
                continue
            if own.canonical != self.members[member]:
                self._fail(member, "tools", "is not the pack of that name known here")
        if self.report.problems:
            return False
        mine = versions_run(packs.load(self.manifest.pack.name).policy)
        if {rule: self.manifest.detectors.get(rule) for rule in mine} != mine:
            detail = "was made with other detector versions than these here"
            self._fail("manifest.json", "tools", detail)
        return not self.report.problems


def _chained(log: StoredLog) -> bool:
    """Whether the batches hash to the head."""
    head, event_at, note_at = GENESIS, 0, 0
    for received, count, size in np.frombuffer(log.manifest, MANIFEST).tolist():
        events = log.events[event_at : event_at + count * EVENT.itemsize]
        notes = log.notes[note_at : note_at + size]
        head = link(head, received, events, notes)
        event_at, note_at = event_at + len(events), note_at + len(notes)
    return head == log.chain and event_at == len(log.events) and note_at == len(log.notes)


def _difference(stored: bytes | None, came_to: bytes | None) -> str:
    known = msgspec.json.decode(stored or came_to or b"{}")
    name = ", ".join(str(value) for value in known["subject"].values())
    if stored is None:
        return f"{name}: the evidence gives a verdict that the package lacks"
    if came_to is None:
        return f"{name}: the evidence gives no such verdict"
    was, now = msgspec.json.decode(stored), msgspec.json.decode(came_to)
    fields = [key for key in sorted(was.keys() | now.keys()) if was.get(key) != now.get(key)]
    return f"{name}: the evidence gives another {', '.join(fields) or 'sequence of bytes'}"


def _once_was_one(data: bytes) -> bool:
    """Whether a file that cannot be read as a package was one before it was cut or packed anew."""
    return FORMAT.encode() in data or all(name.encode() in data for name in _SIGNED_APART)
