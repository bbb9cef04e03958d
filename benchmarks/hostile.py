"""Hostile and honest class-hours through the service's API, with real photographs of a folder.

    python -m benchmarks.hostile FOLDER [--people 6] [--only A02 H1] [--anti-spoof A.onnx B.onnx]
    python -m benchmarks.hostile FOLDER --copies

FOLDER holds a folder a person with JPEG and PNG files, different photographs of theirs; pictures in
a folder `spoof` below it were taken of a screen or print that shows them. What is one photograph
twice is used once. Every class-hour of 45 minutes is played against an empty service whose clock
the player moves: enrolled over HTTP, asked by the service, photos read, compared and judged by the
code that production runs; then the sitting is closed and the class judged, and both are read over
HTTP again. Printed is how many were valid without a person having looked, for what the others wait,
and how many were accused. Films of people who answer a face check are not to be had: an honest head
is a photograph with depth (`benchmarks/acted.py`). `--copies` holds photographs before other rooms
against themselves, and different photographs of one person against each other.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import structlog
from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from app.bench.machine import machine
from app.db import Database
from app.domain.faces.photo_copies import CANDIDATE_BITS
from app.jobs.class_run import run_next
from app.jobs.face_worker import run_pending
from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_all
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.simulation.entities import Photo, Record
from app.simulation.environment import LIN, Setting, SimulatedEnvironment
from app.simulation.live import HttpService, LiveReport, enrol
from app.simulation.page import Habits, Passage
from app.simulation.service import PageClient
from app.simulation.transport import Api
from app.store import schema
from app.vision.backends import Backends, load
from app.vision.calibrate import wilson
from app.vision.image import decode
from app.vision.image_header import ImageRejected
from app.vision.landmarks import interocular, ratios
from app.vision.model_files import BackendFiles
from app.vision.quality import ENROLMENT
from app.vision.readers import FaceReaders
from app.vision.reading import read, read_picture
from app.vision.reuse import MAX_RESIDUAL, face_crop, face_hashes, residual
from benchmarks import shown
from benchmarks.acted import Still
from benchmarks.faces import supplied
from benchmarks.liveness import framed
from benchmarks.shown import PLAYS, Asked, Model, Picture, Play, jpeg
from models import Snapshot
from tests.in_process import asking_in_this_thread
from tests.people import County
from tests.people import TestClock as Clock

ENROLLED = 2  # of a person's photographs; the others are shown
ONE_PHOTOGRAPH = 0.1  # residual under which two files of a folder are one photograph
ROOMS = 4  # a photograph, held against itself
CHECKS = 6  # are answered; who has not passed by then covers the camera when a face is asked for
_ENROLLED_BEFORE_MS = 3_600_000
_TOGETHER_S = 1.0  # photos so close are read together
_SMALLEST = 24  # pixels between the eyes, in the file
_MOST_PIXELS = 1_600

console = Console(width=150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=1_000, help="the first so many")
    parser.add_argument("--only", nargs="*", default=[], help="ids of plays")
    parser.add_argument("--anti-spoof", type=Path, nargs="*", default=[], help="a MiniFASNet pair")
    parser.add_argument("--copies", action="store_true")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), metavar=("N", "OF"))
    arguments = parser.parse_args()
    people = list(islice(models(arguments.folder, load()), arguments.people))
    console.print(machine())
    stills = sum(len(it.enrolled) + len(it.others) for it in people)
    console.print(f"{len(people)} people, {stills} photographs")
    if arguments.copies:
        console.print(copies(people))
        return 0
    number, parts = arguments.part
    files = BackendFiles(anti_spoof=tuple(filter(None, map(supplied, arguments.anti_spoof))))
    plays = [it for it in PLAYS if not arguments.only or it.id in arguments.only]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with asking_in_this_thread():
        return report(people[number::parts], plays, files)


# ---------------------------------------------------------------------------------- the people


def models(folder: Path, backends: Backends) -> Iterator[Model]:
    """Everybody below the folder of whom two photographs are usable, or one and a spoof."""
    for own in sorted(it for it in folder.iterdir() if it.is_dir()):
        stills = _distinct(sorted(_stills(own, backends), key=_aside))
        spoof = list(_stills(own / "spoof", backends))
        good = [it for it in stills if read(jpeg(it.picture, 90), backends, ENROLMENT).usable]
        enrolled = good[1:][: min(ENROLLED, max(1, len(stills) - 3))] or good
        if enrolled and (len(stills) > 1 or spoof):
            others = [it for it in stills if all(it is not one for one in enrolled)]
            yield Model(own.name, enrolled, others, spoof)


def _aside(still: Still) -> float:
    """How far it is turned: who answers a face check looks at the camera."""
    return abs(ratios(still.points).jaw_ratio)


def _stills(folder: Path, backends: Backends) -> Iterator[Still]:
    """What a laptop's camera would have of each photograph of one face."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() not in {".jpg", ".jpeg", ".png"}:
            continue
        try:
            picture = decode(path.read_bytes())
        except ImageRejected:
            continue
        if (scale := _MOST_PIXELS / max(picture.shape[:2])) < 1:
            picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale), np.uint8)
        boxes = backends.detector.detect(picture)
        if len(boxes) != 1:
            continue
        points = backends.landmarker.locate(picture, boxes[0])
        if interocular(points) < _SMALLEST:
            continue
        still = framed(path.name, picture, points)
        seen = read_picture(still.picture, backends)
        if seen.usable and seen.box is not None:
            located = backends.landmarker.locate(still.picture, seen.box)
            yield Still(path.name, still.picture, located)


