"""Where a scenario plays: its class, course and people, and the driver that moves true time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from random import Random

from app.simulation.behaviour import answer_as_asked, facing
from app.simulation.entities import (
    Camera,
    DeviceClock,
    JudgeBurst,
    Network,
    Photo,
    Record,
    SimulatedLearner,
    SimulatedPerson,
    invented_id_number,
)
from app.simulation.service import Controls, Refused, Service, SimulatedService
from app.simulation.sitting import Device, Habits, Passage, SimulatedSitting

SHANGHAI = timezone(timedelta(hours=8))
LESSON_S = 2700.0
DAY_S = 86_400.0
# What every occupation begins with. A title does not say which lesson it is: pages say that.
LESSON_TITLES = (
    "职业道德与法律法规",
    "安全生产与劳动保护",
    "岗位基础知识",
    "工具、设备与材料",
    "操作流程与规范",
    "质量要求与检验",
    "常见问题与处理",
    "综合应用与案例",
    "复习与答疑",
)
# Monday 2026-10-12 09:00 in Shanghai.
DEFAULT_START_MS = 1_791_766_800_000

USUAL_DAYS = (date(2026, 10, 12), date(2026, 11, 13))

LIN = SimulatedLearner("lin-yi", "林一", invented_id_number(1), identity=1)


@dataclass(frozen=True, slots=True)
class Setting:
    """The class and course a scenario plays in. `lesson` counts from 1, `media_s` is per lesson.

    `controls` says who runs them, `platform_runs` which ones, when that is not the scenario's own
    business. Session ids begin with `label`, or else with the scenario's id.
    """

    class_id: str = "class-demo"
    course_id: str = "course-demo"
    learner: SimulatedLearner = LIN
    lesson: int = 1
    lessons: int = 3
    media_s: float = LESSON_S
    start_ms: int = DEFAULT_START_MS
    controls: str = "service"
    platform_runs: Controls | None = None
    label: str | None = None
    occupation: str = "电子商务师"
    starts_on: str = ""
    ends_on: str = ""

    def __post_init__(self) -> None:
        """A class that nobody dates is open when it plays: in its usual month, or else in one that
        begins with the first lesson."""
        played = datetime.fromtimestamp(self.start_ms / 1000, SHANGHAI).date()
        usual = USUAL_DAYS[0] <= played <= USUAL_DAYS[1]
        first, last = USUAL_DAYS if usual else (played, played + timedelta(days=32))
        object.__setattr__(self, "starts_on", self.starts_on or first.isoformat())
        object.__setattr__(self, "ends_on", self.ends_on or last.isoformat())

    @property
    def assessed_on(self) -> date:
        """The 15th of the first month of assessments after the class."""
        ended = date.fromisoformat(self.ends_on)
        months = [date(ended.year + n // 3, (4, 8, 12)[n % 3], 15) for n in range(6)]
        return next(day for day in months if day > ended)

    def lesson_id(self, lesson: int) -> str:
        return f"{self.course_id}-{lesson:02}"

    def catalogue(self, learners: list[SimulatedLearner]) -> list[Record]:
        """Course, class and roster as import records, and those of other classes that learners
        are in."""
        lessons = [
            {
                "lesson_id": self.lesson_id(k),
                "order": k,
                "title": LESSON_TITLES[(k - 1) % len(LESSON_TITLES)],
                "media_seconds": _number(self.media_s),
                "class_hours": 1,
            }
            for k in range(1, self.lessons + 1)
        ]
        course: Record = {
            "kind": "course",
            "course_id": self.course_id,
            "title": f"{self.occupation}基础",
            "course_kind": "professional",
            "sequential_lock": True,
            "lessons": lessons,
        }
        klass: Record = {
            "kind": "class",
            "institution": "示例职业培训学校",
            "occupation": self.occupation,
            "level": "五级",
            "certificate_type": "职业技能等级证书",
            "training_kind": "upskilling",
            "mode": "online",
            "applicant": {"type": "enterprise", "name": "示例制衣厂", "uscc": "000000000000000000"},
            "course_ids": [self.course_id],
            "starts_on": self.starts_on,
            "ends_on": self.ends_on,
            "teachers": ["沈教员", "顾教员"],
            "policy_id": "huangchuan-2021-graded",
            "controls": self.controls,
            "assessment": {
                "planned_on": self.assessed_on.isoformat(),
                "applied_on": (self.assessed_on - timedelta(days=14)).isoformat(),
                "mode": "offline",
            },
        }
        records = [course]
        for class_id in dict.fromkeys([self.class_id, *(self.class_of(it) for it in learners)]):
            number = {"class_id": class_id, "official_class_no": f"000000-{class_id}"}
            members = [it for it in learners if self.class_of(it) == class_id]
            records += [klass | number, roster(class_id, members)]
        return records

    def class_of(self, learner: SimulatedLearner) -> str:
        return learner.class_id or self.class_id


def _number(seconds: float) -> float | int:
    return int(seconds) if float(seconds).is_integer() else seconds


def roster(class_id: str, learners: list[SimulatedLearner]) -> Record:
    """The class's learners as one import record."""
    return {
        "kind": "roster",
        "class_id": class_id,
        "learners": [
            {
                "learner_id": learner.learner_id,
                "name": learner.name,
                "id_number": learner.id_number,
                "employer": learner.employer,
                "category": learner.category,
                "real_name_verified": True,
                "consent": {
                    "face": learner.face_consent,
                    "at": "2026-10-09T10:00:00+08:00",
                    "document": "人脸信息处理单独同意书（示例）",
                },
            }
            for learner in learners
        ],
    }


