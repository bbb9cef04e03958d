"""Whatever people decided so far, every place says the same of each sitting, class-hour, person."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select

from app.console import labels
from app.domain.accounts import users
from app.domain.judging import rulings
from app.domain.review import review
from app.reports import package
from app.reports.container import unpack
from app.reports.exports import ExportOptions
from app.services import Services
from app.store.catalogue.catalogue import ClassRow
from app.store.scope import EVERYTHING
from models import Enrolment, Finding, Learner, Session, Webhook, WebhookDelivery
from tests.people import HUANGCHUAN, County, TestClock
from tests.verdicts import links_of, sign_in

Stands = dict[Any, str]
WORDS = {
    str(it.text): code
    for book in (labels.VERDICTS, labels.HOURS, labels.ENROLMENTS)
    for code, it in book.items()
}
LISTS = {"admitted": "eligible", "refused": "ineligible", "pending": "pending"}
UNDECIDED = ("open", "first_review")
CHOICES = ("uphold", "overturn", "", "")


def badge(html: str) -> str:
    """The first badge's code."""
    found = re.search(r'class="badge [^"]*">(?:<svg.*?</svg>)?([^<]+)<', html, re.S)
    assert found is not None, html[:300]
    return WORDS[found[1].strip()]


class Places:
    """Where the judged class is spoken of, and what each place says; people by account."""

    def __init__(
        self, client: TestClient, klass: ClassRow, county: County, clock: TestClock
    ) -> None:
        self.client, self.klass, self.clock, self.county = client, klass, clock, county
        self.services: Services = client.app.state.services  # type: ignore[attr-defined]
        self.seen: dict[str, str] = {}  # pages, since people last decided
        self.head = sign_in(self.services, "zhao", HUANGCHUAN)
        sign_in(self.services, "sun", HUANGCHUAN)
        of_class = Enrolment.class_id == klass.id
        with self.services.database.write() as connection:
            self.deciders = [users.named(connection, it) for it in ("zhao", "sun")]
            roster = select(Learner.external_id, Learner.id, Learner.person_id)
            rows = connection.execute(
                roster.join(Enrolment, Enrolment.learner_id == Learner.id).where(of_class)
            ).all()
            self.ids = {it.external_id: it.id for it in rows}
            self.persons = {it.external_id: it.person_id for it in rows}
            known = select(Session.external_id, Session.id, Session.learner_id)
            self.sittings = {
                it.external_id: it
                for it in connection.execute(known.where(Session.class_id == klass.id))
            }
            self.links = links_of(connection, self.services, klass.id, self.ids, clock())
            listening = {
                "platform_id": klass.platform_id,
                "url": "https://somebody.example/x",
                "events": ["session.verdict"],
                "secret_encrypted": b"",
                "created_ms": 0,
            }
            connection.execute(insert(Webhook).values(listening))

    def decide(self, choose: Callable[[], str]) -> None:
        """People decide on every finding that waits: `uphold`, `overturn`, or leave it."""
        self.seen.clear()
        with self.services.database.read() as connection:
            waiting = connection.execute(
                select(Finding.id).where(
                    Finding.class_id == self.klass.id,
                    Finding.shadow.is_(False),
                    Finding.status.in_(UNDECIDED),
                )
            ).scalars()
            ids = list(waiting)
        for finding_id in ids:
            decision = choose()
            for user in self.deciders if decision else ():
                with self.services.database.write() as connection:
                    result = review.decide(
                        connection, finding_id, user, decision, "已核对回放与照片", self.clock()
                    )
                    rulings.follow(connection, [finding_id], self.clock())
                if result.settled:
                    break

    def statuses(self) -> dict[str, str]:
        with self.services.database.read() as connection:
            rows = connection.execute(
                select(Finding.key, Finding.status).where(Finding.class_id == self.klass.id)
            )
            return {it.key: it.status for it in rows}

    # ------------------------------------------------------------------------------ what is said

    def hours(self) -> dict[str, Stands]:
        """By place, how each (learner, class-hour) stands."""
        answer = self._api("/v1/classes/class-demo/class-hours")
        told: dict[str, Stands] = {"matrix": {}, "learner": {}, "own": {}, "hour page": {}}
        told["api"] = {
            (it["learner_id"], hour["class_hour"]): hour["standing"]
            for it in answer["learners"]
            for hour in it["class_hours"]
        }
        matrix, cell = (
            self._page(""),
            r'class="hour (\w+)[^"]*"[^>]*href="[^"]*/learners/{}/hours/{}"',
        )
        for name, number in told["api"]:
            at = self.ids[name]
            wanted = cell.format(at, number)
            page = self._page(f"/learners/{at}")
            told["matrix"][name, number] = re.findall(wanted, matrix)[0]
            told["learner"][name, number] = re.findall(wanted, page)[0]
            hour = self._page(f"/learners/{at}/hours/{number}")
            told["hour page"][name, number] = badge(hour.partition('id="class-hour"')[2])
            own = self._get(self.links[name])
            said = re.findall(r'<li class="hour (\w+)"><small>(\d+)</small>', own)
            told["own"] |= {(name, int(n)): code for code, n in said}
        told["csv"] = {
            (row["学员编号"], int(row["课时序号"])): WORDS[row["结论"]]
            for row in self._csv("hours-detail")
        }
        return told

    def on_the_list_of_lost_hours(self) -> set[tuple[str, int]]:
        return {(row["姓名"], int(row["课时序号"])) for row in self._csv("invalid-hours")}

    def studied(self) -> dict[str, Stands]:
        """By place, how each sitting stands."""
        told: dict[str, Stands] = {"api": {}, "timeline": {}, "page": {}, "list": {}}
        for name, it in self.sittings.items():
            told["api"][name] = self._api(f"/v1/sessions/{name}")["verdict"]["standing"]
            timeline = self._api(f"/v1/sessions/{name}/timeline")
            told["timeline"][name] = timeline["session"]["standing"]
            page = self._get(f"/console/sessions/{it.id}")
            told["page"][name] = badge(page.partition('<div class="evidence">')[0])
            rows = self._page(f"/learners/{it.learner_id}").partition("学习记录")[2]
            row = re.search(rf'/console/sessions/{it.id}".*?</tr>', rows, re.S)
            assert row is not None
            told["list"][name] = badge(row[0])
        return told

    def told_of(self) -> Stands:
        """The last message on each sitting."""
        with self.services.database.read() as connection:
            sent = connection.execute(select(WebhookDelivery.payload).order_by(WebhookDelivery.id))
            data = [it["data"] for it in sent.scalars()]
        return {it["session_id"]: it["standing"] for it in data}

    def people(self) -> dict[str, Stands]:
        """By place, how each person stands."""
        answer = self._api("/v1/classes/class-demo/eligibility")
        told: dict[str, Stands] = {"matrix": {}, "learner": {}, "person": {}}
        told["api"] = {it["learner_id"]: it["outcome"] for it in answer["learners"]}
        matrix = self._page("")
        for name, at in self.ids.items():
            row = re.search(rf'learners/{at}" title=.*?</tr>', matrix, re.S)
            assert row is not None
            told["matrix"][name] = badge(row[0])
            told["learner"][name] = badge(self._page(f"/learners/{at}"))
            person = self._get(f"/console/people/{self.persons[name]}")
            told["person"][name] = badge(person.partition("参加的培训")[2])
        told["lists"] = {
            row["学员编号"]: code for it, code in LISTS.items() for row in self._csv(it)
        }
        told["summary"] = {
            row["学员编号"]: WORDS[row["考核资格"]] for row in self._csv("hours-summary")
        }
        return told

    def packed(self) -> tuple[Stands, Stands]:
        """Sittings and class-hours by the audit package."""
        taken = package.export(
            self.services, self.klass, ExportOptions("test", named=True), EVERYTHING
        )
        members = unpack(taken.file.data)
        index = json.loads(members["verdicts/index.json"])
        names = {it.id: name for name, it in self.sittings.items()}
        sittings = {
            names[it["subject_id"]]: it["standing"] for it in index["session"] if it["current"]
        }
        hours = {
            (row["学员编号"], int(row["课时序号"])): WORDS[row["结论"]]
            for row in _table(members["lists/hours-detail.csv"])
        }
        return sittings, hours

    def _api(self, path: str) -> Any:
        return self.client.get(path, headers=self.county.huang.headers).json()

    def _page(self, path: str) -> str:
        return self._get(f"/console/classes/{self.klass.id}{path}")

    def _get(self, path: str) -> str:
        if path not in self.seen:
            self.seen[path] = self._fetched(path)
        return self.seen[path]

    def _fetched(self, path: str) -> str:
        answer = self.client.get(path, headers=self.head)
        assert answer.status_code == 200, (path, answer.text[:500])
        return answer.text

    def _csv(self, name: str) -> list[dict[str, str]]:
        url = f"/v1/classes/class-demo/exports/{name}.csv"
        answer = self.client.get(url, headers=self.county.huang.headers)
        assert answer.status_code == 200, answer.text
        return _table(answer.content)


