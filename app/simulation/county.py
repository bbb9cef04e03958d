"""The demo county: two platforms, three classes, about sixty invented learners.

Platform `qihang` has good controls. Platform `yuanwang` runs its own and never reports a pop-up.
Eight in ten learners study honestly in all kinds of circumstances; the others cheat in their last
lesson. Everything is derived from `today` and a seed, and nothing in it exists: names are a
surname and a numeral, ID numbers carry a region that was never given out, faces are drawn.

A county is import records (`Platform.records`) and, for live calls, a plan: `Platform.catalogue`
for `live.enrol` and `Platform.performances` for `live.play_live`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random

from app.simulation.cases.fraud_photos import STRANGER
from app.simulation.entities import Photo, Record, SimulatedLearner, invented_id_number
from app.simulation.environment import LESSON_S, SHANGHAI, Setting, reference_photo, roster
from app.simulation.scenarios import SCENARIOS, perform
from app.simulation.service import Controls

ASSESSMENT_MONTHS = (4, 8, 12)

_SURNAMES = "林吴赵钱孙李周郑王冯陈卫蒋沈韩杨朱秦许何"
_NUMERALS = "一二三四五六七八九十"

# What happens to honest people, most often nothing. None of it leaves a lesson incomplete.
_ORDINARY = ("H01",) * 6 + (
    "H02", "H03", "H04", "H05", "H06", "H07", "H08", "H11", "H12", "H13", "H14", "H15", "H16",
    "H17", "H18", "H19", "H20", "H24", "H25", "H26", "H27", "H28", "H29", "H34", "H35", "H36",
)  # fmt: skip
_UNFINISHED = ("H33", "H38", "H39")

ONE_PHOTO = Controls(snapshots=1)
NO_POPUPS = Controls(popups=False, snapshots=1)


@dataclass(frozen=True, slots=True)
class Performance:
    """One scenario to play: for `scenarios.perform` or `live.play_live`."""

    scenario_id: str
    seed: int
    setting: Setting


@dataclass(slots=True)
class SimulatedPlatform:
    """One platform (tenant): its catalogue, its learners' sittings, and what its photos show."""

    slug: str
    name: str
    catalogue: list[Record] = field(default_factory=list)
    performances: list[Performance] = field(default_factory=list)
    evidence: list[Record] = field(default_factory=list)
    photos: dict[str, Photo] = field(default_factory=dict)

    @property
    def records(self) -> list[Record]:
        """The import file's records."""
        return [*self.catalogue, *self.evidence]


@dataclass(frozen=True, slots=True)
class County:
    today: date
    platforms: tuple[SimulatedPlatform, ...]


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """`cheats` and `unfinished` name learners by their place in the roster, from 0, and so does
    `few_photos`, with how many of the `photos` wanted of everybody they handed in."""

    class_id: str
    occupation: str
    size: int
    lessons: int
    certificate_type: str
    applicant: str
    controls: str
    runs: Controls
    cheats: Mapping[int, str]
    unfinished: tuple[int, ...]
    satisfied: int
    offline_hours: float = 0.0
    photos: int = 1
    few_photos: Mapping[int, int] = field(default_factory=dict)


Plans = Mapping[tuple[str, str], tuple[ClassPlan, ...]]
"""Classes by the platform's slug and name."""

PLANS: Plans = {
    ("qihang", "启航示例学习平台"): (
        ClassPlan(
            "dianshang-01", "电子商务师", 24, 4, "职业技能等级证书", "enterprise", "service",
            ONE_PHOTO,
            {1: "F02", 5: "F16", 9: "F13", 12: "F35", 16: "F28", 18: "F25", 20: "F26"},
            (7, 14), 23, offline_hours=8.0, photos=5, few_photos={3: 2, 10: 3, 18: 1},
        ),
        ClassPlan(
            "kuaidi-02", "快递业务员", 20, 3, "职业技能等级证书", "enterprise", "service",
            ONE_PHOTO,
            {3: "F01", 7: "F19", 11: "F10", 15: "F34"},
            (5,), 18, offline_hours=8.0,
        ),
    ),
    ("yuanwang", "远望示例学习平台"): (
        ClassPlan(
            "shouyin-03", "收银员", 16, 3, "职业技能等级证书", "individual", "platform", NO_POPUPS,
            {2: "F06", 8: "F03"},
            (4,), 10,
        ),
    ),
}  # fmt: skip