def reference_photo(
    learner: SimulatedLearner, taken_at_ms: int, number: int = 0
) -> tuple[Record, dict[str, Photo]]:
    """An enrolment photo of a learner, the first or another one: the import record, and what its
    file shows."""
    file = f"photos/reference-{learner.learner_id}{f'-{number}' if number else ''}.jpg"
    record: Record = {
        "kind": "reference_photo",
        "learner_id": learner.learner_id,
        "file": file,
        "taken_at_ms": taken_at_ms,
    }
    return record, {file: Photo(learner.identity, number)}


@dataclass(slots=True)
class SimulatedEnvironment:
    """One performance of a scenario: makes its sittings and gives each a way to go wrong."""

    name: str
    setting: Setting
    seed: int
    service: Service
    rng: Random
    learners: list[SimulatedLearner] = field(default_factory=list)
    sittings: list[SimulatedSitting] = field(default_factory=list)
    judged: list[SimulatedSitting] = field(default_factory=list)
    rough: bool = False  # every network delays, loses, doubles and reorders
    _cast: list[tuple[float, int, Passage]] = field(default_factory=list)

    @property
    def learner(self) -> SimulatedLearner:
        return self.setting.learner

    @property
    def media_s(self) -> float:
        return self.setting.media_s

    def companion(self, n: int, **changes: object) -> SimulatedLearner:
        """Another learner of the class, the n-th beside the one the scenario is about."""
        first = self.learner
        other = SimulatedLearner(
            learner_id=f"{first.learner_id}-{n}",
            name=f"{first.name[0]}某{n}",
            id_number=invented_id_number(first.identity * 31 + n),
            identity=first.identity * 1000 + n,
        )
        return replace(other, **changes)  # type: ignore[arg-type]

    def without_consent(self) -> SimulatedLearner:
        """The scenario's learner, having refused face processing."""
        return replace(self.learner, face_consent=False)

    def share(self, seconds: float) -> float:
        """A content position or length of a 45-minute lesson, on this lesson's scale."""
        return seconds * self.media_s / LESSON_S

    def sitting(
        self,
        *,
        at_s: float = 0.0,
        learner: SimulatedLearner | None = None,
        lesson: int | None = None,
        device: Device | None = None,
        window: str | None = None,
        clock: DeviceClock | None = None,
        network: Network | None = None,
        person: SimulatedPerson | None = None,
        camera: Camera | None = None,
        habits: Habits | None = None,
        judged: bool = True,
    ) -> SimulatedSitting:
        """A new sitting at true time `at_s`; whatever is not said is ordinary and honest."""
        habits = habits or Habits()
        who = learner or self.learner
        if who not in self.learners:
            self.learners.append(who)
        number = len(self.sittings) + 1
        k = self.setting.lesson if lesson is None else lesson
        lesson_id = self.setting.lesson_id(k)
        label = self.setting.label or f"{self.name}-{self.seed}"
        session_id = f"{label}-{who.learner_id}-{lesson_id}-{number}".lower()
        network = network or Network()
        if self.rough:
            network.roughen()
        sitting = SimulatedSitting(
            service=self.service,
            rng=Random(f"{session_id}/{self.seed}"),
            learner=who,
            class_id=self.setting.class_of(who),
            lesson_id=lesson_id,
            media_s=self.media_s,
            session_id=session_id,
            device=device or Device(f"device-{who.learner_id}"),
            window_id=window or f"window-{number}",
            clock=clock or DeviceClock(self.setting.start_ms, offset_s=self.rng.uniform(-2, 2)),
            network=network,
            person=person or SimulatedPerson(),
            camera=camera or facing(who),
            habits=habits,
            on_popup=habits.on_popup or answer_as_asked,
            at_s=at_s,
        )
        self.sittings.append(sitting)
        if judged:
            self.judged.append(sitting)
        return sitting

    def clock(self, **errors: object) -> DeviceClock:
        """A device clock with the given errors."""
        return DeviceClock(self.setting.start_ms, **errors)  # type: ignore[arg-type]

    def alongside(self, passage: Passage, at_s: float = 0.0) -> None:
        """Let another sitting run at the same time."""
        heapq.heappush(self._cast, (at_s, len(self._cast) + len(self.sittings), passage))

    def perform(self, wait_until: Callable[[float], None] | None = None) -> list[str]:
        """Run all passages in the order of true time; returns the codes of refused sittings.

        `wait_until(t)` is called with every new true time; a live run waits in it, a simulated
        one has no need to.
        """
        refusals = []
        order = len(self._cast) + len(self.sittings) + 1
        while self._cast:
            at, _, passage = heapq.heappop(self._cast)
            while True:
                if wait_until is not None:
                    wait_until(at)
                try:
                    at = next(passage)
                except StopIteration:
                    break
                except Refused as refusal:
                    refusals.append(refusal.code)
                    break
                if self._cast and at > self._cast[0][0]:
                    order += 1
                    heapq.heappush(self._cast, (at, order, passage))
                    break
        return refusals


def simulated(
    setting: Setting, rng: Random, controls: Controls, judge: JudgeBurst | None = None
) -> SimulatedService:
    """The simulated service for one performance; the setting may overrule the `controls`. Only a
    class whose controls this service runs is asked for head turns."""
    runs = setting.platform_runs or controls
    if setting.controls != "service":
        judge = None
    return SimulatedService(setting.start_ms, Random(rng.getrandbits(64)), runs, judge=judge)
