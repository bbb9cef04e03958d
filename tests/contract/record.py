"""A request and an answer of every operation, for the examples of the OpenAPI document.

`python -m tests.contract.record` writes app/api/examples.json and app/api/request_examples.json: a
judged class with a cheat in it, one sitting from its opening to its end, and whatever else a
platform and an auditor ask for. Run it when an answer or a body has changed;
tests/contract/test_document.py says when that is.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from app.db import Database
from app.domain.accounts import platforms, refused_requests, users
from app.domain.accounts.refused_requests import Occurrences, Reason, Told
from app.domain.review import sign_off
from app.domain.review.sign_off import Submission
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.store import schema
from tests.described import DescribedClient, operation_of
from tests.evidence import ndjson, picture
from tests.people import LIN, WU, County, TestClock, course, instant, training_class
from tests.walk.dataset import PASSWORD, Dataset, found

DATES: dict[str, Any] = {
    "starts_on": "2026-11-02",
    "ends_on": "2026-12-06",
    "assessment": {"planned_on": "2026-12-20", "applied_on": "2026-12-08", "mode": "offline"},
}
API = Path(__file__).parents[2] / "app" / "api"
MOST_ITEMS = 2  # of a list that is shown
MOST_TEXT = 600
SECRETS = {"key": "zx_told-once", "secret": "whsec_told-once", "token": "zl_of-this-sitting"}
ROWS = {
    "offline-attendance": {"learner_id": "lin", "held_on": "2026-11-20", "hours": 8},
    "leave": {
        "learner_id": "lin",
        "from_on": "2026-11-10",
        "to_on": "2026-11-11",
        "written": True,
        "approved": True,
    },
    "satisfaction": {"answered": 2, "satisfied": 2, "surveyed_on": "2026-11-12"},
    "assessments": {"learner_id": "lin", "held_on": "2026-12-20", "passed": True},
    "history": {"learner_id": "lin", "occupation": "家政服务员", "started_on": "2024-06-01"},
    "recordings": {
        "file": "1120-theory.mp4",
        "held_on": "2026-11-20",
        "practical": False,
        "class_hours": "1-4",
        "minutes": 165.0,
        "stored_at": "示例平台 /2026/c1",
        "sha256": "ab" * 32,
    },
}


class Recorder(DescribedClient):
    """Keeps the first good answer of every operation, shortened, and what it answers."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(app)
        self.examples: dict[str, Any] = {}
        self.bodies: dict[str, Any] = {}

    def request(self, method: str, url: Any, **options: Any) -> Any:
        answer = super().request(method, url, **options)
        operation = operation_of(method, answer.request.url.path)
        if answer.status_code not in (200, 201, 202, 204) or operation is None:
            return answer
        if answer.request.headers.get("content-type") == "application/json":
            self.bodies.setdefault(operation["operationId"], json.loads(answer.request.content))
        if answer.status_code == 204:
            return answer
        kind = answer.headers["content-type"].partition(";")[0]
        name = operation["operationId"]
        if kind == "application/json":
            self.examples.setdefault(name, shortened(answer.json()))
        elif kind.startswith("text/"):
            self.examples.setdefault(name, answer.text[:MOST_TEXT].rpartition("\n")[0] + "\n")
        return answer