def _distinct(stills: Sequence[Still]) -> list[Still]:
    """Without second files of one photograph."""
    kept: list[Still] = []
    for still in stills:
        if all(_apart(it, still)[0] > ONE_PHOTOGRAPH for it in kept):
            kept.append(still)
    return kept


def _apart(first: Still, second: Still) -> tuple[float, int]:
    """Residual of the faces, and bits between their hashes, as `app/vision/reuse.py` has them."""
    one, other = (face_crop(it.picture, it.points) for it in (first, second))
    near = min((face_hashes(one)[0] ^ it).bit_count() for it in face_hashes(other))
    return residual(one, other).value, near


# -------------------------------------------------------------------------------- the sitting


@dataclass(slots=True)
class ShowingService(HttpService):
    """The service over HTTP, to which photos go of what is held before the camera."""

    model: Model
    play: Play
    asked: dict[str, tuple[Sequence[str], int]] = field(default_factory=dict)
    shown: dict[str, Iterator[Picture]] = field(default_factory=dict)
    turns: Counter[bool] = field(default_factory=Counter)
    sent_s: float | None = None  # when the last photo went that nobody has read

    def open(self, sitting: PageClient) -> tuple[float, dict[str, Any]]:
        resume, controls = HttpService.open(self, sitting)
        return resume, self._heard(controls)

    def send(self, sitting: PageClient, events: list[Record]) -> dict[str, Any]:
        return self._heard(HttpService.send(self, sitting, events))

    def _heard(self, controls: dict[str, Any]) -> dict[str, Any]:
        for name in ("face_check", "snapshot"):
            if control := controls.get(name):
                told = control.get("actions", ()), control.get("frames", 1)
                self.asked[control["challenge_id"]] = told
        return controls

    def photo(self, sitting: PageClient, snapshot: Record, photo: Photo) -> None:
        picture = next(self._shown(snapshot["challenge_id"]), None)
        if picture is None:
            return
        data = picture if isinstance(picture, bytes) else jpeg(picture)
        self.photograph = lambda _: data
        self.sent_s = sitting.t
        HttpService.photo(self, sitting, snapshot, Photo(photo.identity, photo.variation))

    def _shown(self, challenge: str) -> Iterator[Picture]:
        if challenge not in self.shown:
            actions, frames = self.asked[challenge]
            check = bool(actions)
            asked = Asked(sum(self.turns.values()), self.turns[check], check, actions, frames)
            self.turns[check] += 1
            name = f"{self.model.name}/{self.play.id}/{asked.n}".encode()
            rng = np.random.default_rng(zlib.crc32(name))
            answered = not check or asked.turn < CHECKS
            self.shown[challenge] = self.play.show(self.model, asked, rng) if answered else iter(())
        return self.shown[challenge]


