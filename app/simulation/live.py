"""Scenarios as real HTTP traffic: the same people, answering the controls the service issues.

    report = play_live("F02", Api(UrllibClient("http://127.0.0.1:8000"), key))

In real time a lesson of 45 minutes takes 45 minutes. Tests run the service with a clock of their
own and give `advance`: it is called with the seconds to move that clock on, instead of sleeping.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from app.clock import DAY_MS
from app.simulation.entities import Photo, Record
from app.simulation.environment import Setting, SimulatedEnvironment, reference_photo, simulated
from app.simulation.honest import Story
from app.simulation.photos import Photograph, artificial_photograph, develop
from app.simulation.scenarios import SCENARIOS, perform, setting_of
from app.simulation.service import PageClient, Refused, SimulatedService
from app.simulation.transport import Api, Problem

Advance = Callable[[float], None]

_LOST_SESSION = frozenset({404, 409, 410})


@dataclass(slots=True)
class LiveReport:
    """What happened: sessions opened, openings refused (their codes), what the service held against
    single requests, and the state of every session afterwards, as `GET /v1/sessions/{id}` tells it.
    """

    scenario: str
    sessions: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    requests: int = 0
    states: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class HttpService:
    """The `Service` that a sitting talks to, over HTTP."""

    api: Api
    report: LiveReport
    photograph: Photograph

    def open(self, sitting: PageClient) -> tuple[float, dict[str, Any]]:
        device = sitting.device
        client: Record = {"user_agent": device.user_agent}
        if device.sdk_version is not None:
            client |= {"sdk_version": device.sdk_version, "face_actions": ["nearer", "farther"]}
        body = {
            "session_id": sitting.session_id,
            "learner_id": sitting.learner.learner_id,
            "class_id": sitting.class_id,
            "lesson_id": sitting.lesson_id,
            "device_id": device.device_id,
            "window_id": sitting.window_id,
            "client": client,
            "started_at_ms": sitting.clock.date_ms(sitting.t),
        }
        try:
            answer = self.api.call("POST", "/v1/sessions", body)
        except Problem as problem:
            if problem.status == 409:
                raise Refused(problem.code) from problem
            raise
        self.report.sessions.append(sitting.session_id)
        return float(answer["resume_position"]), answer.get("controls") or {}

    def send(self, sitting: PageClient, events: list[Record]) -> dict[str, Any]:
        body = {"sent_at_ms": sitting.clock.date_ms(sitting.t), "events": events}
        try:
            answer = self.api.call("POST", f"{_path(sitting)}/events", body)
        except Problem as problem:
            self.report.problems.append(str(problem))
            if problem.status in _LOST_SESSION:
                return {"stop": {"code": problem.code}}
            raise
        self.report.problems.extend(
            f"event {item['index']}: {item['code']} {item['detail']}"
            for item in answer.get("rejected") or ()
        )
        return answer.get("controls") or {}

    def photo(self, sitting: PageClient, snapshot: Record, photo: Photo) -> None:
        query = urlencode(
            {
                "purpose": snapshot["purpose"],
                "challenge_id": snapshot["challenge_id"],
                "frame": snapshot["frame"],
                "taken_at_ms": snapshot["taken_at_ms"],
            }
        )
        path = f"{_path(sitting)}/snapshots/{quote(snapshot['snapshot_id'], safe='')}?{query}"
        content = develop(photo, self.photograph)
        try:
            self.api.call("PUT", path, content=content, content_type="image/jpeg")
        except Problem as problem:
            self.report.problems.append(str(problem))

    def close(self, sitting: PageClient, reason: str) -> None:
        try:
            self.api.call("POST", f"{_path(sitting)}/close", {"reason": reason})
        except Problem as problem:
            self.report.problems.append(str(problem))


@dataclass(slots=True)
class SelfControlled:
    """A class whose platform runs its own controls and reports them as it issues them."""

    http: HttpService
    platform: SimulatedService
    _reported: int = 0

    def open(self, sitting: PageClient) -> tuple[float, dict[str, Any]]:
        resume, _ = self.http.open(sitting)
        _, controls = self.platform.open(sitting)
        self._report(sitting)
        return resume, controls

    def send(self, sitting: PageClient, events: list[Record]) -> dict[str, Any]:
        answer = self.http.send(sitting, events)
        controls = self.platform.send(sitting, events)
        self._report(sitting)
        return controls | {"stop": answer["stop"]} if "stop" in answer else controls

    def photo(self, sitting: PageClient, snapshot: Record, photo: Photo) -> None:
        self.http.photo(sitting, snapshot, photo)
        self.platform.photo(sitting, snapshot, photo)

    def close(self, sitting: PageClient, reason: str) -> None:
        self.http.close(sitting, reason)
        self.platform.close(sitting, reason)

    def _report(self, sitting: PageClient) -> None:
        issued = self.platform.controls_issued()
        fresh = issued[self._reported :]
        self._reported = len(issued)
        if fresh:
            kept = ("control", "challenge_id", "nonce", "issued_at_ms")
            controls = [{name: control[name] for name in kept} for control in fresh]
            try:
                self.http.api.call("POST", f"{_path(sitting)}/controls", {"controls": controls})
            except Problem as problem:
                self.http.report.problems.append(str(problem))


def enrol(
    api: Api,
    catalogue: list[Record],
    photos: dict[str, Photo],
    photograph: Photograph = artificial_photograph,
) -> list[str]:
    """Send a catalogue: courses, classes, rosters, reference photos, lists; gives refused items.

    Raises `Problem` where a whole request is refused.
    """
    refused = []
    for record in catalogue:
        body = {name: value for name, value in record.items() if name != "kind"}
        if record["kind"] == "course":
            answer = api.call("PUT", f"/v1/courses/{_part(body.pop('course_id'))}", body)
        elif record["kind"] == "class":
            answer = api.call("PUT", f"/v1/classes/{_part(body.pop('class_id'))}", body)
        elif record["kind"] == "roster":
            answer = api.call("PUT", f"/v1/classes/{_part(body.pop('class_id'))}/roster", body)
        elif record["kind"] == "reference_photo":
            answer = api.call(
                "PUT",
                f"/v1/learners/{_part(record['learner_id'])}/reference-photo",
                content=develop(photos[record["file"]], photograph),
                content_type="image/jpeg",
            )
        else:
            path = f"/v1/classes/{_part(body.pop('class_id'))}/{record['kind']}"
            answer = api.call("POST", path, body)
        items = answer.get("rejected") or answer.get("errors") or ()
        refused += [f"{record['kind']} {item.get('index')}: {item.get('code')}" for item in items]
    return refused


def play_live(
    scenario_id: str,
    api: Api,
    *,
    seed: int = 0,
    setting: Setting | None = None,
    speed: float = 1.0,
    advance: Advance | None = None,
    photograph: Photograph = artificial_photograph,
    with_catalogue: bool = True,
) -> LiveReport:
    """Enrol the scenario's people and play it against the service behind `api`.

    `setting.start_ms` is the service's time now (default: this machine's). `advance(seconds)` moves
    the service's clock in place of waiting; without it true time passes `speed` times as fast as
    the wall clock, and whatever is not 1 looks to the service as fast as it is. Raises KeyError
    for an unknown scenario and `Problem` for answers that make going on senseless.
    """
    scenario = SCENARIOS[scenario_id]
    if setting is None:
        setting = Setting(lesson=scenario.lesson, lessons=scenario.lessons)
        setting = replace(setting, start_ms=time.time_ns() // 1_000_000)
    where = setting_of(scenario, setting)
    report = LiveReport(scenario_id)
    if with_catalogue:
        rehearsal = perform(scenario_id, seed=seed, setting=where)
        report.problems += enrol(api, rehearsal.catalogue, rehearsal.photos, photograph)
    http = HttpService(api, report, photograph)
    rng = Random(f"{scenario_id}/{seed}/live")
    service: HttpService | SelfControlled = http
    if where.controls == "platform":
        service = SelfControlled(http, simulated(where, rng, scenario.controls))
    env = SimulatedEnvironment(scenario_id, where, seed, service, rng)
    env.alongside(scenario.script(env))
    report.refused = env.perform(_pacer(speed, advance))
    report.states = {session: _state(api, session) for session in report.sessions}
    report.requests = api.requests
    return report


def play_honest_live(
    seed: int,
    api: Api,
    *,
    setting: Setting,
    advance: Advance,
    photograph: Photograph = artificial_photograph,
) -> tuple[LiveReport, frozenset[str]]:
    """Play a randomly composed honest learner (see `honest`) against a service whose clock
    `advance` moves; the report, and what befell the learner."""
    report = LiveReport(f"honest/{seed}")
    learner = setting.learner
    catalogue = setting.catalogue([learner])
    photos: dict[str, Photo] = {}
    if learner.face_consent:
        record, photos = reference_photo(learner, setting.start_ms - 3 * DAY_MS)
        catalogue.append(record)
    report.problems += enrol(api, catalogue, photos, photograph)
    service = HttpService(api, report, photograph)
    env = SimulatedEnvironment("honest", setting, seed, service, Random(f"honest/{seed}/live"))
    story = Story(env)
    env.alongside(story.study())
    report.refused = env.perform(_pacer(1.0, advance))
    report.states = {session: _state(api, session) for session in report.sessions}
    report.requests = api.requests
    return report, frozenset(story.met)


def _pacer(speed: float, advance: Advance | None) -> Callable[[float], None]:
    """Waits until the scene's true time has come."""
    now = 0.0
    begun = time.monotonic()

    def wait_until(t: float) -> None:
        nonlocal now
        if t <= now:
            return
        if advance is not None:
            advance(t - now)
        else:
            time.sleep(max(0.0, begun + t / speed - time.monotonic()))
        now = t

    return wait_until


def _state(api: Api, session_id: str) -> dict[str, Any]:
    try:
        return api.call("GET", f"/v1/sessions/{_part(session_id)}")
    except Problem as problem:
        return {"problem": str(problem)}


def _path(sitting: PageClient) -> str:
    return f"/v1/sessions/{_part(sitting.session_id)}"


def _part(value: str) -> str:
    return quote(value, safe="")
