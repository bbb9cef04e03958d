"""What verdicts and findings store: the one schema of every body, written and read.

Digests are taken of their canonical JSON (app.canonical), so a field that is new, gone or renamed
makes new verdicts; one that is UNSET is not written. Bodies of earlier versions stay readable: what
they lack has a default here, and what nobody reads any more is passed over. Times are epoch
milliseconds, positions content milliseconds; `Number` keeps a whole number whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from detectors.assess import Decision, HourOutcome, SessionOutcome
from detectors.finding import Evidence, Fault, Outcome, Scope
from detectors.policy import Reach, Status

Number = int | float
Interval = tuple[int, int, int, int]  # content from and to, server time from and to

Kind = TypeVar("Kind", bound="Body")


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all that is stored of a judgement."""


def extended(kind: type[Kind], body: Body, **more: Any) -> Kind:
    """A body of another kind: what both have in common, and `more`."""
    shared = set(body.__struct_fields__) & set(kind.__struct_fields__) - more.keys()
    return kind(**{name: getattr(body, name) for name in shared}, **more)


def document(body: Body) -> dict[str, Any]:
    """A body as a column of documents takes it."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return told


def finding_key(*parts: object) -> str:
    """The name of a finding, made of what it is about: the same in every run, so that reviews stay
    attached to it."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


# ------------------------------------------------------------------------------------ in common


class ClauseBody(Body, frozen=True, kw_only=True):
    """A clause with its exact words."""

    key: str
    quote: str
    instrument: str
    article: str


class PackBody(Body, frozen=True, kw_only=True):
    """The pack that judged."""

    id: str
    version: str
    sha256: str


# ------------------------------------------------------------------------------------- findings


class PhotoCopy(Body, frozen=True, kw_only=True):
    """The earlier photo that one repeats, and by how little they differ."""

    session_id: str
    snapshot_id: str
    residual: Number


class Place(Body, frozen=True, kw_only=True):
    """A control or photo, by its place among those of its own sitting, when it was issued or
    received."""

    place: int
    at_ms: int
    same_as: PhotoCopy | UnsetType = UNSET


class Member(Body, frozen=True, kw_only=True):
    """Somebody whom a finding of class scope is about, with their sittings."""

    learner_id: str
    sessions: Sequence[str]


class FindingEvidence(Body, frozen=True, kw_only=True):
    """What a finding rests on; one on a missing control rests on its record instead."""

    controls: Sequence[Place] | UnsetType = UNSET
    photos: Sequence[Place] | UnsetType = UNSET
    configured: Mapping[str, Any] | UnsetType = UNSET
    observed: Mapping[str, Any] | UnsetType = UNSET


class FindingBody(Body, frozen=True, kw_only=True):
    """A finding; see `detectors.finding.Finding`. `decision` stands in verdicts only, where
    `members` do not: who else is in a crowd is nobody's business there."""

    key: str
    rule: str
    reason: str
    outcome: Outcome
    fault: Fault
    evidence_class: Evidence
    rule_status: Status
    reach: Reach
    curable: bool
    needs_two_reviewers: bool
    session_id: str | None = None
    class_hour: int | None = None
    start_ms: int
    end_ms: int
    start_position_ms: int | None = None
    end_position_ms: int | None = None
    measured: Number
    limit: Number
    unit: str
    voids: bool = False
    rival_session_id: str | None = None
    clause: ClauseBody
    evidence: FindingEvidence
    rival_elsewhere: bool | UnsetType = UNSET  # then wording keeps the rival's id from platforms
    numbers: Mapping[str, Number] | UnsetType = UNSET
    scope: Scope | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    holds: bool | UnsetType = UNSET
    members: Sequence[Member] | UnsetType = UNSET
    stretches: Sequence[tuple[int, int]] | UnsetType = UNSET  # of a lesson, as its player counts
    decision: Decision | UnsetType | None = UNSET

    def sessions_named(self) -> list[str]:
        """The sittings of whom a finding of class scope is about."""
        return [it for member in self.members or () for it in member.sessions]


# ---------------------------------------------------------------------- sittings and class-hours


class SessionSubject(Body, frozen=True, kw_only=True):
    kind: str = "session"
    session_id: str
    learner_id: str
    class_id: str
    lesson_id: str


class SessionFields(Body, frozen=True, kw_only=True):
    """What a verdict on one sitting says of it. `reason` tells why one without content is not
    proven."""

    outcome: SessionOutcome
    reason: str | UnsetType = UNSET
    findings: Sequence[FindingBody]
    started_ms: int
    ended_ms: int
    media_ms: int
    played_ms: int
    credited_ms: int
    credited: Sequence[Interval] = ()
    provenance: str
    pack: PackBody
    detectors: Mapping[str, str]
    facts_sha256: str


class SessionVerdict(SessionFields, frozen=True, kw_only=True):
    subject: SessionSubject


class HourSubject(Body, frozen=True, kw_only=True):
    kind: str = "class_hour"
    class_id: str
    learner_id: str
    class_hour: int


class HourFields(Body, frozen=True, kw_only=True):
    """What a verdict on a learner's class-hour says of it. `withheld` are findings that cost credit
    and accuse nobody."""

    outcome: HourOutcome
    coverage: Number
    credited_ms: int
    played_ms: int
    length_ms: int
    photos: int
    sessions: Sequence[str]
    findings: Sequence[FindingBody]
    withheld: Sequence[FindingBody] | UnsetType = UNSET
    provenance: Sequence[str]


class HourVerdict(HourFields, frozen=True, kw_only=True):
    subject: HourSubject
    pack: PackBody
    facts_sha256: str


session_verdict = msgspec.json.Decoder(SessionVerdict).decode
hour_verdict = msgspec.json.Decoder(HourVerdict).decode