def _table(data: bytes) -> list[dict[str, str]]:
    """The rows of a list, which begin under its widest line."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    head = max(range(len(rows)), key=lambda at: len([it for it in rows[at] if it]))
    wide = [it for it in rows[head + 1 :] if len(it) == len(rows[head])]
    return [dict(zip(rows[head], it, strict=True)) for it in wide]


@pytest.fixture
def places(client: TestClient, klass: ClassRow, county: County, clock: TestClock) -> Places:
    return Places(client, klass, county, clock)


def agreed(told: dict[str, Stands]) -> Stands:
    """What all places say."""
    first = told["api"]
    for place, it in told.items():
        assert it == first, f"{place} says {dict(it.items() - first.items())}"
    return first


THOROUGH = pytest.mark.thorough


@pytest.mark.parametrize(
    "decided",
    [
        "open",
        "mixed",
        pytest.param("upheld", marks=THOROUGH),
        pytest.param("dismissed", marks=THOROUGH),
    ],
)
def test_every_place_says_the_same_of_a_class(places: Places, decided: str) -> None:
    chance = random.Random(decided)
    always = {"open": "", "upheld": "uphold", "dismissed": "overturn"}
    places.decide(lambda: always[decided] if decided in always else chance.choice(CHOICES))
    hours, sittings = agreed(places.hours()), agreed(places.studied())
    people = agreed(places.people())
    assert places.packed() == (sittings, hours)
    told_of = places.told_of()
    assert told_of.items() <= sittings.items()
    statuses = set(places.statuses().values())
    if decided == "open":
        assert "invalid" not in {*hours.values(), *sittings.values()}
        assert not places.on_the_list_of_lost_hours()
    if decided in ("open", "mixed"):
        assert "pending_review" in hours.values() and "pending" in people.values()
    if decided == "upheld":
        assert not statuses & set(UNDECIDED) and "invalid" in hours.values() and told_of
        assert len(places.on_the_list_of_lost_hours()) > 1
    if decided == "dismissed":
        assert not {"invalid", "pending_review"} & {*hours.values(), *sittings.values()}
