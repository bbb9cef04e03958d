"""Judging: evidence out of the store, through the detectors, back as verdicts and findings.

A sitting is judged together with everything else its learner did in the class, because windows
overlap, pop-up gaps run over reloads and lessons have an order. A class is the same for all its
learners, with the enrolment and class verdicts on top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec import UNSET
from sqlalchemy import Connection

from app.domain import notify
from app.domain.judging import verdict_body as bodies
from app.domain.judging.sentences import sentences
from app.domain.policy import packs
from app.domain.policy.pack import Pack
from app.store.accounts import audit
from app.store.bodies import FindingBody, HourSubject, HourVerdict
from app.store.catalogue import catalogue
from app.store.judging import facts, verdicts
from app.store.judging.facts import NamedTrace
from app.store.judging.verdicts import Entered, Judged
from app.store.review import acts
from detectors import lesson_length, unseen_play
from detectors.assess import (
    Decision,
    HourOutcome,
    JudgedFacts,
    JudgedHour,
    SessionOutcome,
    assess,
    concerned,
)
from detectors.class_hours import changes, hour_key
from detectors.finding import Finding, FindingScope, Outcome
from detectors.registry import ALL, versions_acting

# Stands in verdicts while it lasts, and is nothing that anybody would look for in a queue.
PASSING = frozenset({"check_pending"})

GROWN = 2  # product default: how many times as much as when people struck it, to be asked again

# These compare people with each other, so only a whole class tells.
CROWD_RULES = frozenset(it.rule for it in ALL if it.crowd)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one evaluation came to: stored verdicts by kind, and findings that are new."""

    sessions: int
    verdicts: int
    new_findings: list[str]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What evidence came to, before anything of it is stored. `after` is the last verdict that
    stood in the class then, `decided` what people had decided on findings, `acts` the recorded acts
    that were in force."""

    class_id: int
    rules: Collection[str]
    pack: Pack
    own: list[int]
    learners: Collection[int]
    judged: list[Judged]
    found: list[Entered]
    after: int
    decided: Mapping[str, str]
    acts: Collection[int] = ()
    outgrown: Collection[str] = ()  # keys of what was struck when it was less than it is now


def judge_learner(
    connection: Connection,
    class_id: int,
    learner_id: int,
    now_ms: int,
    run_id: int | None = None,
) -> Judgement:
    """Judge one learner's sittings and class-hours in a class: at a session's close."""
    evidence = facts.of_learner(connection, class_id, learner_id)
    evaluated = _evaluate(
        connection, class_id, evidence, standing=standing(connection, class_id, evidence)
    )
    return keep(connection, evaluated, now_ms, run_id)


def judge_sittings(
    connection: Connection, class_id: int, now_ms: int, run_id: int | None = None
) -> Judgement:
    """Judge all sittings and class-hours of a class."""
    return keep(connection, evaluate_sittings(connection, class_id), now_ms, run_id)


def evaluate_sittings(
    connection: Connection, class_id: int, pack: Pack | None = None
) -> Evaluation:
    """What all sittings and class-hours of a class come to, by its own pack or by another; nothing
    is stored."""
    evidence = facts.of_class(connection, class_id)
    return _evaluate(connection, class_id, evidence, pack)


def overtaken(connection: Connection, evaluated: Evaluation) -> bool:
    """Whether somebody judged or decided since, so that it must be evaluated again. Evidence that
    came in meanwhile is no matter: whoever adds it has it judged afterwards."""
    return (
        verdicts.newest(connection, evaluated.class_id) != evaluated.after
        or decisions_on(connection, evaluated) != evaluated.decided
        or acts.ids_in_force(connection, evaluated.class_id) != evaluated.acts
    )


def decisions_on(connection: Connection, evaluated: Evaluation) -> dict[str, str]:
    """What people have decided by now on the findings that an evaluation is about."""
    return verdicts.decisions(connection, evaluated.learners, evaluated.class_id)


def pack_of_class(connection: Connection, class_id: int) -> Pack:
    """The pack a class was opened with, in the version frozen then."""
    klass = catalogue.class_by_id(connection, class_id)
    return packs.load(klass.pack_id, klass.pack_version)


def standing(connection: Connection, class_id: int, evidence: NamedTrace) -> list[Finding]:
    """What was found on the class as a whole and bears on these sittings, which alone do not
    tell it."""
    bodies_of = verdicts.standing_on_class(connection, class_id, CROWD_RULES)
    found = (bodies.standing_finding(evidence, class_id, body) for body in bodies_of)
    return [finding for finding in found if finding is not None]


def assessed(
    evidence: NamedTrace,
    pack: Pack,
    decided: Mapping[str, str],
    standing: Sequence[Finding] | None = None,
) -> tuple[JudgedFacts, list[str]]:
    """The detectors' assessment of evidence, and the key of each finding. `standing`: see
    `detectors.assess.assess`."""

    def decision(finding: Finding) -> Decision | None:
        status = decided and decided.get(bodies.key_of(evidence, finding))
        return Decision(status) if status else None

    if standing is not None:  # another pack may have found what this one has no rule for
        standing = [it for it in standing if it.rule in pack.policy.rules]
    result = assess(evidence.trace, pack.policy, decision, standing)
    return result, [bodies.key_of(evidence, finding) for finding in result.findings]


def _evaluate(
    connection: Connection,
    class_id: int,
    evidence: NamedTrace,
    pack: Pack | None = None,
    standing: Sequence[Finding] | None = None,
) -> Evaluation:
    rules = {it.rule for it in ALL if standing is None or not it.crowd}
    after = verdicts.newest(connection, class_id)
    # Those that the evidence was read with: one that is recorded meanwhile has to overtake it.
    in_force = [it.id for it in evidence.acts if it.class_id == class_id]
    if not evidence.sessions:
        in_force = acts.ids_in_force(connection, class_id)
    pack = pack or pack_of_class(connection, class_id)
    learners = {row.learner_id for row in evidence.sessions}
    decided = verdicts.decisions(connection, learners, class_id)
    own = [row.id for row in evidence.sessions if row.class_id == class_id]
    rows: list[Judged] = []
    found: list[Entered] = []
    outgrown: Collection[str] = ()
    if evidence.sessions:
        result, keys = assessed(evidence, pack, decided, standing)
        outgrown = _outgrown(connection, result.findings, keys, decided)
        stands = {key: it for key, it in decided.items() if key not in outgrown}
        if outgrown:
            result, keys = assessed(evidence, pack, stands, standing)
        whole = standing is None
        writer = _Writer(connection, class_id, evidence, result, keys, stands, pack, whole)
        rows, found = writer.rows()
    return Evaluation(
        class_id, rules, pack, own, learners, rows, found, after, decided, in_force, outgrown
    )


def _outgrown(
    connection: Connection,
    findings: Sequence[Finding],
    keys: Sequence[str],
    decided: Mapping[str, str],
) -> set[str]:
    """Which of these people struck when they lasted less than half as long, or when less than half
    as many stood in them: evidence that came since tells what nobody has looked at."""
    struck = {key for key in keys if decided.get(key) == Decision.OVERTURNED}
    seen = verdicts.measured(connection, struck) if struck else {}
    return {
        key
        for key, it in zip(keys, findings, strict=True)
        if key in seen and _grows(it) and it.measured > GROWN * seen[key]
    }


def _grows(finding: Finding) -> bool:
    """Whether it measures how long something was, or among how many of a class."""
    of_class = finding.scope is FindingScope.CLASS
    return finding.unit == "s" or (of_class and finding.unit == "count")


def keep(
    connection: Connection, evaluated: Evaluation, now_ms: int, run_id: int | None = None
) -> Judgement:
    """Store an evaluation: verdicts that differ from the current ones, and its findings."""
    if not evaluated.own and not evaluated.judged:
        return Judgement(0, 0, [])
    class_id, pack = evaluated.class_id, evaluated.pack
    named = (pack.name, pack.digest)
    stored = verdicts.add(connection, class_id, evaluated.judged, named, run_id, now_ms)
    spoken_of = [*evaluated.own, *([None] if set(evaluated.rules) >= CROWD_RULES else [])]
    new = verdicts.keep_findings(
        connection,
        class_id,
        evaluated.found,
        spoken_of,
        evaluated.rules,
        run_id,
        now_ms,
        evaluated.outgrown,
    )
    _ask_again(connection, class_id, evaluated.outgrown, now_ms)
    if stored:
        notify.session_verdicts(connection, class_id, evaluated.after, sentences, now_ms)
    notify.findings_opened(connection, class_id, new, sentences, now_ms)
    return Judgement(len(evaluated.own), stored, new)


def _ask_again(
    connection: Connection, class_id: int, outgrown: Collection[str], now_ms: int
) -> None:
    """Have it on record that what people decided no longer stands."""
    for it in verdicts.findings_by_key(connection, class_id, outgrown).values():
        audit.append(
            connection,
            at_ms=now_ms,
            actor="system",
            action="finding.outgrown",
            subject=f"finding:{it.id}",
            detail={},
        )


class _Writer:
    """Verdict and finding rows of one assessment, for the sessions of one class."""

    def __init__(
        self,
        connection: Connection,
        class_id: int,
        evidence: NamedTrace,
        result: JudgedFacts,
        keys: list[str],
        decided: Mapping[str, str],
        pack: Pack,
        whole: bool,
    ) -> None:
        self.class_id, self.evidence, self.result = class_id, evidence, result
        self.whole = whole
        self.pack, self.decided, self.keys = pack, decided, keys
        self.enrolments = catalogue.enrolments(connection, class_id)
        self.own = [at for at, row in enumerate(evidence.sessions) if row.class_id == class_id]
        carried = [at for at, row in enumerate(evidence.sessions) if row.id in evidence.carried]
        self.counted = [*carried, *self.own]
        self.name = catalogue.class_by_id(connection, class_id).external_id if carried else ""
        self.bodies = [
            bodies.finding_body(evidence, finding, key, pack)
            for finding, key in zip(result.findings, keys, strict=True)
        ]
        self.by_session: dict[int, list[int]] = defaultdict(list)
        for at, finding in enumerate(result.findings):
            for session in concerned(finding):
                self.by_session[session].append(at)
        # What is on trial in the shadow is kept as a finding, and stays out of verdicts.
        self.acts = [pack.policy[it.rule].acts for it in result.findings]
        self.shown = [self._shown(at) for at in range(len(self.bodies))]
        self.outcomes = self._outcomes()
        self.facts = bodies.FactsDigests(evidence)
        self.digests = {at: self._digest(at) for at in self.counted}

    def rows(self) -> tuple[list[Judged], list[Entered]]:
        return [*self._sessions(), *self._hours()], self._findings()

    def _digest(self, session: int) -> bytes:
        relevant = {
            self.keys[at]: self.decided.get(self.keys[at], "open")
            for at in self.by_session[session]
            if self.keys[at] in self.decided or self.result.findings[at].scope is FindingScope.CLASS
        }
        if session in self.result.by_film:
            relevant |= {
                self.keys[at]: self.decided.get(self.keys[at], "open")
                for at, finding in enumerate(self.result.findings)
                if finding.rule == lesson_length.RULE and self._of_class(finding, session)
            }
        return self.facts.of(session, relevant)

    def _of_class(self, finding: Finding, session: int) -> bool:
        classes = self.evidence.trace.sessions["klass"]
        return bool(classes[finding.members[0]] == classes[session])

    def _shown(self, at: int) -> FindingBody:
        """A finding with what people decided on it; of a crowd, not who else is in it."""
        status = self.decided.get(self.keys[at])
        decision = Decision(status) if status else None
        return msgspec.structs.replace(self.bodies[at], members=UNSET, decision=decision)

    def _withholds(self, at: int) -> bool:
        """Whether it costs credit and accuses nobody."""
        finding = self.result.findings[at]
        costs = finding.voids or finding.rule == unseen_play.RULE
        return self.acts[at] and costs and finding.outcome is Outcome.CLEAR

    def _outcomes(self) -> list[SessionOutcome]:
        """Of every sitting, by row."""
        outcomes = self.result.outcomes
        if self.pack.attested_may_be_valid:
            return list(outcomes)
        valid, not_proven = SessionOutcome.VALID, SessionOutcome.NOT_PROVEN
        return [
            not_proven if it is valid and row.provenance == "attested" else it
            for it, row in zip(outcomes, self.evidence.sessions, strict=True)
        ]

    def _sessions(self) -> list[Judged]:
        parts, credited = self.result.facts.parts, self.result.credited
        played_ms = bodies.lengths(parts, len(self.evidence.sessions))
        credited_ms = bodies.lengths(credited, len(self.evidence.sessions))
        stretches = bodies.intervals(self.evidence.trace, credited)
        pack, rules = bodies.pack_body(self.pack), versions_acting(self.pack.policy)
        rows = []
        for session in self.own:
            outcome = self.outcomes[session]
            body = bodies.session_body(
                self.evidence,
                session,
                outcome,
                [self.shown[at] for at in self.by_session[session] if self.acts[at]],
                played_ms[session],
                credited_ms[session],
                stretches.get(session, []),
                self.digests[session],
                pack,
                rules,
            )
            row = self.evidence.sessions[session]
            rows.append(Judged.of("session", row.id, 0, outcome.value, self.digests[session], body))
        return rows

    def _hours(self) -> list[Judged]:
        sessions = self.evidence.trace.sessions
        learner_of = {int(sessions["case"][at]): self.evidence.sessions[at] for at in self.counted}
        spent, pack = self._spent(), bodies.pack_body(self.pack)
        rows = []
        for hour in self.result.hours:
            if hour.case not in learner_of or hour.hour < 0:
                continue
            person = learner_of[hour.case]
            enrolment = self.enrolments.get(person.learner_id)
            if enrolment is None:
                continue
            sittings = spent.get(hour_key(hour.case, hour.hour)) or self._tried(hour)
            outcome = hour.outcome
            held = any(self.outcomes[at] is SessionOutcome.NOT_PROVEN for at in sittings)
            if outcome is HourOutcome.VALID and held and not self.pack.attested_may_be_valid:
                outcome = HourOutcome.NOT_PROVEN
            number = self.evidence.hours[hour.hour][1]
            digest = bodies.combined(
                [self.digests[at] for at in sittings if at in self.digests], number
            )
            body = HourVerdict(
                subject=HourSubject(
                    class_id=self.name or person.klass, learner_id=person.learner, class_hour=number
                ),
                outcome=outcome,
                coverage=round(hour.coverage, 6),
                credited_ms=hour.credited_ms,
                played_ms=hour.played_ms,
                length_ms=hour.length_ms,
                photos=hour.photos,
                sessions=sorted(self.evidence.sessions[at].external_id for at in sittings),
                findings=[
                    self.shown[at]
                    for at in hour.findings
                    if self.acts[at] and self.result.findings[at].outcome is not Outcome.CLEAR
                ],
                withheld=[self.shown[at] for at in hour.findings if self._withholds(at)],
                provenance=sorted({self.evidence.sessions[at].provenance for at in sittings}),
                pack=pack,
                facts_sha256=digest.hex(),
            )
            rows.append(Judged.of("class_hour", enrolment, number, outcome.value, digest, body))
        return rows

    def _tried(self, hour: JudgedHour) -> list[int]:
        """The sittings of a class-hour in which nothing counts as played."""
        named = {self.result.findings[at].session for at in hour.findings}
        return sorted(it for it in named if it >= 0)

    def _spent(self) -> dict[int, list[int]]:
        """The sittings with play in each class-hour, by its key."""
        parts = self.result.facts.parts
        keys = hour_key(parts.case, parts.hour)
        order = np.lexsort((parts.session, keys))
        keys, session = keys[order], parts.session[order]
        first = changes(keys, session)
        found: dict[int, list[int]] = defaultdict(list)
        for key, row in zip(keys[first].tolist(), session[first].tolist(), strict=True):
            found[key].append(row)
        return found

    def _findings(self) -> list[Entered]:
        rows: dict[str, Entered] = {}
        for at, finding in enumerate(self.result.findings):
            of_class = finding.scope is FindingScope.CLASS
            session = self.evidence.sessions[finding.members[0] if of_class else finding.session]
            overturned = self.decided.get(self.keys[at]) == Decision.OVERTURNED
            if session.class_id != self.class_id or (of_class and not self.whole):
                continue
            if finding.outcome is Outcome.CLEAR and not overturned:
                continue
            if finding.reason in PASSING:
                continue
            rows[self.keys[at]] = Entered(
                platform_id=session.platform_id,
                class_id=self.class_id,
                learner_id=None if of_class else session.learner_id,
                session_id=None if of_class else session.id,
                shadow=not self.pack.policy[finding.rule].acts,
                pack=self.pack.name,
                body=self.bodies[at],
            )
        return list(rows.values())