def shortened(value: Any, name: str = "") -> Any:
    """Lists to their first items, secrets to what is plainly none."""
    if isinstance(value, dict):
        return {key: shortened(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        whole = value and not isinstance(value[0], dict | list)
        return [shortened(inner) for inner in (value if whole else value[:MOST_ITEMS])]
    if name == "url" and isinstance(value, str) and "token=" in value:
        return value.partition("token=")[0] + "token=ze-of-this-link"
    return SECRETS[name] if name in SECRETS and isinstance(value, str) else value


class Story:
    """What a platform, Huangchuan's, and Zhao the auditor do."""

    def __init__(self, client: Recorder, dataset: Dataset, services: Services) -> None:
        self.client, self.dataset, self.services = client, dataset, services
        self.headers = dataset.county.huang.headers

    def ask(self, method: str, path: str, **options: Any) -> Any:
        self.client.cookies.clear()
        headers = {**self.headers, **options.pop("headers", {})}
        answer = self.client.request(method, path, headers=headers, **options)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else {}

    def by(self, who: str, method: str, path: str, **options: Any) -> Any:
        self.client.cookies.clear()
        headers = self.dataset.headers(who) | {"x-csrf-token": self.dataset.csrf[who]}
        answer = self.client.request(method, path, headers=headers, **options)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json()

    def all(self) -> None:
        self.class_is_set_up()
        self.sitting()
        self.statements()
        self.own_controls()
        self.people()
        self.institutions_are_kept()
        self.keys_and_webhooks()
        self.sandbox_is_tried()
        self.statements_are_mapped()
        self.reads()

    def class_is_set_up(self) -> None:
        self.ask("PUT", "/v1/courses/sewing", json=course())
        self.ask("PUT", "/v1/classes/c1", json=training_class(**DATES))
        agreed = LIN["consent"] | {"at": instant("2026-02-20 10:00")}
        wrong = {"id_number": "000000198103180030"}  # its check digit
        rows = [it | {"consent": agreed} for it in (LIN, WU | wrong)]
        self.ask("PUT", "/v1/classes/c1/roster", json={"learners": rows})
        self.ask("POST", "/v1/classes/c1/learners/lin/link")
        table = "姓名,证件号码\n张　三,000000198002020010\n王五,000000198002020011\n".encode()
        self.ask("POST", "/v1/classes/c1/tables/roster", content=table, params={"preview": "true"})
        for name, row in ROWS.items():
            self.ask("POST", f"/v1/classes/c1/{name}", json={"items": [row]})
        photo = portrait(PORTRAIT_SEEDS[0], noise_seed=1)
        jpeg = {"content-type": "image/jpeg"}
        self.ask("POST", "/v1/learners/lin/enrolment")
        straight = {"step": "straight"}
        photo_path = "/v1/learners/lin/reference-photo"
        self.ask("PUT", photo_path, content=photo, headers=jpeg, params=straight)
        self.ask("GET", "/v1/learners/lin/enrolment")
        self.ask("GET", "/v1/classes/c1/stages")
        records = [{"kind": "course", **course("tailoring")}, {"kind": "roster", "class_id": "c1"}]
        self.ask("POST", "/v1/imports", content=ndjson(records))

    def sandbox_is_tried(self) -> None:
        self.ask("PUT", "/v1/classes/try", json=training_class("try", sandbox=True, **DATES))
        self.ask("POST", "/v1/classes/try/clock", json={"advance_s": 300})

    def sitting(self) -> None:
        opening = {
            "session_id": "s1",
            "learner_id": "lin",
            "class_id": "c1",
            "lesson_id": "l1",
            "device_id": "phone",
            "window_id": "w1",
        }
        self.ask("POST", "/v1/sessions", json=opening)
        now_ms = self.services.clock()
        play = {"seq": 0, "type": "play", "at_ms": now_ms, "position": 0.0}
        self.ask("POST", "/v1/sessions/s1/events", json={"sent_at_ms": now_ms, "events": [play]})
        beat = {"seq": 1, "type": "pause", "at_ms": now_ms, "position": 0.0, "session_id": "s1"}
        lost = beat | {"session_id": "unknown"}
        self.ask("POST", "/v1/events", json={"sent_at_ms": now_ms, "events": [beat, lost]})
        self.ask(
            "PUT",
            "/v1/sessions/s1/snapshots/p1",
            params={"purpose": "start", "taken_at_ms": now_ms},
            content=portrait(PORTRAIT_SEEDS[0], noise_seed=2),
            headers={"content-type": "image/jpeg"},
        )
        self.ask("POST", "/v1/sessions/s1/close", json={"reason": "ended"})

    def own_controls(self) -> None:
        terms = DATES | {"course_ids": ["selling"], "controls": "platform"}
        self.ask("PUT", "/v1/courses/selling", json=course("selling"))
        self.ask("PUT", "/v1/classes/c2", json=training_class("c2", **terms))
        self.ask("PUT", "/v1/classes/c2/roster", json={"learners": [LIN]})
        opening = {
            "session_id": "s2",
            "learner_id": "lin",
            "class_id": "c2",
            "lesson_id": "l1",
            "device_id": "phone",
            "window_id": "w1",
        }
        self.ask("POST", "/v1/sessions", json=opening)
        popup = {"control": "popup", "challenge_id": "p1", "issued_at_ms": self.services.clock()}
        self.ask("POST", "/v1/sessions/s2/controls", json={"controls": [popup]})

    def statements(self) -> None:
        version = {"x-experience-api-version": "1.0.3"}
        statement: dict[str, Any] = {
            "actor": {"account": {"homePage": "https://huang.example", "name": "lin"}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/initialized"},
            "object": {"id": "https://huang.example/lessons/l1"},
        }
        self.ask("POST", "/xAPI/statements", json=statement, headers=version)
        own = {"statementId": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"}
        self.ask("PUT", "/xAPI/statements", params=own, json=statement, headers=version)
        self.ask("GET", "/xAPI/statements", headers=version)
        self.ask("GET", "/xAPI/about")
        place = {"activityId": statement["object"]["id"], "agent": json.dumps(statement["actor"])}
        for path, names in (
            ("activities/state", ("activityId", "agent", "stateId")),
            ("activities/profile", ("activityId", "profileId")),
            ("agents/profile", ("agent", "profileId")),
        ):
            asked = {name: place.get(name, "bookmark") for name in names}
            self.ask("POST", f"/xAPI/{path}", params=asked, json={"at": 12}, headers=version)
            known = self.client.request(
                "GET", f"/xAPI/{path}", params=asked, headers={**self.headers, **version}
            )
            same = {**version, "if-match": known.headers["etag"]}
            self.ask("PUT", f"/xAPI/{path}", params=asked, json={"at": 24}, headers=same)
            self.ask("GET", f"/xAPI/{path}", params=asked, headers=version)
        for path, name in (("activities", "activityId"), ("agents", "agent")):
            self.ask("GET", f"/xAPI/{path}", params={name: place[name]}, headers=version)

    def people(self) -> None:
        path = "/v1/classes/class-demo/acts"
        wanted = {
            "kind": "lesson_length",
            "body": {"lesson_id": "lesson-01", "media_seconds": 2700.0},
            "reason": "片长以实际为准",
        }
        recorded = self.ask("POST", path, json=wanted)
        self.by("zhao", "POST", f"/v1/acts/{recorded['id']}/approval")
        reason = {"reason": "登记有误，另行登记"}
        self.by("zhao", "POST", f"/v1/acts/{recorded['id']}/revocation", json=reason)
        finding = f"/v1/findings/{self.dataset.grave}"
        self.ask("POST", f"{finding}/appeals", json={"statement": "当天网络中断，并未快进"})
        ruling = {"decision": "uphold", "reason": "已核对服务器记录与播放进度"}
        self.by("zhao", "POST", f"{finding}/reviews", json=ruling)
        self.by("sun", "GET", finding)
        case = f"/v1/cases/{self.dataset.api['case_id']}"
        self.by("sun", "POST", f"{case}/reviews", json=ruling)
        self.by("sun", "POST", f"{case}/undo")
        self.by("sun", "POST", f"{case}/reviews", json=ruling)
        mended = {"findings": [self.dataset.grave], "reason": "看错了一段，另行核对"}
        self.by("sun", "POST", f"{case}/corrections", json=mended)
        self.ask("GET", "/v1/requests")
        there = f"/v1/requests/{self.dataset.api['request_id']}"
        self.ask("GET", there)
        log = {"name": "日志.png", "content": base64.b64encode(picture(0)).decode()}
        self.ask("POST", f"{there}/answer", json={"answer": "日志见附件。", "files": [log]})
        self.lists_are_submitted()

    def institutions_are_kept(self) -> None:
        self.by("root", "PUT", "/v1/counties/商城县示例", json={"code": "411524"})
        terms = {"code": "52411526MJ00000016", "name": "示例技工学校", "listed_from": "2026-01-01"}
        county = {"county": self.dataset.api["county"]}
        made = self.by("zhao", "POST", "/v1/institutions", json=terms | county)
        there = f"/v1/institutions/{made['institution_id']}"
        changed = terms | {"listed_until": "2028-12-31", "reason": "目录清单续期"}
        self.by("zhao", "PUT", there, json=changed)
        review = {"passed": True, "document": "潢人社〔2026〕9号"}
        self.by("zhao", "PUT", f"{there}/reviews/2026", json=review)
        teacher = {"name": "沈教员", "occupation": "育婴员", "from_on": "2026-01-01"}
        filed = {"teachers": [teacher], "reason": "机构报备"}
        self.by("zhao", "PUT", f"{there}/teachers", json=filed)
        off = {"withdrawn_on": "2026-11-20", "reason": "办学许可到期未续"}
        self.by("zhao", "POST", f"{there}/withdrawal", json=off)
        self.by("zhao", "POST", f"{there}/relisting", json={"reason": "许可已续，恢复列入"})

    def lists_are_submitted(self) -> None:
        made = Submission("0" * 64, {"eligible": 1, "ineligible": 0, "pending": 1}, b"[]")
        with self.services.database.write() as connection:
            zhao = users.check_password(connection, "zhao", PASSWORD)
            assert zhao is not None
            vault, class_id = self.services.vault, int(self.dataset.console["class_id"])
            now_ms = self.services.clock()
            sign_off.submit(connection, vault, class_id, zhao, made, "", now_ms)

    def keys_and_webhooks(self) -> None:
        made = self.ask("POST", "/v1/keys", json={"label": "回传服务", "scopes": ["ingest"]})
        self.ask("POST", f"/v1/keys/{made['key_id']}/rotate", json={"overlap_s": 3600})
        wanted = {"url": "https://huang.example/hook", "events": ["session.verdict"]}
        self.ask("POST", "/v1/webhooks", json=wanted)
        there = f"/v1/webhooks/{self.dataset.api['webhook_id']}/deliveries"
        self.ask("POST", f"{there}/{self.dataset.api['delivery_id']}/redeliver")
        self.ask("GET", there)
        self.ask("POST", f"/v1/webhooks/{self.dataset.api['webhook_id']}/test")
        self.ask("POST", f"/v1/webhooks/{self.dataset.api['webhook_id']}/rotate")
        heard = self.ask("POST", "/v1/webhooks", json=wanted | {"url": "listen:"})
        self.ask("POST", f"/v1/webhooks/{heard['webhook_id']}/test")
        self.ask("POST", f"/v1/webhooks/{heard['webhook_id']}/messages", json={})
        why = Reason("GET", "/v1/classes/{class_id}", 404, "unknown_class", "")
        once = Occurrences(1, self.services.clock(), "there is no class …", "order-2026-000001")
        with self.services.database.write() as connection:
            mine = platforms.platform_of(connection, "huang-edu").id
            refused_requests.enter(connection, [Told(mine, made["key_id"], why, once)])

    def statements_are_mapped(self) -> None:
        lesson = {"shape": "https://huang.example/lessons/{id}"}
        self.ask("PUT", "/v1/statement-mapping", json={"lesson": lesson})
        said = {
            "actor": {"account": {"homePage": "https://huang.example", "name": "learner-9"}},
            "verb": {"id": "https://w3id.org/xapi/video/verbs/played"},
            "object": {"id": "https://huang.example/lessons/lesson-01"},
            "result": {"extensions": {"https://w3id.org/xapi/video/extensions/time": 0}},
        }
        self.ask("POST", "/v1/statement-mapping/try", json={"statements": [said]})
        self.ask("GET", "/v1/statement-mapping")
        self.ask("DELETE", "/v1/statement-mapping")

    def reads(self) -> None:
        self.ask("POST", "/v1/classes/class-demo/validate")
        for path, operations in self.client.document["paths"].items():
            name = operations.get("get", {}).get("operationId")
            if name is not None and name not in self.client.examples:
                self.ask("GET", self.dataset.address(path))


def recorded(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Answers and bodies by operation id, made in an empty folder."""
    database = Database(f"sqlite:///{folder / 'zhenxue.sqlite'}")
    schema.upgrade(database)
    database.close()
    clock = TestClock()
    clock.now_ms = instant("2026-11-16 09:00")
    settings = Settings(
        database_url=f"sqlite:///{folder / 'zhenxue.sqlite'}",
        data_dir=folder,
        face_workers=0,
        public_url="https://zhenxue.example",
    )
    app = create_app(settings, clock)
    services: Services = app.state.services
    county = County.found(services.database, clock)
    dataset = found(services, county, folder)
    with Recorder(app) as client:
        Story(client, dataset, services).all()
        services.database.close()
        return dict(sorted(client.examples.items())), dict(sorted(client.bodies.items()))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        answers, bodies = recorded(Path(folder))
    for name, examples in (("examples", answers), ("request_examples", bodies)):
        text = json.dumps(examples, ensure_ascii=False, indent=1)
        (API / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}: {len(examples)}, {len(text)} characters")


if __name__ == "__main__":
    main()