@dataclass(frozen=True, slots=True)
class Told:
    """What the service says of one class-hour: outcomes of the sitting and of the hour, findings as
    (rule, reason, outcome), and what its bursts were judged to be."""

    sitting: str
    hour: str
    findings: tuple[tuple[str, str, str], ...]
    bursts: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def accused(self) -> bool:
        return any(outcome == "violation" for _, _, outcome in self.findings)


def played(model: Model, play: Play, readers: FaceReaders, template: bytes) -> Told:
    """One class-hour in an empty service."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zhenxue.sqlite"
        path.write_bytes(template)
        settings = Settings(database_url=f"sqlite:///{path}", data_dir=Path(folder), face_workers=0)
        app = create_app(settings, clock)
        services: Services = app.state.services
        services.readers = readers
        county = County.found(services.database, clock)
        with TestClient(app) as client:
            api = Api(client, county.huang.secret)
            service = ShowingService(api, LiveReport(play.id), _none, model, play)
            told = _studied(api, services, clock, service)
        services.database.close()
    return told


def _none(_: Photo) -> bytes:
    return b""


def _studied(api: Api, services: Services, clock: Clock, service: ShowingService) -> Told:
    model, play = service.model, service.play
    begins_ms = clock.now_ms + _ENROLLED_BEFORE_MS
    setting = Setting(start_ms=begins_ms, starts_on="2026-03-02", ends_on="2026-03-20")
    service.report.problems += enrol(api, setting.catalogue([LIN]), {})
    path = f"/v1/learners/{LIN.learner_id}/reference-photo"
    for still in model.enrolled:
        api.call("PUT", path, content=jpeg(still.picture, 90), content_type="image/jpeg")
    rng = Random(f"{model.name}/{play.id}")
    environment = SimulatedEnvironment(play.id, setting, 0, service, rng)
    environment.alongside(_study(environment, play.habits))
    clock.now_ms = begins_ms
    now = 0.0

    def wait_until(t: float) -> None:
        nonlocal now
        clock.advance(seconds=max(0.0, t - now))
        now = max(now, t)
        if service.sent_s is not None and now - service.sent_s > _TOGETHER_S:
            service.sent_s = None
            run_pending(services)

    environment.perform(wait_until)
    clock.advance(minutes=20)
    sweep(services)
    run_pending(services)
    settle_all(services)
    return _told(api, services, service.report, setting)


def _study(environment: SimulatedEnvironment, habits: Habits) -> Passage:
    sitting = environment.sitting(habits=habits)
    yield from sitting.open()
    yield from sitting.watch()
    yield from sitting.end()


def _told(api: Api, services: Services, report: LiveReport, setting: Setting) -> Told:
    verdicts = [api.call("GET", f"/v1/sessions/{it}")["verdict"] for it in report.sessions]
    api.call("POST", f"/v1/classes/{setting.class_id}/validate", {})
    run_next(services)
    hours = api.call("GET", f"/v1/classes/{setting.class_id}/class-hours")
    ((first, *_),) = (it["class_hours"] for it in hours["learners"])
    with services.database.read() as connection:
        photos = connection.execute(select(Snapshot.control_id, Snapshot.reading)).all()
    bursts = {
        it.control_id: it.reading["liveness"]
        for it in photos
        if it.control_id and "liveness" in (it.reading or {})
    }
    return Told(
        sitting=",".join(it["outcome"] for it in verdicts),
        hour=first["outcome"],
        findings=tuple(
            (it["rule"], it["reason"], it["outcome"])
            for verdict in verdicts
            for it in verdict["findings"]
        ),
        bursts=tuple(f"{it['outcome']}: {' '.join(it['reasons'])}" for it in bursts.values()),
        problems=tuple(report.problems),
    )


# --------------------------------------------------------------------------------- the tables


def empty_database() -> bytes:
    """A migrated SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite"
        database = Database(f"sqlite:///{path}")
        schema.upgrade(database)
        database.close()
        return path.read_bytes()


