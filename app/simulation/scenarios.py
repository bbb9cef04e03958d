"""The scenario corpus by id, and how to build one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from app.clock import DAY_MS
from app.simulation import cases  # noqa: F401  its import fills the book
from app.simulation.casebook import BOOK, Scenario
from app.simulation.entities import HeadTurns, JudgeBurst, Photo, Record, SimulatedLearner
from app.simulation.environment import Setting, SimulatedEnvironment, reference_photo, simulated
from app.simulation.service import SimulatedService

SCENARIOS: dict[str, Scenario] = dict(sorted(BOOK.items(), key=lambda entry: entry[0]))


@dataclass(frozen=True, slots=True)
class Scene:
    """What a performance left behind.

    `catalogue` course, class, roster and reference photos; `evidence` sessions, controls, events
    and snapshots in order of receipt; `photos` what every file of both shows; `judged` the session
    ids that the scenario's expectation is about; `asked` the head turns of face checks, by
    challenge.
    """

    scenario: Scenario
    setting: Setting
    learners: tuple[SimulatedLearner, ...]
    catalogue: list[Record]
    evidence: list[Record]
    photos: dict[str, Photo]
    judged: tuple[str, ...]
    asked: Mapping[str, HeadTurns] = field(default_factory=dict)


def setting_of(scenario: Scenario, setting: Setting | None = None) -> Setting:
    """The default setting of a scenario, or the given one with what the scenario needs."""
    if setting is None:
        setting = Setting(lesson=scenario.lesson, lessons=scenario.lessons)
    return replace(
        setting,
        controls=scenario.run_by if scenario.run_by == "platform" else setting.controls,
        lesson=max(setting.lesson, scenario.lesson),
        lessons=max(setting.lessons, scenario.lesson),
    )


def perform(
    scenario_id: str,
    *,
    seed: int = 0,
    setting: Setting | None = None,
    rough: bool = False,
    judge: JudgeBurst | None = None,
) -> Scene:
    """Play a scenario against the simulated service, over `rough` networks if asked.

    With a `judge` face checks are bursts, as this service asks for them; else the evidence is a
    platform's own log. KeyError for an unknown id.
    """
    scenario = SCENARIOS[scenario_id]
    where = setting_of(scenario, setting)
    rng = Random(f"{scenario_id}/{seed}/{where.learner.learner_id}/{where.lesson}")
    service: SimulatedService = simulated(where, rng, scenario.controls, judge)
    env = SimulatedEnvironment(scenario_id, where, seed, service, rng, rough=rough)
    env.alongside(scenario.script(env))
    env.perform()
    learners = sorted(env.learners, key=lambda learner: learner.learner_id)
    catalogue = where.catalogue(learners)
    photos = dict(service.photos)
    for learner in learners:
        if learner.face_consent:
            record, picture = reference_photo(learner, where.start_ms - 3 * DAY_MS)
            catalogue.append(record)
            photos |= picture
    return Scene(
        scenario,
        where,
        tuple(learners),
        catalogue,
        service.records(),
        photos,
        tuple(name for sitting in env.judged for name in sitting.session_ids),
        service.asked,
    )


def build(
    scenario_id: str,
    *,
    seed: int = 0,
    learner: SimulatedLearner | None = None,
    class_id: str | None = None,
    start_ms: int | None = None,
    lesson: int | None = None,
    media_s: float | None = None,
    catalogue: bool = True,
) -> list[Record]:
    """The scenario's import records, with its catalogue unless `catalogue` is False.

    The same arguments give the same records. `lesson` counts from 1; `media_s` shortens lessons.
    """
    scenario = SCENARIOS[scenario_id]
    default = Setting(lesson=scenario.lesson, lessons=scenario.lessons)
    setting = Setting(
        class_id=class_id or default.class_id,
        learner=learner or default.learner,
        lesson=lesson or default.lesson,
        lessons=max(default.lessons, lesson or 1),
        media_s=media_s or default.media_s,
        start_ms=default.start_ms if start_ms is None else start_ms,
    )
    scene = perform(scenario_id, seed=seed, setting=setting)
    return [*scene.catalogue, *scene.evidence] if catalogue else scene.evidence
