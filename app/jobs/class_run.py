"""A class judged from stored evidence: settle, compare faces, judge, conclude."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Gauge

from app import tracing
from app.domain import runs
from app.domain.faces import same_face
from app.domain.faces.kept_photos import Rechecked
from app.domain.judging import assess, eligibility, settle, unsettled
from app.domain.sittings import sealing
from app.jobs import face_worker
from app.jobs.repeating import Repeating
from app.services import Services
from app.store.catalogue import catalogue
from app.store.events import event_log
from app.store.faces import face_sets
from app.store.judging import runs as store
from app.store.judging import verdicts
from app.store.review import findings
from detectors import evidence_altered

POLL_S = 0.5
BEAT_S = 1.0
_SEALED_AT_ONCE, _PHOTOS_AT_ONCE = 25, 32

log = structlog.get_logger("zhenxue.class_run")

Tell = Callable[[int, int], None]


def perform(
    services: Services, run_id: int, tell: Tell | None = None, *, whole: bool = False
) -> dict[str, Any]:
    """Work a run off that the caller has taken on; its summary.

    `tell(done, total)` is called as it advances. `whole`: read every photo, whatever the store says
    of it. What goes wrong is recorded in the run and raised. Performing it again finishes it:
    nothing that is settled or judged is done twice.
    """
    try:
        with tracing.span("class.run", {"run": run_id}):
            summary = _Work(services, run_id, tell or (lambda done, total: None), whole).all()
        with services.database.write() as connection:
            summary = runs.finish(connection, run_id, summary, services.clock())
    except Exception as error:
        with services.database.write() as connection:
            runs.fail(connection, run_id, f"{type(error).__name__}: {error}", services.clock())
        raise
    return summary


@dataclass
class _Work:
    """Steps are sittings to settle, photos to compare, sittings and learners to judge."""

    services: Services
    run_id: int
    tell: Tell
    whole: bool = False
    done: int = 0
    total: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    _beat_at: float = 0.0
    _evaluated: assess.Evaluation = field(init=False)

    def all(self) -> dict[str, Any]:
        began = time.perf_counter()
        with self.services.database.read() as connection:
            self.class_id = runs.class_of(connection, self.run_id)
        stored = self._timed("photos", self._photos)
        with self.services.database.read() as connection:
            open_logs = event_log.unsettled(connection, self.class_id)
            photos = store.photos_waiting(connection, self.class_id)
            sittings = len(store.sessions(connection, self.class_id))
            learners = catalogue.enrolled(connection, self.class_id)
        self.total = len(open_logs) + len(photos) + len(set(photos)) + sittings + learners
        self.advance(0)
        self._timed("settle", lambda: self._settle(open_logs))
        unread = self._timed("faces", lambda: self._faces(photos))
        self.advance(unread)
        self._timed("same_face", self._same_face)
        judgement = self._timed("judge", self._judge)
        self.advance(sittings)
        concluded = self._timed("conclude", self._conclude)
        self.advance(learners)
        with self.services.database.read() as connection:
            outcomes = verdicts.outcome_counts(connection, self.class_id)
            stands = unsettled.counted(connection, self.class_id)
        return {
            "steps": self.total,
            "sessions": sittings,
            "settled": len(open_logs),
            "photos_compared": len(photos) - unread,
            "photos_waiting": unread,
            "photos": dict(stored.counts),
            "evidence_altered": self._altered(),
            "learners": learners,
            "verdicts_stored": judgement.verdicts + concluded.stored,
            "new_findings": len(judgement.new_findings) + len(concluded.new_findings),
            "outcomes": outcomes,
            "standing": stands,
            "seconds": {**self.seconds, "all": round(time.perf_counter() - began, 3)},
        }

    def _photos(self) -> Rechecked:
        return self.services.kept_photos.recheck(self.class_id, whole=self.whole)

    def advance(self, steps: int) -> None:
        self.done += steps
        self.tell(self.done, self.total)
        if time.monotonic() - self._beat_at < BEAT_S:
            return
        self._beat_at = time.monotonic()
        with self.services.database.write() as connection:
            runs.advance(connection, self.run_id, self.done, self.total, self.services.clock())

    def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        with tracing.span(f"class.{name}"):
            result = work()
        self.seconds[name] = round(time.perf_counter() - began, 3)
        return result

    def _settle(self, session_ids: Sequence[int]) -> None:
        """Seal the logs, photos included; everything is judged together afterwards."""
        for at in range(0, len(session_ids), _SEALED_AT_ONCE):
            some = session_ids[at : at + _SEALED_AT_ONCE]
            with self.services.database.write() as connection:
                for session_id in some:
                    sealing.seal_ended(connection, session_id, self.services.clock())
                settle.judge_elsewhere(connection, some, self.services.clock())
            self.advance(len(some))

    def _faces(self, photos: Sequence[int]) -> int:
        """Compare what waits; how many go on waiting. A photo that another worker holds, or that
        no model can be had for, leaves its sitting unproven."""
        waiting, left = sorted(set(photos)), len(photos)
        try:
            while left and face_worker.run_pending(
                self.services, limit=_PHOTOS_AT_ONCE, session_ids=waiting
            ):
                before, left = left, self._photos_left()
                self.advance(max(0, before - left))
        except Exception:
            log.exception("faces could not be compared", run=self.run_id)
        self._settle(waiting)
        return left

    def _photos_left(self) -> int:
        with self.services.database.read() as connection:
            return len(store.photos_waiting(connection, self.class_id))

    def _same_face(self) -> None:
        """Compare the accounts of the class, once the site has thresholds of its own."""
        services, card = self.services, self.services.settings.model_files.card()
        with services.database.read() as connection:
            accounts = face_sets.accounts(connection, class_id=self.class_id)
            try:
                found = same_face.search(connection, services.vault, card, accounts)
            except same_face.NotCalibrated:
                return
        with services.database.write() as connection:
            same_face.keep(connection, found, "class", services.clock())

    def _judge(self) -> assess.Judgement:
        """Evaluate beside other writers, and hold them up only to store what it came to."""
        services = self.services
        with services.database.read() as connection:
            evaluated = assess.evaluate_sittings(connection, self.class_id)
        with services.database.write() as connection:
            if assess.overtaken(connection, evaluated):
                evaluated = assess.evaluate_sittings(connection, self.class_id)
            self._evaluated = evaluated
            return assess.keep(connection, evaluated, services.clock(), self.run_id)

    def _altered(self) -> int:
        """How many sittings' stored events no longer fit the chain made at their receipt."""
        altered = [it for it in self._evaluated.found if it.body.rule == evidence_altered.RULE]
        if altered:
            log.error("stored evidence was altered", run=self.run_id, sittings=len(altered))
        return len(altered)

    def _conclude(self) -> eligibility.Concluded:
        """Conclude; where that asks a second person about what one had upheld, it is decided no
        more, and what was judged on it is judged again."""
        class_id, run_id, now_ms = self.class_id, self.run_id, self.services.clock()
        judged = self._evaluated
        with self.services.database.write() as connection:
            first = eligibility.conclude(connection, class_id, now_ms, run_id)
            if assess.decisions_on(connection, judged) == judged.decided:
                return first
            again = assess.evaluate_sittings(connection, class_id)
            kept = assess.keep(connection, again, now_ms, run_id)
            last = eligibility.conclude(connection, class_id, now_ms, run_id)
        return eligibility.Concluded(
            first.stored + kept.verdicts + last.stored,
            [*first.new_findings, *kept.new_findings, *last.new_findings],
        )


class ClassRunner(Repeating):
    """Takes on the runs that were asked for, one after the other, in a thread of its own."""

    def __init__(self, services: Services, poll_s: float = POLL_S) -> None:
        super().__init__("class-runner", poll_s, self._drain)
        self._services = services

    def _drain(self) -> None:
        """A failure is recorded in the run; the next one may fare better."""
        while not self.stopping.is_set() and run_next(self._services):
            pass


def run_next(services: Services) -> bool:
    """Perform the oldest run that nobody works on; False when there is none."""
    with services.database.read() as connection:
        waiting = store.waiting(connection, services.clock() - runs.SILENT_MS)
    if not waiting:
        return False
    with services.database.write() as connection:
        run_id = runs.take_next(connection, services.clock())
    if run_id is None:
        return False
    perform(services, run_id)
    return True


def install(services: Services) -> None:
    job = ClassRunner(services)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
    altered = Gauge(
        "zhenxue_evidence_altered",
        "Sittings whose stored events no longer fit their chain, and that nobody decided on yet",
        registry=services.registry,
    )

    def count() -> float:
        with services.database.read() as connection:
            return float(findings.waiting_of_rule(connection, evidence_altered.RULE))

    altered.set_function(count)
