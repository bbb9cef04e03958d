"""A learning platform in one file, for `zhenxue demo` only: a lesson page with the SDK in it.

The page is what a platform's developer writes. Its server part does what a platform's server does:
it knows the key and who is signed in (here: whom the page names), opens the sitting, and hands the
answer on. It talks to the service over HTTP like anybody else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Body, HTTPException, Response
from fastapi.responses import FileResponse, RedirectResponse

FOLDER = Path(__file__).parent / "lesson"
CLASS, COURSE, LESSON = "sdk-demo", "sdk-demo-course", "film"
FILM_S = 360
REST_S = 2400  # a class-hour has 40 minutes: the rest of it, which the demo does not show

_TYPES = {"lesson.html": "text/html", "lesson.css": "text/css", "lesson.js": "text/javascript"}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "media-src 'self'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class ApiResponse(Protocol):
    @property
    def status_code(self) -> int: ...

    @property
    def content(self) -> bytes: ...


class ApiClient(Protocol):
    def request(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str]
    ) -> ApiResponse: ...


class DemoPlatform:
    """Calls the service with the platform's key; `draw(path, seconds)` makes the film."""

    def __init__(
        self,
        client: ApiClient,
        key: str,
        film: Path,
        draw: Callable[[Path, int], None],
        film_s: int = FILM_S,
    ) -> None:
        self._client = client
        self._key = key
        self._film = film
        self._draw = draw
        self._film_s = film_s
        self._lock = threading.Lock()
        self._enrolled = False

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/demo/lesson", include_in_schema=False)
        router.get("")(self.page)
        router.get("/film.webm")(self.film)
        router.get("/files/{name}")(self.file)
        router.post("/lease")(self.lease)
        router.get("/enrolment")(self.enrolment)
        router.get("/sittings/{session_id}")(self.sitting)
        return router

    def page(self) -> Response:
        return self.file("lesson.html")

    def file(self, name: str) -> Response:
        if name not in _TYPES:
            raise HTTPException(404)
        headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
        return Response((FOLDER / name).read_bytes(), media_type=_TYPES[name], headers=headers)

    def film(self) -> Response:
        with self._lock:
            if not self._film.exists():
                being_made = self._film.with_suffix(".part.webm")
                self._draw(being_made, self._film_s)
                being_made.replace(self._film)
        return FileResponse(self._film, media_type="video/webm")

    def lease(self, terms: Annotated[dict[str, Any], Body()], learner: str = "yi") -> Response:
        """What a platform's server does: the learner is whoever is signed in, never what a page
        claims. The demo has no login, so here the page says it."""
        self._enrol()
        opening = {**terms, "learner_id": f"sdk-{learner}", "class_id": CLASS}
        return self._handed_on("POST", "/v1/sessions", opening)

    def enrolment(self, learner: str = "jia") -> Response:
        """What a platform does for its link to the enrolment: asks for one, and leads there."""
        self._enrol()
        answer = self._call("POST", f"/v1/learners/sdk-{quote(learner, safe='')}/enrolment")
        if answer.status_code >= 400:
            return Response(answer.content, answer.status_code, media_type="application/json")
        return RedirectResponse(json.loads(answer.content)["url"], status_code=303)

    def sitting(self, session_id: str) -> Response:
        return self._handed_on("GET", f"/v1/sessions/{quote(session_id, safe='')}")

    def _enrol(self) -> None:
        with self._lock:
            if self._enrolled:
                return
            for path, body in _catalogue(self._film_s):
                answer = self._call("PUT", path, body)
                as_before = answer.status_code == 409 or b'"identity_frozen"' in answer.content
                if answer.status_code >= 400 and not as_before:
                    raise HTTPException(502, answer.content.decode("utf-8", "replace"))
            self._enrolled = True

    def _handed_on(self, method: str, path: str, body: Any = None) -> Response:
        answer = self._call(method, path, body)
        return Response(
            answer.content,
            answer.status_code,
            media_type="application/json",
            headers={"cache-control": "no-store"},
        )

    def _call(self, method: str, path: str, body: Any = None) -> ApiResponse:
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        return self._client.request(method, path, content=content, headers=headers)


def _lesson(lesson_id: str, order: int, title: str, seconds: int) -> dict[str, Any]:
    return {
        "lesson_id": lesson_id,
        "order": order,
        "title": title,
        "media_seconds": seconds,
        "class_hours": 1,
    }


def _learner(name: str, shown: str, id_number: str, face: bool) -> dict[str, Any]:
    return {
        "learner_id": f"sdk-{name}",
        "name": shown,
        "id_number": id_number,
        "employer": "示例制衣厂",
        "category": "企业职工",
        "real_name_verified": True,
        "consent": {"face": face, "at": "2026-01-05T10:00:00+08:00", "document": "同意书（示例）"},
    }


def _catalogue(film_s: int) -> tuple[tuple[str, dict[str, Any]], ...]:
    return (
        (
            f"/v1/courses/{COURSE}",
            {
                "title": "接入演示课程",
                "course_kind": "public",
                "sequential_lock": False,
                "lessons": [
                    _lesson(LESSON, 1, "接入演示：短片", film_s),
                    _lesson("rest", 2, "其余内容（演示不播放）", REST_S),
                ],
            },
        ),
        (
            f"/v1/classes/{CLASS}",
            {
                "official_class_no": "000000-sdk-demo",
                "institution": "示例职业培训学校",
                "occupation": "电子商务师",
                "level": "五级",
                "certificate_type": "职业技能等级证书",
                "mode": "online",
                "applicant": {
                    "type": "enterprise",
                    "name": "示例制衣厂",
                    "uscc": "000000000000000000",
                },
                "course_ids": [COURSE],
                "teachers": 1,
                "starts_on": "2026-01-01",
                "ends_on": "2036-12-31",
                "controls": "service",
            },
        ),
        (
            f"/v1/classes/{CLASS}/roster",
            {
                "learners": [
                    _learner("jia", "演示甲", "000000199001010018", face=True),
                    _learner("yi", "演示乙", "000000199001010026", face=False),
                ]
            },
        ),
    )