def county(
    today: date, *, seed: int = 0, media_s: float = LESSON_S, plans: Plans = PLANS
) -> County:
    """The county as it stands on `today`: courses of the last three weeks."""
    platforms = []
    first = 0
    for (slug, name), classes in plans.items():
        platform = SimulatedPlatform(slug, name)
        for plan in classes:
            _fill(platform, plan, _people(plan, first), today, seed, media_s)
            first += plan.size
        platforms.append(platform)
    return County(today, tuple(platforms))


def _people(plan: ClassPlan, first: int) -> list[SimulatedLearner]:
    # Loads OpenCV, so only when a county is made.
    from app.simulation.portraits.portrait import PORTRAIT_SEEDS

    faces = [seed for seed in PORTRAIT_SEEDS if seed != STRANGER]
    return [
        SimulatedLearner(
            learner_id=f"{plan.class_id}-{place + 1:02}",
            name=_SURNAMES[n % 20] + _NUMERALS[(n + n // 20) % 10],
            id_number=invented_id_number(n + 1),
            identity=faces[n],
            employer="示例电子商务公司" if plan.applicant == "enterprise" else "自由职业",
            category="企业职工" if plan.applicant == "enterprise" else "农村转移就业劳动者",
        )
        for place, n in enumerate(range(first, first + plan.size))
    ]


def _fill(
    platform: SimulatedPlatform,
    plan: ClassPlan,
    people: list[SimulatedLearner],
    today: date,
    seed: int,
    media_s: float,
) -> None:
    """Play the class's sittings and add its catalogue, evidence and photos to the platform."""
    opened = today - timedelta(days=21)
    base = Setting(
        class_id=plan.class_id,
        course_id=f"course-{plan.class_id}",
        lessons=plan.lessons,
        media_s=media_s,
        controls=plan.controls,
        platform_runs=plan.runs,
        label="s",
        occupation=plan.occupation,
        starts_on=opened.isoformat(),
        ends_on=(today - timedelta(days=3)).isoformat(),
    )
    learners: dict[str, SimulatedLearner] = {learner.learner_id: learner for learner in people}
    for place, learner in enumerate(people):
        rng = Random(f"county/{seed}/{learner.learner_id}")
        for performance in _curriculum(plan, place, replace(base, learner=learner), opened, rng):
            scene = perform(
                performance.scenario_id, seed=performance.seed, setting=performance.setting
            )
            platform.performances.append(performance)
            platform.evidence += scene.evidence
            platform.photos |= scene.photos
            learners |= {who.learner_id: who for who in scene.learners}
    platform.catalogue += _catalogue(plan, base, list(learners.values()), today)
    enrolled_ms = _epoch_ms(opened - timedelta(days=3), 10.0)
    for place, learner in enumerate(learners.values()):
        for number in range(plan.few_photos.get(place, plan.photos)):
            record, picture = reference_photo(learner, enrolled_ms, number)
            platform.catalogue.append(record)
            platform.photos |= picture
    platform.catalogue += _lists(plan, people, today, opened)


def _curriculum(
    plan: ClassPlan, place: int, setting: Setting, opened: date, rng: Random
) -> Iterator[Performance]:
    """A learner's lessons in order, three days apart; who cheats does so at the end."""
    last = plan.cheats.get(place)
    if last is None:
        last = rng.choice(_UNFINISHED if place in plan.unfinished else _ORDINARY)
    before = plan.lessons - _lessons_of(last, plan.lessons)
    for k in range(1, before + 1):
        yield _performance(rng.choice(_ORDINARY), setting, k, opened, rng)
    yield _performance(last, setting, plan.lessons, opened, rng, first=before + 1)


def _lessons_of(scenario_id: str, lessons: int) -> int:
    """How many lessons of the course the scenario itself goes through, at its end."""
    if scenario_id in ("F13", "F34"):
        return lessons
    return SCENARIOS[scenario_id].lesson


def _performance(
    scenario_id: str,
    setting: Setting,
    lesson: int,
    opened: date,
    rng: Random,
    first: int | None = None,
) -> Performance:
    day = opened + timedelta(days=3 * ((first or lesson) - 1) + rng.randint(0, 1))
    hour = rng.choice((8.5, 9.0, 13.5, 15.0, 19.0, 20.0)) + rng.random() / 2
    setting = replace(setting, lesson=lesson, start_ms=_epoch_ms(day, hour))
    return Performance(scenario_id, rng.randrange(1 << 30), setting)


def _catalogue(
    plan: ClassPlan, base: Setting, learners: list[SimulatedLearner], today: date
) -> list[Record]:
    course, klass, *_ = base.catalogue([])
    planned = _next_assessment(today)
    klass |= {
        "certificate_type": plan.certificate_type,
        "applicant": {
            "type": plan.applicant,
            "name": "示例电子商务公司" if plan.applicant == "enterprise" else "个人",
            "uscc": "000000000000000000",
        },
        "training_kind": "upskilling" if plan.applicant == "enterprise" else "employment",
        "teachers": ["沈教员", "顾教员"],
        "subsidy_yuan": 1200 if plan.applicant == "enterprise" else 800,
        "assessment": {
            "planned_on": planned.isoformat(),
            "applied_on": (planned - timedelta(days=10)).isoformat(),
            "mode": "offline",
        },
    }
    return [course, klass, roster(plan.class_id, learners)]


def _next_assessment(today: date) -> date:
    """The 15th of the next month in which assessments are held."""
    for year in (today.year, today.year + 1):
        for month in ASSESSMENT_MONTHS:
            day = date(year, month, 15)
            if day > today:
                return day
    raise AssertionError("unreachable: next year has an April")


def _lists(
    plan: ClassPlan, people: list[SimulatedLearner], today: date, opened: date
) -> Iterator[Record]:
    """Attendance, leave, satisfaction and earlier trainings."""

    def listed(kind: str, *items: Record) -> Record:
        return {"kind": kind, "class_id": plan.class_id, "items": list(items)}

    if plan.offline_hours:
        yield listed("offline-attendance", *_attended(plan, people, today))
    yield listed(
        "leave",
        {
            "learner_id": people[0].learner_id,
            "from_on": (opened + timedelta(days=4)).isoformat(),
            "to_on": (opened + timedelta(days=5)).isoformat(),
            "written": True,
            "approved": True,
            "reason": "家中有事",
        },
    )
    yield listed(
        "satisfaction",
        {
            "answered": plan.size,
            "satisfied": plan.satisfied,
            "surveyed_on": (today - timedelta(days=2)).isoformat(),
        },
    )
    yield listed("history", *_trained_before(people, opened))


def _attended(plan: ClassPlan, people: list[SimulatedLearner], today: date) -> Iterator[Record]:
    for learner in people:
        yield {
            "learner_id": learner.learner_id,
            "held_on": (today - timedelta(days=4)).isoformat(),
            # The last two went home at noon.
            "hours": plan.offline_hours / (2 if learner in people[-2:] else 1),
            "teacher": "顾教员",
            "practical": True,
        }


def _trained_before(people: list[SimulatedLearner], opened: date) -> Iterator[Record]:
    """The last one was assessed less than a month before this class opened."""
    for learner in people:
        started, assessed = (90, 12) if learner is people[-1] else (400, 340)
        yield {
            "learner_id": learner.learner_id,
            "occupation": "保育师",
            "level": "五级",
            "started_on": (opened - timedelta(days=started)).isoformat(),
            "assessed_on": (opened - timedelta(days=assessed)).isoformat(),
        }


def _epoch_ms(day: date, hour: float) -> int:
    midnight = datetime.combine(day, time(), SHANGHAI)
    return round((midnight + timedelta(hours=hour)).timestamp() * 1000)