def report(people: Sequence[Model], plays: Sequence[Play], files: BackendFiles) -> int:
    """Play and print; 1 when anybody was accused, or an attack was valid."""
    template = empty_database()
    readers = FaceReaders(0, files)
    table = Table(
        "", "what is shown", "hours", "valid", "95 %", "waits", "accused", "found", "bursts"
    )
    failed = False
    for play in plays:
        able = [it for it in people if able_to(it, play)]
        told = [_printed(it, play, played(it, play, readers, template)) for it in able]
        if told:
            _row(table, play, told)
        failed |= any(it.accused or (it.hour == "valid" and not play.honest) for it in told)
    console.print(table)
    return int(failed)


def able_to(model: Model, play: Play) -> bool:
    return len(model.others) >= play.needs and bool(model.spoof) >= play.spoof


def _printed(model: Model, play: Play, told: Told) -> Told:
    words = [f"{play.id} {model.name}: {told.sitting}, hour {told.hour}"]
    words += [" ".join(it) for it in told.findings]
    console.print("; ".join([*words, *told.bursts, *told.problems]), soft_wrap=True)
    return told


def _row(table: Table, play: Play, told: Sequence[Told]) -> None:
    valid = sum(it.hour == "valid" for it in told)
    low, high = wilson(valid, len(told))
    found = Counter(" ".join(finding) for it in told for finding in set(it.findings))
    bursts = Counter(burst for it in told for burst in it.bursts)
    hours = Counter(it.hour for it in told)
    table.add_row(
        play.id,
        play.what,
        str(len(told)),
        str(valid),
        f"{low:.0%}-{high:.0%}",
        "\n".join(f"{name} {n}" for name, n in hours.most_common() if name != "valid"),
        str(sum(it.accused for it in told)),
        "\n".join(f"{name} {n}" for name, n in found.most_common(4)),
        "\n".join(f"{name} {n}" for name, n in bursts.most_common(3)),
    )


def copies(people: Sequence[Model]) -> Table:
    """How often two pictures are told as one photograph, as an enrolled one (`proved`) and as an
    earlier frame, which has to be found by its hash first (`found and proved`)."""
    backends = load()
    rooms: list[tuple[float, int]] = []
    different: list[tuple[float, int]] = []
    for model in people:
        stills = [*model.enrolled, *model.others]
        different += [_apart(*pair) for pair in combinations(stills, 2)]
        for still in stills:
            rng = np.random.default_rng(zlib.crc32(f"{model.name}/{still.name}".encode()))
            for _ in range(ROOMS):
                picture = decode(jpeg(shown.other_room(still, rng)))
                boxes = backends.detector.detect(picture)
                if len(boxes) == 1:
                    other = Still("", picture, backends.landmarker.locate(picture, boxes[0]))
                    rooms.append(_apart(still, other))
    table = Table("", "pairs", "proved", "found and proved", "residual: median", "least", "most")
    for name, pairs in (("before another room", rooms), ("different photographs", different)):
        proved = [value <= MAX_RESIDUAL for value, _ in pairs]
        both = [value <= MAX_RESIDUAL and bits <= CANDIDATE_BITS for value, bits in pairs]
        values = [value for value, _ in pairs]
        table.add_row(
            name,
            str(len(pairs)),
            str(sum(proved)),
            str(sum(both)),
            *(f"{it:.3f}" for it in (np.median(values), min(values), max(values))),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
