"""A learning platform on an origin of its own, its lesson page with the SDK, and the real service.

Everything between them is real: the module comes from the service, events and photos go there with
the sitting's lease, and the platform's own server, which holds the key, opens the sittings.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Body, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from app.domain.policy import packs
from app.main import create_app
from app.services import Services, open_services
from app.settings import Settings
from app.simulation.entities import invented_id_number
from app.simulation.transport import Api, Problem, UrllibClient
from app.vision.film import draw_film
from detectors.trace import Kind
from tests.people import LIN, County, course, instant, lesson, training_class
from tests.served import served
from tests.waiting import eventually

FILM_S = 30
OTHER = "l2"  # a lesson that is never shown: what was studied of it belongs to the learner's past

PAGE = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>课程</title>
<body><h1>课程</h1><button id="before">目录</button>
<video id="video" src="/film.webm" preload="auto" width="320" height="180"></video>
<script type="module" src="/page.js"></script></body></html>"""

SCRIPT = """
import { start } from "%s/sdk/v1/zhenxue.js";
const asked = new URLSearchParams(location.search);
window.told = [];
window.begin = (more) => start({
  video: document.getElementById("video"),
  lesson: "l1",
  lease: `/lease?learner=${asked.get("learner")}`,
  on: (name, detail) => told.push([name, detail]),
  ...JSON.parse(asked.get("options") ?? "{}"),
  ...more,
});
if (window.twice) begin().stop();
window.sitting = begin();
"""


CLASS_HOLDS = 80


def class_of(learner: str) -> str:
    """A class of this school is full with so many, and the next one opens."""
    return f"c{1 + (int(learner.removeprefix('learner-')) - 1) // CLASS_HOLDS}"


