"""Records what the SDK in a real Chromium tells when a pop-up comes, as fixtures of the detector.

    python -m tests.sdk.popup_recordings tests/detectors/recordings/FILE.json [PERSON …]

Every learner has studied the lesson by plain requests until a pop-up is a second of play away (that
part takes no real time), then opens it in a browser at real pace. All sit there at once, so the
machine is as busy as an old one. The file keeps the columns that the detectors are given.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, sync_playwright
from sqlalchemy import select

from app.store.controls import controls as control_store
from app.store.events.event_log import read
from detectors.trace import CONTROL, EVENT
from models import Session
from tests.e2e.conftest import found_chromium
from tests.sdk import school as place
from tests.sdk.conftest import EYES_AND_HANDS, Learner
from tests.sdk.school import School, class_of, open_school

LESSON = "l1"
FILM_S = 460
Visit = Iterator[float]


def _shown(learner: Learner) -> bool:
    return bool(learner.page.get_by_role("dialog", name="请确认您正在学习").count())


def _until(condition: Callable[[], bool], seconds: float) -> Visit:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came"
        yield 0.2


def _press(learner: Learner) -> None:
    learner.page.get_by_role("dialog").get_by_role("button", name="我在学习").click()


def absent(learner: Learner) -> Visit:
    """Nobody is at the desk when the pop-up comes, nor afterwards."""
    yield from _until(lambda: _shown(learner), 60)
    yield 110


def present(learner: Learner) -> Visit:
    """The pop-up is answered after five seconds, and study goes on."""
    yield from _until(lambda: _shown(learner), 60)
    yield 5
    _press(learner)
    yield 60


def slow(learner: Learner) -> Visit:
    """Whoever needs 75 seconds finds the second pop-up, answers it and goes on."""
    yield from _until(lambda: _shown(learner), 60)
    yield 75
    if learner.page.evaluate("video.paused") and not _shown(learner):
        learner.page.evaluate("video.play()")
    yield from _until(lambda: _shown(learner), 60)
    yield 3
    _press(learner)
    yield 1
    if learner.page.evaluate("video.paused"):
        learner.page.evaluate("video.play()")
    yield 60


def reloads(learner: Learner) -> Visit:
    """The page is loaded anew under the open pop-up, which is answered after that."""
    yield from _until(lambda: _shown(learner), 60)
    yield 4
    learner.page.reload()
    yield from _until(lambda: _shown(learner), 60)
    yield 3
    _press(learner)
    yield 1
    if learner.page.evaluate("video.paused"):
        learner.page.evaluate("video.play()")
    yield 50


def offline(learner: Learner) -> Visit:
    """The network goes while the pop-up is open; it is answered offline, study goes on, and
    everything is delivered 70 seconds later."""
    yield from _until(lambda: _shown(learner), 60)
    learner.page.context.set_offline(True)
    yield 6
    _press(learner)
    yield 70
    learner.page.context.set_offline(False)
    yield 40


PEOPLE = {it.__name__: it for it in (absent, present, slow, reloads, offline)}


def near(school: School, learners: list[str]) -> dict[str, float]:
    """The sittings before: the lesson itself, each up to a second before a pop-up; how far."""
    sessions = []
    for learner in learners:
        terms = {"learner_id": learner, "class_id": class_of(learner), "lesson_id": LESSON}
        place = {"device_id": f"phone of {learner}", "window_id": "app"}
        opened = school.api.call("POST", "/v1/sessions", {**terms, **place})
        sessions.append(str(opened["session_id"]))
    steps = {session: 10.0 for session in sessions}
    position = dict.fromkeys(sessions, 0.0)
    seq = 0
    while steps:
        school.clock.advance(10.0)
        for session, step in list(steps.items()):
            position[session] += step
            at = {"at_ms": school.clock(), "position": position[session], "visible": True}
            batch = {"events": [{"seq": seq, "type": "progress", **at}]}
            told = school.api.call("POST", f"/v1/sessions/{session}/events", batch)
            due = told["controls"].get("popup", {}).get("due_in_s")
            if due is not None:
                steps[session] = min(10.0, due - 1.0)
            if due is not None and due <= 1.0:
                school.api.call("POST", f"/v1/sessions/{session}/close", {"reason": "put away"})
                del steps[session]
        seq += 1
    return position


def columns(school: School, session: str) -> dict[str, Any]:
    """One sitting as the detectors are given it, as plain lists."""
    with school.services.database.read() as connection:
        row = connection.execute(select(Session).where(Session.external_id == session)).one()
        log = read(connection, row.id)
        ledger = control_store.controls_array(control_store.rows(connection, row.id), row.opened_ms)
    events = log.in_order()
    return {
        "start_ms": row.opened_ms,
        "end_ms": row.closed_ms,
        "resume_ms": row.resume_ms,
        "events": [list(map(int, it.tolist())) for it in events],
        "controls": [list(map(int, it.tolist())) for it in ledger],
    }


def record(people: list[str]) -> dict[str, Any]:
    place.FILM_S = FILM_S
    with (
        tempfile.TemporaryDirectory() as folder,
        open_school(Path(folder)) as school,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=found_chromium(), args=EYES_AND_HANDS)
        # Those whose pop-ups come last: a minute of play under them is beyond five in all.
        names = [school.enrol() for _ in range(4 * len(people))]
        reached = near(school, names)
        rows = sorted(zip(reached.items(), names, strict=True), key=lambda it: -it[0][1])
        before = [session for (session, _), _ in rows[: len(people)]]
        names = [name for _, name in rows[: len(people)]]
        visits: list[tuple[Learner, Visit]] = []
        contexts: list[BrowserContext] = []
        for name, person in zip(names, people, strict=True):
            contexts.append(browser.new_context(locale="zh-CN"))
            learner = Learner(name, contexts[-1].new_page(), school)
            learner.page.set_default_timeout(30_000)
            learner.page.goto(school.lesson(name))
            learner.enters()
            learner.page.evaluate("video.play()")
            visits.append((learner, PEOPLE[person](learner)))
        due = [time.monotonic()] * len(visits)
        going = set(range(len(visits)))
        while going:
            for n in sorted(going):
                if time.monotonic() < due[n]:
                    continue
                try:
                    due[n] = time.monotonic() + next(visits[n][1])
                except StopIteration:
                    going.discard(n)
            visits[0][0].page.wait_for_timeout(100)
        result = []
        for (learner, _), person, first in zip(visits, people, before, strict=True):
            learner.page.evaluate("video.pause()")
            learner.has_told_everything()
            sessions = [first, learner.session()]
            told = learner.leaves()
            reasons = [
                it["reason"] for it in told["verdict"]["findings"] if it["rule"] == "popup_gap"
            ]
            print(person, told["verdict"]["outcome"], reasons, file=sys.stderr)
            result.append({"person": person, "sittings": [columns(school, it) for it in sessions]})
        browser.close()
    return {
        "made": "python -m tests.sdk.popup_recordings",
        "columns": {"events": EVENT.names, "controls": CONTROL.names},
        "people": result,
    }


if __name__ == "__main__":
    made = record(sys.argv[2:] or list(PEOPLE))
    Path(sys.argv[1]).write_text(json.dumps(made, separators=(",", ":")) + "\n")
