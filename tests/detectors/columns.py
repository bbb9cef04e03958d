"""Import records straight into detector columns: no database, no clock, no pictures.

What a photo shows is known here, so its reading is written down instead of computed (`bursts`):
the learner's own face matches, another identity does not.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from app.domain.controls.control_line import ControlLine
from app.domain.controls.popups import match_popups
from app.domain.events.events import Event, marked, pack, read_one
from app.domain.policy import packs
from app.simulation.entities import HeadTurns, Photo, SentFrame
from app.simulation.scenarios import Scene
from app.store.controls.controls import controls_array
from app.store.events.event_log import in_order
from app.store.events.packed import records_of
from app.vision.liveness import Liveness
from detectors.assess import JudgedFacts, assess
from detectors.policy import Policy
from detectors.trace import (
    EVENT,
    LESSON,
    NONE,
    PHOTO,
    PIECE,
    SESSION,
    Check,
    ControlFlag,
    PhotoFlag,
    Purpose,
    SessionFlag,
    Trace,
    offsets,
)
from tests.detectors.bursts import check_of, liveness_of

GRADED: Policy = packs.load("huangchuan-2021-graded").policy


class Columns:
    """Records → Trace. `sessions` names the trace's session rows."""

    def __init__(
        self,
        records: Iterable[Mapping[str, Any]],
        photos: Mapping[str, Photo] | None = None,
        identities: Mapping[str, int] | None = None,
        asked: Mapping[str, HeadTurns] | None = None,
    ) -> None:
        """`asked`: the head turns of face checks, by challenge; whoever was asked for any sat in a
        class that this service controlled itself, not in a platform's log."""
        self.asked = asked or {}
        self.refused: list[Any] = []  # events that the service would not take
        self.photos = {} if photos is None else photos
        self.identities = identities or {}
        by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for record in records:
            by_kind[record["kind"]].append(record)
        self.by_session: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for kind in ("event", "control", "snapshot"):
            for record in by_kind[kind]:
                self.by_session[record["session_id"]][kind].append(record)
        self.lessons = self._lessons(by_kind["course"])
        self.platform_controls = {
            record["class_id"] for record in by_kind["class"] if record["controls"] == "platform"
        }
        self.id_numbers = {
            learner["learner_id"]: learner["id_number"]
            for record in by_kind["roster"]
            for learner in record["learners"]
        }
        self.consenting = {
            learner["learner_id"]
            for record in by_kind["roster"]
            for learner in record["learners"]
            if learner["consent"]["face"]
        }
        self.enrolled = {record["learner_id"] for record in by_kind["reference_photo"]}
        order = {id(r): n for n, r in enumerate(by_kind["session"])}
        self.records = sorted(
            by_kind["session"],
            key=lambda r: (r["learner_id"], r["class_id"], r["started_at_ms"], order[id(r)]),
        )
        self.sessions = [record["session_id"] for record in self.records]

    def _lessons(self, courses: list[Mapping[str, Any]]) -> dict[str, tuple[int, np.void]]:
        rows = [
            (
                lesson["lesson_id"],
                (
                    number,
                    lesson["order"],
                    round(lesson["media_seconds"] * 1000),
                    course["course_kind"] != "public",
                    course["sequential_lock"],
                ),
            )
            for number, course in enumerate(courses)
            for lesson in course["lessons"]
        ]
        self.lesson_rows = np.array([values for _, values in rows], LESSON)
        return {name: (row, self.lesson_rows[row]) for row, (name, _) in enumerate(rows)}

    def trace(self) -> Trace:
        """The columns."""
        numbers: dict[tuple[str, Any], int] = defaultdict(itertools.count().__next__)
        first_seen: dict[Photo, str] = {}
        reached: dict[tuple[str, str], int] = defaultdict(int)
        rows, events, controls, photos = [], [], [], []
        for record in self.records:
            session = record["session_id"]
            start = record["started_at_ms"]
            mine = self.by_session[session]
            packed, notes = self._events(mine["event"], start)
            lines = self._controls(mine["control"], notes)
            shots = self._photos(record, mine["snapshot"], lines, start, first_seen)
            learner, lesson = record["learner_id"], record["lesson_id"]
            last = [int(packed["recv_ms"].max()) + start] if len(packed) else []
            ours = any(line.challenge_id in self.asked for line in lines)
            flags = SessionFlag(0) if ours else SessionFlag.ATTESTED
            silent = record.get("close_reason") == "lease_timeout"
            if learner in self.consenting:
                flags |= SessionFlag.FACE_CONSENT
            if record["class_id"] in self.platform_controls:
                flags |= SessionFlag.PLATFORM_CONTROLS
            if learner in self.enrolled:
                flags |= SessionFlag.REFERENCE_PHOTO
            rows.append(
                (
                    start,
                    max([record.get("ended_at_ms") or start, *last]),
                    numbers["case", (learner, record["class_id"])],
                    numbers["person", self.id_numbers.get(learner, learner)],
                    numbers["class", record["class_id"]],
                    0,
                    self.lessons[lesson][0],
                    numbers["device", record["device_id"]],
                    numbers["window", record["window_id"]],
                    reached[learner, lesson],
                    flags,
                    start,
                    NONE if silent else record.get("ended_at_ms") or NONE,
                    numbers["agent", record["client"].get("user_agent")],
                    numbers["address", record["client"].get("address")],
                    NONE,
                    NONE,
                    NONE,
                )
            )
            if len(packed):
                key = learner, lesson
                reached[key] = max(reached[key], int(packed["pos_ms"].max()))
            events.append(packed)
            controls.append(controls_array([_row(line) for line in lines], start))
            photos.append(shots)
        sessions = np.array(rows, SESSION)
        order = np.lexsort((sessions["start_ms"], sessions["case"]))
        self.sessions = [self.sessions[i] for i in order]
        return Trace(
            sessions=sessions[order],
            **_joined("events", [events[i] for i in order]),
            **_joined("controls", [controls[i] for i in order]),
            **_joined("photos", [photos[i] for i in order]),
            lessons=self.lesson_rows,
            pieces=self._pieces(numbers),
        )

    def _events(self, records: list[Mapping[str, Any]], start: int) -> tuple[Any, list[Any]]:
        wired: list[tuple[int, Event]] = []
        for record in records:
            event = read_one(msgspec.json.encode(record), 0)
            if isinstance(event, Event):
                wired.append((record["received_at_ms"], event))
            else:
                self.refused.append(event)
        if not wired:
            return np.zeros(0, EVENT), []
        wired.sort(key=lambda pair: pair[0])
        batch = pack([event for _, event in wired], [recv - start for recv, _ in wired])
        batch = marked(batch, ((event.seq, recv - start) for recv, event in wired))
        events = in_order(records_of(batch.records))
        stamps = {event.seq: (recv, event.at_ms) for recv, event in reversed(wired)}
        notes = [
            {**note, "recv_ms": stamps[note["seq"]][0], "at_ms": stamps[note["seq"]][1]}
            for note in batch.notes
            if note["type"].startswith("popup")
        ]
        return events, notes

    def _controls(self, records: list[Mapping[str, Any]], notes: list[Any]) -> list[ControlLine]:
        lines = {
            record["challenge_id"]: ControlLine(
                challenge_id=record["challenge_id"],
                nonce=record.get("nonce"),
                issued_ms=record["issued_at_ms"],
                kind=record["control"],
                source="platform",
                random_time=record["control"] == "snapshot",
                due_ms=record.get("due_at_ms") or record["issued_at_ms"],
                window_ms=self._window_ms(record),
                reissue_of=record.get("reissue_of"),
                flags=int(ControlFlag.REISSUE) if record.get("reissue_of") else 0,
            )
            for record in sorted(records, key=lambda record: record["issued_at_ms"])
        }
        matched = match_popups(list(lines.values()), notes)
        for challenge, changes in matched.changed.items():
            for name, value in changes.items():
                setattr(lines[challenge], name, value)
        return [*lines.values(), *matched.unknown]

    def _window_ms(self, record: Mapping[str, Any]) -> int:
        turns = self.asked.get(record["challenge_id"])
        return turns.window_ms if turns else round(record.get("answer_window_s", 60) * 1000)

    def _bursts(
        self, records: list[Mapping[str, Any]], first_seen: Mapping[Photo, str]
    ) -> dict[str, Liveness]:
        """What the service judges bursts to be, by challenge; `first_seen` as before them."""
        frames: dict[str, list[SentFrame]] = defaultdict(list)
        for record in records:
            if (challenge := record.get("challenge_id", "")) in self.asked:
                photo = self.photos[record["file"]]
                frames[challenge].append(
                    SentFrame(record["received_at_ms"], record["taken_at_ms"], photo)
                )
        known = frozenset(first_seen)
        return {it: liveness_of(self.asked[it], burst, known) for it, burst in frames.items()}

    def _photos(
        self,
        session: Mapping[str, Any],
        records: list[Mapping[str, Any]],
        lines: list[ControlLine],
        start: int,
        first_seen: dict[Photo, str],
    ) -> Any:
        by_challenge = {line.challenge_id: row for row, line in enumerate(lines)}
        rows = []
        bursts = self._bursts(records, first_seen)
        for record in sorted(records, key=lambda record: record["received_at_ms"]):
            photo = self.photos[record["file"]]
            control = by_challenge.get(record.get("challenge_id", ""), NONE)
            flags = PhotoFlag.KEPT
            if control != NONE:
                flags |= PhotoFlag.BOUND
                if lines[control].random_time:
                    flags |= PhotoFlag.RANDOM_TIME
            if first_seen.setdefault(photo, record["snapshot_id"]) != record["snapshot_id"]:
                flags |= PhotoFlag.SEEN_BEFORE
            own = self.identities.get(session["learner_id"], photo.identity)
            burst = bursts.get(record.get("challenge_id", ""))
            check = check_of(photo, own, burst)
            if burst is not None and burst.outcome == "live":
                flags |= PhotoFlag.LIVE
            if check is Check.REVIEW and photo.condition != "glasses":
                flags |= PhotoFlag.FEED_NOT_LIVE
            if session["learner_id"] not in self.enrolled:
                check = Check.NO_REFERENCE
            rows.append(
                (
                    record["taken_at_ms"],
                    record["received_at_ms"] - start,
                    control,
                    0.7 if check is Check.MISMATCH else 0.3,
                    0.45,
                    Purpose[record["purpose"].upper()],
                    check,
                    flags,
                )
            )
        return np.array(rows, PHOTO)

    def _pieces(self, numbers: dict[tuple[str, Any], int]) -> Any:
        """One class-hour a lesson, in every class."""
        classes = [number for (kind, _), number in numbers.items() if kind == "class"]
        count = len(self.lesson_rows)
        return np.array(
            [
                (klass, place * count + row, row, 0, self.lesson_rows["media_ms"][row])
                for place, klass in enumerate(sorted(classes))
                for row in range(count)
            ],
            PIECE,
        )


def _row(line: ControlLine) -> Any:
    """A ledger line as `controls_array` reads rows of the table."""
    return line


def _joined(name: str, parts: list[Any]) -> dict[str, Any]:
    counts = np.array([len(part) for part in parts], np.int64)
    return {name: np.concatenate(parts), f"{name}_at": offsets(counts)}


def columns_of(scene: Scene) -> Columns:
    """The columns of a performed scenario."""
    return Columns(
        [*scene.catalogue, *scene.evidence],
        scene.photos,
        {learner.learner_id: learner.identity for learner in scene.learners},
        scene.asked,
    )


def judged(scene: Scene, policy: Policy = GRADED) -> tuple[JudgedFacts, list[str]]:
    """The assessment of a scenario, and the session ids of its rows."""
    columns = columns_of(scene)
    assessment = assess(columns.trace(), policy)
    return assessment, columns.sessions