class SchoolClock:
    """Real time from a morning on, which a test may move forward."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._ahead_s = 0.0

    def __call__(self) -> int:
        passed_s = time.monotonic() - self._began + self._ahead_s
        return instant("2026-03-02 09:00") + round(passed_s * 1000)

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds


@dataclass
class School:
    url: str
    service: str
    services: Services
    clock: SchoolClock
    api: Api
    film: Path
    terms: dict[str, Any]
    enrolled: int = 0

    def enrol(self, *, face: bool = False) -> str:
        """A new learner; the name."""
        self.enrolled += 1
        name = f"learner-{self.enrolled}"
        path = f"/v1/classes/{class_of(name)}"
        if self.enrolled % CLASS_HOLDS == 1:
            self.api.call("PUT", path, self.terms)
        learner = {**LIN, "learner_id": name, "id_number": invented_id_number(900 + self.enrolled)}
        learner["consent"] = {**LIN["consent"], "face": face}
        self.api.call("PUT", f"{path}/roster", {"learners": [learner]})
        return name

    def lesson(self, learner: str, **options: Any) -> str:
        return f"{self.url}/study?learner={learner}&options={json.dumps(options)}"

    def sitting(self, session: str) -> dict[str, Any]:
        return self.api.call("GET", f"/v1/sessions/{session}")

    def judged(self, session: str) -> dict[str, Any]:
        """The same once its verdict is there, which follows its end."""
        sitting: dict[str, Any] = {}

        def there() -> bool:
            sitting.update(self.sitting(session))
            return sitting["verdict"] is not None

        assert eventually(there), "no verdict came"
        return sitting

    def events(self, session: str) -> list[tuple[int, str]]:
        """(seq, type) of everything that the service keeps of a sitting."""
        return [(int(it["seq"]), Kind(it["kind"]).name.lower()) for it in self.records(session)]

    def records(self, session: str) -> Any:
        """EVENT[n] that the service keeps of a sitting."""
        from sqlalchemy import select

        from app.store.events.event_log import read
        from models import Session

        with self.services.database.read() as connection:
            query = select(Session.id).where(Session.external_id == session)
            return read(connection, connection.execute(query).scalar_one()).events

    def notes(self, session: str) -> list[dict[str, Any]]:
        """The words of its pop-ups, observations and errors."""
        from sqlalchemy import select

        from app.store.events.event_log import read
        from models import Session

        with self.services.database.read() as connection:
            query = select(Session.id).where(Session.external_id == session)
            return read(connection, connection.execute(query).scalar_one()).notes

    def studied_until_a_popup_is_near(self, learner: str, seconds: float) -> None:
        """Earlier sittings in another lesson, at the end of which the next pop-up is so near.

        Each sitting draws anew over what is left of the interval, so only its end leaves no choice.
        """
        left = packs.load("huangchuan-2021-graded").policy["popup_gap"]["schedule_max_s"]
        while left > seconds:
            left -= self._studied_until_due(learner)

    def _studied_until_due(self, learner: str) -> float:
        """Seconds of one sitting, left just before its pop-up is due."""
        terms = {"learner_id": learner, "class_id": class_of(learner), "lesson_id": OTHER}
        opened = self.api.call(
            "POST", "/v1/sessions", {**terms, "device_id": "phone", "window_id": "app"}
        )
        session, begun, seq = opened["session_id"], opened["resume_position"], 0
        position, due = begun, opened["controls"].get("popup", {}).get("due_in_s")
        while due is None or due > 0.2:
            step = 10.0 if due is None else min(10.0, due - 0.1)
            self.clock.advance(step)
            position += step
            seen = {"visible": True, "focused": True}
            event = {"seq": seq, "type": "progress", "at_ms": self.clock(), "position": position}
            seq += 1
            path = f"/v1/sessions/{session}/events"
            told = self.api.call("POST", path, {"events": [{**event, **seen}]})
            due = told["controls"].get("popup", {}).get("due_in_s")
        self.api.call("POST", f"/v1/sessions/{session}/close", {"reason": "phone put away"})
        return float(position - begun)


@contextmanager
def open_school(
    folder: Path,
    film_s: int = FILM_S,
    heard_by: Callable[[Any, SchoolClock], Any] | None = None,
    **klass: Any,
) -> Iterator[School]:
    """`heard_by` may put something around the service that hears every request; `klass`: terms of
    its classes."""
    clock = SchoolClock()
    settings = Settings(data_dir=folder, database_url="", blob_url="", face_workers=0)
    with open_services(settings) as services:
        county = County.found(services.database, clock)  # type: ignore[arg-type]
    app = create_app(settings, clock)
    with served(app if heard_by is None else heard_by(app, clock)) as service:
        api = Api(UrllibClient(service), county.huang.secret)
        lessons = [lesson("l1", 45, order=1), lesson(OTHER, 45, order=2)]
        plan = course(lessons=lessons, course_kind="public", sequential_lock=False)
        api.call("PUT", f"/v1/courses/{plan.pop('course_id')}", plan)
        ordered = [lesson("o1", 45, order=1), lesson("o2", 45, order=2)]
        plan = course("ordered", lessons=ordered)
        api.call("PUT", f"/v1/courses/{plan.pop('course_id')}", plan)
        terms = training_class(course_ids=["sewing", "ordered"], **klass)
        del terms["class_id"]
        film = folder / "film.webm"
        draw_film(film, film_s)
        with served(platform(service, api, film)) as url:
            yield School(url, service, app.state.services, clock, api, film, terms)


def platform(service: str, api: Api, film: Path) -> FastAPI:
    """What the platform itself serves: a page under a strict policy, and the lease endpoint."""
    app = FastAPI()
    policy = (
        f"default-src 'none'; script-src 'self' {service}; connect-src 'self' {service}; "
        "media-src 'self'; style-src 'none'; base-uri 'none'"
    )

    @app.api_route("/study", methods=["GET", "POST"])
    def study() -> HTMLResponse:
        return HTMLResponse(PAGE, headers={"content-security-policy": policy})

    @app.get("/framed")
    def framed(request: Request) -> HTMLResponse:
        """A portal that shows the lesson in a frame of its own page."""
        frame = f'<iframe src="/study?{request.url.query}" width="640" height="400"></iframe>'
        return HTMLResponse(f"<!doctype html><title>门户</title><body><h1>门户</h1>{frame}</body>")

    @app.get("/film")
    def only_the_film() -> HTMLResponse:
        film = '<!doctype html><title>片</title><video id="video" src="/film.webm" preload="auto">'
        return HTMLResponse(film)

    @app.get("/page.js")
    def script() -> Response:
        return Response(SCRIPT % service, media_type="text/javascript")

    @app.get("/film.webm")
    def moving_pictures() -> FileResponse:
        return FileResponse(film, media_type="video/webm")

    @app.get("/tone.wav")
    def sounds() -> FileResponse:
        """What a test put beside the film."""
        return FileResponse(film.with_name("tone.wav"), media_type="audio/wav")

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    @app.post("/lease")
    def lease(learner: str, terms: dict[str, Any] = Body()) -> Response:
        opening = {**terms, "learner_id": learner, "class_id": class_of(learner)}
        answer = api.client.request(
            "POST",
            "/v1/sessions",
            content=json.dumps(opening).encode(),
            headers={"authorization": f"Bearer {api.key}", "content-type": "application/json"},
        )
        return Response(answer.content, answer.status_code, media_type="application/json")

    return app


__all__ = ["FILM_S", "Problem", "School", "open_school"]
