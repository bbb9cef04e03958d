"""Checking an audit package, offline: every hash, chain and signature, then the judgement itself.

Each check says which member, sitting or verdict it failed on. What is damaged is not replayed:
its verdicts could only differ.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from app.domain import packs
from app.domain.inspections import drawn, frame_digest
from app.reports import container, parquet, replay, signing
from app.reports.package import FORMAT, KINDS
from app.store import audit
from app.store.event_log import GENESIS, MANIFEST, link
from app.store.package_rows import Log
from detectors.registry import VERSIONS
from detectors.trace import EVENT

_SIGNED_APART = ("manifest.json", "signature.json")
_CHECKED = ("learner", "result", "remark")
_AUDITED = ("at_ms", "actor", "action", "subject", "detail")


class NotAPackage(Exception):
    """The file is something else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: a member, and the sitting or verdict in it where that is known."""

    member: str
    code: str
    detail: str

    def shown(self) -> dict[str, str]:
        return {"member": self.member, "code": self.code, "detail": self.detail}


@dataclass(slots=True)
class Report:
    """What was checked, and what was found wrong."""

    problems: list[Problem] = field(default_factory=list)
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


def verify(data: bytes, key: str | None = None) -> Report:
    """Check a package; `key` is the public key in hex that it must be signed with.

    Raises NotAPackage for a file that never was one.
    """
    report = Report()
    try:
        members = container.unpack(data)
    except container.Unreadable as error:
        if FORMAT.encode() not in data:
            raise NotAPackage("this file is not an audit package") from error
        report.problems.append(Problem(error.member or "the archive", "unreadable", str(error)))
        return report
    if not set(_SIGNED_APART) & members.keys():
        raise NotAPackage("this archive is not an audit package")
    _Checker(report, members, data, key).all()
    return report


class _Checker:
    """One pass over one package."""

    def __init__(
        self, report: Report, members: dict[str, bytes], data: bytes, key: str | None
    ) -> None:
        self.report, self.members, self.data, self.key = report, members, data, key

    def all(self) -> None:
        self._container()
        self._signature()
        self._hashes()
        if self.report.manifest.get("format") != FORMAT:
            self._fail("manifest.json", "format", f"is not {FORMAT}")
            return
        try:
            logs = self._logs()
            self._chains(logs)
            self._audit()
            self._inspections()
            self._packs()
            self._verdicts()
            self._photos()
        except (KeyError, ValueError, TypeError, msgspec.DecodeError) as error:
            self._fail("the package", "malformed", f"{type(error).__name__}: {error}")
            return
        if not self.report.problems:
            self._parquet(logs)
            self._replay(logs)

    def _fail(self, member: str, code: str, detail: str) -> None:
        self.report.problems.append(Problem(member, code, detail))

    def _container(self) -> None:
        where = container.altered(self.data, self.members)
        if where is not None:
            self._fail(where, "container", "bytes around this member are not as they were written")

    def _signature(self) -> None:
        missing = [name for name in _SIGNED_APART if name not in self.members]
        for name in missing:
            self._fail(name, "missing", "is missing")
        if missing:
            return
        manifest = self.members["manifest.json"]
        try:
            self.report.public_key = signing.check(manifest, self.members["signature.json"])
        except signing.BadSignature as error:
            member = "manifest.json" if error.manifest else "signature.json"
            self._fail(member, "signature", str(error))
        if self.key and self.report.public_key and self.report.public_key != self.key.lower():
            self._fail("signature.json", "other_key", f"is signed by {self.report.public_key}")
        try:
            self.report.manifest = msgspec.json.decode(manifest, type=dict[str, Any])
        except msgspec.DecodeError as error:
            self._fail("manifest.json", "malformed", str(error))

    def _hashes(self) -> None:
        told = self.report.manifest.get("members")
        if not isinstance(told, dict):
            return
        for name, entry in told.items():
            data = self.members.get(name)
            if data is None:
                self._fail(name, "missing", "is named in the manifest and missing")
            elif hashlib.sha256(data).hexdigest() != entry["sha256"]:
                self._fail(name, "hash", "does not have the sha256 that the manifest names")
        for name in self.members.keys() - told.keys() - set(_SIGNED_APART):
            self._fail(name, "unnamed", "is not named in the manifest")
        self.report.checked["members"] = len(told)

    def _logs(self) -> list[Log]:
        """The sittings' logs, cut out of the files by the index."""
        files = {
            name: self.members[f"evidence/{name}.bin"]
            for name in ("batches", "events", "notes", "controls", "photos")
        }
        at = dict.fromkeys(files, 0)
        logs = []
        for row in _lines(self.members["evidence/sessions.ndjson"]):
            cut = {}
            for name, data in files.items():
                cut[name] = data[at[name] : at[name] + row[name]]
                at[name] += row[name]
            logs.append(
                Log(
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

    def _chains(self, logs: list[Log]) -> None:
        names = [row["session_id"] for row in _lines(self.members["evidence/sessions.ndjson"])]
        for log, name in zip(logs, names, strict=True):
            if not _chained(log):
                self._fail(
                    "evidence/events.bin",
                    "chain",
                    f"session {name}: events, words or times do not hash to the chain's head",
                )
        self.report.checked["chains"] = len(logs)

    def _parquet(self, logs: list[Log]) -> None:
        """The table that other tools read says what the chained records say."""
        names = [row["session_id"] for row in _lines(self.members["evidence/sessions.ndjson"])]
        member = "evidence/events.parquet"
        try:
            column = parquet.differs(self.members[member], logs, names)
        except parquet.Unreadable as error:
            self._fail(member, "malformed", str(error))
            return
        if column is not None:
            self._fail(member, "events", f"tells another {column} than evidence/events.bin")

    def _audit(self) -> None:
        entries = list(_lines(self.members["audit.ndjson"]))
        for entry in entries:
            row = {name: entry[name] for name in _AUDITED}
            if audit.link(bytes.fromhex(entry["previous"]), row).hex() != entry["chain"]:
                self._fail("audit.ndjson", "chain", f"entry {entry['id']} is not what was linked")
        self.report.checked["audit_entries"] = len(entries)

    def _inspections(self) -> None:
        """Draws follow from seed and frame, and records say what the audit log says of them."""
        entries = list(_lines(self.members["audit.ndjson"]))
        bound = {
            it["detail"]["inspection"]: it for it in entries if it["action"] == "inspection.drawn"
        }
        member = "inspections.ndjson"
        made = {it["id"]: it for it in _lines(self.members.get(member, b""))}
        for number in sorted(bound.keys() | made.keys()):
            for problem in _draw_problems(made.get(number), bound.get(number)):
                self._fail(member, "draw", f"inspection {number}: {problem}")
        member = "inspection-checks.ndjson"
        found = Counter(
            (it["inspection_id"], it["checked_ms"], it["learner"], it["result"], it["remark"])
            for it in _lines(self.members.get(member, b""))
        )
        logged = Counter(
            (int(it["subject"].partition(":")[2]), it["at_ms"], *map(it["detail"].get, _CHECKED))
            for it in entries
            if it["action"] == "inspection.checked"
        )
        for entry in sorted((found - logged) + (logged - found)):
            self._fail(
                member,
                "check",
                f"inspection {entry[0]}, {entry[2]}: record and audit log differ",
            )
        self.report.checked["draws"] = len(made)

    def _packs(self) -> None:
        """The package's packs have the digests they are cited by, and are the ones known here."""
        told = self.report.manifest["pack"]
        data = self.members.get(f"pack/{told['name']}.json", b"")
        if hashlib.sha256(data).hexdigest() != told["sha256"]:
            self._fail(f"pack/{told['name']}.json", "hash", "is not the pack that was judged by")
        self.report.checked["packs"] = sum(it.startswith("pack/") for it in self.members)

    def _verdicts(self) -> None:
        index = msgspec.json.decode(self.members["verdicts/index.json"])
        for kind in KINDS:
            member = f"verdicts/{kind}.ndjson"
            bodies = self.members[member].splitlines()
            if len(bodies) != len(index[kind]):
                self._fail(member, "length", "has not as many verdicts as its index")
            for number, (body, entry) in enumerate(zip(bodies, index[kind], strict=False), 1):
                if hashlib.sha256(body).hexdigest() != entry["sha256"]:
                    self._fail(member, "hash", f"verdict {number} is not the one that was stored")
        self.report.checked["verdicts"] = sum(len(it) for it in index.values())

    def _photos(self) -> None:
        known = {row["sha256"] for row in _lines(self.members["evidence/photos.ndjson"])}
        held = [name for name in self.members if name.startswith("photos/")]
        for name in held:
            digest = hashlib.sha256(self.members[name]).hexdigest()
            if digest not in name or digest not in known:
                self._fail(name, "photo", "is not a photo of this class")
        self.report.checked["photos"] = len(held)

    def _replay(self, logs: list[Log]) -> None:
        """The detectors over the packed evidence come to the stored bytes."""
        if not self._same_tools():
            return
        tables = {
            name.removeprefix("tables/").removesuffix(".ndjson"): list(_lines(data))
            for name, data in self.members.items()
            if name.startswith("tables/")
        }
        index = msgspec.json.decode(self.members["verdicts/index.json"])
        stored = {
            (kind, entry["subject_id"], entry["hour"]): body
            for kind in replay.KINDS
            for entry, body in zip(
                index[kind], self.members[f"verdicts/{kind}.ndjson"].splitlines(), strict=True
            )
            if entry["current"]
        }
        tables["findings"] = list(_lines(self.members["findings.ndjson"]))
        told = self.report.manifest
        came_to = replay.verdicts(tables, logs, told["class"]["id"], told["created_ms"])
        for subject in sorted(stored.keys() | came_to.keys()):
            if stored.get(subject) != came_to.get(subject):
                self._fail(
                    f"verdicts/{subject[0]}.ndjson",
                    "replay",
                    _difference(subject, stored.get(subject), came_to.get(subject)),
                )
        self.report.checked["replayed"] = len(came_to)

    def _same_tools(self) -> bool:
        """Whether this installation judges as the package's did."""
        told = self.report.manifest["pack"]
        if self.report.manifest["detectors"] != VERSIONS:
            self._fail(
                "manifest.json", "tools", "was made with other detector versions than these here"
            )
            return False
        try:
            own = packs.load(told["name"])
        except packs.UnknownPack as error:
            self._fail(f"pack/{told['name']}.json", "tools", error.detail)
            return False
        if own.digest != told["sha256"]:
            self._fail(
                f"pack/{told['name']}.json", "tools", "is not the pack of that name known here"
            )
            return False
        return True


def _chained(log: Log) -> bool:
    """Whether the batches hash to the head."""
    head, event_at, note_at = GENESIS, 0, 0
    for received, count, size in np.frombuffer(log.manifest, MANIFEST).tolist():
        events = log.events[event_at : event_at + count * EVENT.itemsize]
        notes = log.notes[note_at : note_at + size]
        head = link(head, received, events, notes)
        event_at, note_at = event_at + len(events), note_at + len(notes)
    return head == log.chain and event_at == len(log.events) and note_at == len(log.notes)


def _draw_problems(made: dict[str, Any] | None, bound: dict[str, Any] | None) -> Iterator[str]:
    """What of one draw does not hold together: its record, and the audit log's entry on it."""
    if made is None or bound is None:
        yield "is missing here" if made is None else "is not in the audit log"
        return
    if frame_digest(made["frame"]) != made["frame_sha256"]:
        yield "who could be drawn is not what frame_sha256 names"
    if made["drawn"] != drawn(made["seed"], made["frame"], len(made["drawn"])):
        yield "the seed draws other learners out of the frame"
    told = bound["detail"]
    same = {it: made[it] for it in ("seed", "frame_sha256", "drawn")}
    same["frame"] = made["frame_kind"]
    for name, value in same.items():
        if told[name] != value:
            yield f"the audit log names another {name}"
    if bound["at_ms"] != made["drawn_ms"]:
        yield "the audit log names another time"


def _difference(subject: tuple[str, int, int], stored: bytes | None, came_to: bytes | None) -> str:
    known = msgspec.json.decode(stored or came_to or b"{}")
    name = ", ".join(str(value) for value in known["subject"].values())
    if stored is None:
        return f"{name}: the evidence gives a verdict that the package lacks"
    if came_to is None:
        return f"{name}: the evidence gives no such verdict"
    was, now = msgspec.json.decode(stored), msgspec.json.decode(came_to)
    fields = [key for key in sorted(was.keys() | now.keys()) if was.get(key) != now.get(key)]
    return f"{name}: the evidence gives another {', '.join(fields) or 'sequence of bytes'}"


def _lines(data: bytes) -> Iterator[Any]:
    for line in data.splitlines():
        yield msgspec.json.decode(line)
