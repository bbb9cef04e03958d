"""The guides' pages for apps, taken out of the guide and studied in against the service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastapi import Body, FastAPI, Request, Response
from sqlalchemy import select

from app.db import Database
from app.http import lease_ring
from app.jobs import lease_sweep
from app.jobs.face_worker import run_pending
from app.services import Services
from app.simulation.entities import Photo
from app.simulation.photos import develop
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.simulation.transport import Api, UrllibClient
from app.store.events.event_log import read
from models import Session
from tests.machine import JAVA, NODE, lacks
from tests.people import LIN, County, TestClock, course, lesson, training_class
from tests.served import served
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "connect-apps.md"
CLIENTS = ROOT / "app" / "sdk" / "apps"
HERE = Path(__file__).parent / "apps"
FACE = PORTRAIT_SEEDS[12]
FILM_S = 2_700
JSON_JAR = Path("/usr/share/java/com.android.json.jar")


def block(mark: str) -> str:
    """The guide's block that begins with these words."""
    found = re.findall(r"^```\w+\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    (one,) = [it for it in found if it.startswith(mark)]
    return str(one)


@dataclass
class Place:
    """A service with the platform's server in it, and a clock that whoever asks moves on."""

    url: str
    api: Api
    face: bool

    def judged(self, session: str) -> dict[str, Any]:
        told: dict[str, Any] = {}

        def there() -> bool:
            told.update(self.api.call("GET", f"/v1/sessions/{session}"))
            return told["verdict"] is not None and not self.told_of_lin()["unsettled_sessions"]

        assert eventually(there)
        return told

    def hours(self) -> list[dict[str, Any]]:
        return list(self.told_of_lin()["learners"][0]["class_hours"])

    def told_of_lin(self) -> dict[str, Any]:
        told: dict[str, Any] = self.api.call("GET", "/v1/classes/c1/class-hours?learner_id=lin")
        return told


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lesson passes in seconds. Asked for first: the limit is read where the service is made."""
    monkeypatch.setattr(lease_ring, "REQUESTS_A_MINUTE", 10_000)


@pytest.fixture
def opened(
    hurried: None, app: FastAPI, database: Database, county: County, clock: TestClock
) -> Callable[..., Any]:
    @contextmanager
    def opened(*, face: bool) -> Iterator[Place]:
        taken = Random(7)
        photos: dict[str, Any] = {"does": "", "n": 0}

        @app.post("/clock", include_in_schema=False)
        def pass_time(seconds: float = 0) -> dict[str, Any]:
            clock.advance(seconds=seconds)
            lease_sweep.sweep(app.state.services)
            if face:
                run_pending(app.state.services)
            return {"now_ms": clock()}

        @app.post("/camera", include_in_schema=False)
        def picture(does: str = "") -> Response:
            """Of somebody who reads what is asked, does it, and faces the camera again."""
            photos.update(does=does, n=photos["n"] + 1 if does == photos["does"] else 0)
            turned = does if 2 <= photos["n"] % 7 < 5 else ""
            photo = Photo(FACE, taken.randrange(1, 10**6), "good", does=turned or None)  # type: ignore[arg-type]
            return Response(develop(photo), media_type="image/jpeg")

        with served(app) as url:
            api = Api(UrllibClient(url), county.huang.secret)

            @app.post("/study/lease", include_in_schema=False)
            def lease(request: Request, terms: dict[str, Any] = Body()) -> Response:
                opening = {**terms, "learner_id": "lin", "class_id": "c1"}
                answer = api.client.request(
                    "POST",
                    "/v1/sessions",
                    content=json.dumps(opening).encode(),
                    headers={
                        "authorization": f"Bearer {api.key}",
                        "content-type": "application/json",
                    },
                )
                return Response(answer.content, answer.status_code, media_type="application/json")

            plan = course(lessons=[lesson("l1", FILM_S / 60, order=1)])
            api.call("PUT", f"/v1/courses/{plan.pop('course_id')}", plan)
            terms = training_class(policy_id="huangchuan-2021-graded")
            api.call("PUT", f"/v1/classes/{terms.pop('class_id')}", terms)
            lin = {**LIN, "consent": {**LIN["consent"], "face": face}}
            api.call("PUT", "/v1/classes/c1/roster", {"learners": [lin]})
            for take in range(3 if face else 0):
                shown = portrait(FACE, noise_seed=100 + take, mouth_open=0.3, light=0.9)
                path = "/v1/learners/lin/reference-photo"
                api.call("PUT", path, content=shown, content_type="image/jpeg")
            yield Place(url, api, face)

    return opened


def run(*command: str | Path) -> str:
    told = subprocess.run(
        [str(it) for it in command], capture_output=True, text=True, timeout=1_500
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def studied(place: Place, folder: Path, mark: str, markup: str, **story: Any) -> dict[str, Any]:
    """What became of a page of the guide."""
    if shutil.which("node") is None:
        lacks(NODE)
    folder.mkdir(exist_ok=True)
    shutil.copy(CLIENTS / "sitting.js", folder / "sitting.mjs")
    script, shown = block(mark), block(markup)
    if parts := re.search(r"<script>\n(.*)</script>\n(.*)", script, re.DOTALL):
        script, shown = parts.groups()  # one file has both
    page = re.sub(r'from "[^"]+/sitting\.js"', 'from "./sitting.mjs"', script)
    (folder / "page.mjs").write_text(page, "utf-8")
    (folder / "page.html").write_text(shown, "utf-8")
    told = {"film_s": FILM_S, "until_s": 4_000, **story}
    text = run("node", HERE / "mini_programme.mjs", place.url, folder, json.dumps(told))
    return dict(json.loads(text))


WECHAT = ("// pages/lesson/lesson.js", "<!-- pages/lesson/lesson.wxml -->")
UNI = ("<!-- pages/lesson/lesson.vue -->",) * 2


def studied_on_android(place: Place, folder: Path, **story: Any) -> dict[str, Any]:
    """What became of the guide's activity, on Android's names without Android."""
    if shutil.which("javac") is None or not JSON_JAR.is_file():
        lacks(JAVA)
    folder.mkdir(exist_ok=True)
    text = block("// LessonActivity.java")
    here = {
        "https://zhenxue.example": place.url,
        "https://platform.example": place.url,
        "System.currentTimeMillis()": "android.app.Runs.NOW.getAsLong()",
        "Executors.newFixedThreadPool(2)": "android.app.Runs.LINE",
    }
    for theirs, ours in here.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    (folder / "LessonActivity.java").write_text(text, "utf-8")
    sources = [CLIENTS / "ZhenxueSitting.java", folder / "LessonActivity.java"]
    sources += sorted((HERE / "phone").rglob("*.java"))
    path = f"{JSON_JAR}:{folder}"
    run("javac", "-encoding", "UTF-8", "-cp", JSON_JAR, "-d", folder, *sources)
    told = {"film_s": FILM_S, "until_s": 4_000, **story}
    return dict(json.loads(run("java", "-cp", path, "Phone", place.url, json.dumps(told))))


def fared_well_without_a_network(place: Place, told: dict[str, Any]) -> None:
    """Nothing of a minute offline is lost, and the pop-up that came was answered."""
    sitting = place.judged(told["session"])
    assert (told["popups"], told["failed"] > 2, told["kept"]) == (1, True, "")
    assert sitting["state"] == "closed"
    assert sitting["verdict"]["credited_ms"] / 1000 == pytest.approx(told["played_s"], abs=1)
    assert [it["rule"] for it in sitting["verdict"]["findings"]] == ["face_liveness"]  # no consent


@pytest.mark.parametrize("pages", [WECHAT, UNI], ids=["wechat", "uni-app"])
def test_what_a_page_hands_its_events_to_is_in_it(pages: tuple[str, str]) -> None:
    script, markup = (block(it) for it in pages)
    named = set(re.findall(r'(?:\bbind\w+|@\w+)="(\w+)', markup))
    assert len(named) >= 9
    assert [it for it in named if not re.search(rf"^ +{it}\(", script, re.MULTILINE)] == []


OUTAGE: dict[str, Any] = {"until_s": 330, "outage": {"at_s": 40, "for_s": 60}}


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("pages", [WECHAT, UNI], ids=["wechat", "uni-app"])
def test_a_mini_programme_that_lost_the_network_tells_all_in_order_and_answers_its_popup(
    opened: Callable[..., Any], tmp_path: Path, pages: tuple[str, str]
) -> None:
    with opened(face=False) as place:
        told = studied(place, tmp_path / "app", *pages, **OUTAGE)
        fared_well_without_a_network(place, told)
    assert told["seqs"] == list(range(len(told["seqs"])))


@pytest.mark.slow
@pytest.mark.thorough
def test_an_activity_that_lost_the_network_tells_all_and_answers_its_popup(
    opened: Callable[..., Any], tmp_path: Path
) -> None:
    with opened(face=False) as place:
        told = studied_on_android(place, tmp_path / "app", **OUTAGE)
        fared_well_without_a_network(place, told)


LONG_OUTAGE: dict[str, Any] = {"until_s": 2_650, "outage": {"at_s": 40, "for_s": 2_500}}


def told_all(services: Services, told: dict[str, Any]) -> None:
    """Of each sitting, the service has every event that the app noted in it; one pop-up stands for
    all that fell due."""
    assert told["popups"] == 1
    assert len(told["noted"]) == 2  # silence had ended the first
    with services.database.read() as connection:
        for session, count in told["noted"].items():
            query = select(Session.id).where(Session.external_id == session)
            events = read(connection, connection.execute(query).scalar_one()).events
            assert events["seq"].tolist() == list(range(count))


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("pages", [WECHAT, UNI], ids=["wechat", "uni-app"])
def test_a_mini_programme_whose_sitting_ended_meanwhile_tells_all_of_a_long_outage(
    opened: Callable[..., Any], services: Services, tmp_path: Path, pages: tuple[str, str]
) -> None:
    with opened(face=False) as place:
        told_all(services, studied(place, tmp_path / "app", *pages, **LONG_OUTAGE))


@pytest.mark.slow
@pytest.mark.thorough
def test_an_activity_whose_sitting_ended_meanwhile_tells_all_of_a_long_outage(
    opened: Callable[..., Any], services: Services, tmp_path: Path
) -> None:
    with opened(face=False) as place:
        told_all(services, studied_on_android(place, tmp_path / "app", **LONG_OUTAGE))


def studied_to_the_end(place: Place, told: dict[str, Any]) -> None:
    """A whole lesson, with its pop-ups, photos and face checks, makes a class-hour that counts."""
    sitting = place.judged(told["session"])
    asked = {it["control"] for it in sitting["controls"]}
    assert asked == {"popup", "snapshot", "face_check"}
    assert told["popups"] >= 9 and told["photos"] >= 17, told
    assert sitting["verdict"]["outcome"] == "valid", sitting["verdict"]["findings"]
    (hour,) = place.hours()
    assert hour["outcome"] == "valid", hour


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("pages", [WECHAT, UNI], ids=["wechat", "uni-app"])
def test_a_whole_lesson_in_a_mini_programme_makes_a_valid_class_hour(
    opened: Callable[..., Any], tmp_path: Path, pages: tuple[str, str]
) -> None:
    with opened(face=True) as place:
        studied_to_the_end(place, studied(place, tmp_path / "app", *pages))


@pytest.mark.slow
@pytest.mark.thorough
def test_a_whole_lesson_on_android_makes_a_valid_class_hour(
    opened: Callable[..., Any], tmp_path: Path
) -> None:
    with opened(face=True) as place:
        studied_to_the_end(place, studied_on_android(place, tmp_path / "app"))
