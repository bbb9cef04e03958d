"""A judged class out of the demo scenarios: honest people, cheats, an outage, and their photos.

Pictures are grey squares and nobody compares them; what the face worker would have written is
entered by hand, so that hours can be valid without a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import update

from app.domain.catalogue.classes import class_seen
from app.domain.judging import assess, eligibility
from app.domain.sittings import sealing
from app.services import Services
from app.simulation.entities import SimulatedLearner, invented_id_number
from app.simulation.environment import DEFAULT_START_MS, Setting
from app.simulation.scenarios import SCENARIOS, perform
from app.store.catalogue.catalogue import ClassRow
from app.store.events import event_log
from app.store.scope import EVERYTHING
from detectors.trace import Check
from models import ReferencePhoto, Snapshot
from tests.evidence import Record, picture, zipped
from tests.people import County

CLASS = "class-demo"
STORY = ("H01", "H04", "F02", "F16", "F10", "H33")
NAMES = ("林一", "吴小二", "赵三", "欧阳四", "孙五", "李六", "周七", "郑八")
DAY_MS = 86_400_000


def records(story: Sequence[str] = STORY) -> tuple[list[Record], dict[str, bytes]]:
    """Import records in which each learner plays one scenario, the first one in all three lessons;
    and all their photos."""
    found: list[Record] = []
    files: dict[str, bytes] = {}
    for place, scenario in enumerate(story):
        learner = SimulatedLearner(
            f"learner-{place + 1:02}",
            NAMES[place % len(NAMES)],
            invented_id_number(place + 20),
            identity=place + 1,
        )
        lessons = (1, 2, 3) if place == 0 else (SCENARIOS[scenario].lesson,)
        for lesson in lessons:
            setting = Setting(
                class_id=CLASS,
                learner=learner,
                lesson=lesson,
                label=f"{scenario}-{place}-{lesson}",
                start_ms=DEFAULT_START_MS + (lesson - lessons[0]) * DAY_MS,
                starts_on="2026-10-12",
                ends_on="2026-11-13",
            )
            scene = perform(scenario, seed=place, setting=setting)
            found += [*scene.catalogue, *scene.evidence]
            for name in scene.photos:
                files.setdefault(name, picture(len(files) % 256, 160 + len(files) // 256))
    return found, files


def lists() -> list[Record]:
    """Leave, attendance and satisfaction, as an institution reports them."""
    return [
        {
            "kind": "leave",
            "class_id": CLASS,
            "learner_id": "learner-02",
            "from_on": "2026-10-13",
            "to_on": "2026-10-14",
            "written": True,
            "approved": True,
            "made_up_on": "2026-10-20",
            "reason": "=HYPERLINK(家中有事)",
        },
        {
            "kind": "offline-attendance",
            "class_id": CLASS,
            "items": [
                {"learner_id": "learner-01", "held_on": "2026-10-30", "hours": 8, "practical": True}
            ],
        },
        {
            "kind": "satisfaction",
            "class_id": CLASS,
            "answered": 6,
            "satisfied": 6,
            "surveyed_on": "2026-11-01",
        },
    ]


def judged_class(
    services: Services, county: County, folder: Path, story: Sequence[str] = STORY
) -> ClassRow:
    """The class, imported, sealed, judged and concluded on."""
    found, files = records(story)
    path = folder / "class.zip"
    path.write_bytes(zipped([*found, *lists()], files))
    report = services.imports.take_file(county.huang.platform.id, path, actor="test")
    assert not report.rejected_total, report.shown()
    return judge(services)


def judge(services: Services, **photo: Any) -> ClassRow:
    now_ms = services.clock()
    told = {"status": "done", "check": int(Check.MATCH), "score": 0.31, "limit": 0.5} | photo
    with services.database.write() as connection:
        connection.execute(
            update(Snapshot).values(reading={"liveness": {"outcome": "live"}}, **told)
        )
        connection.execute(update(ReferencePhoto).values(status="ready", template_encrypted=b"t"))
        klass = class_seen(connection, EVERYTHING, CLASS)
        for row in event_log.unsettled(connection, klass.id):
            sealing.seal_ended(connection, row, now_ms)
        assess.judge_sittings(connection, klass.id, now_ms)
        eligibility.conclude(connection, klass.id, now_ms)
    return klass
