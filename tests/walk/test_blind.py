"""The second reviewer's judgement is their own: nothing tells it what the first one decided.

Every page, call and export is opened by everybody who might be, or talk to, the second reviewer.
"""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, select

from app.console.audit_page import SEALED
from app.domain.accounts import users
from app.domain.judging import rulings
from app.domain.review import review
from app.services import Services
from models import Verdict
from tests.thorough import later
from tests.walk.dataset import Dataset, routes

pytestmark = pytest.mark.thorough


class Undone(Exception):
    """Ends a transaction that was only tried."""


REASON = "服务器时间与播放进度明显不符"
READERS = ("sun", "fang", "root", "han", "platform")
BASE = "/v1/classes/class-demo/exports"
DESCRIBING = ("/docs", "/openapi.json")  # whose examples decide something too


def decide(services: Services, dataset: Dataset, who: str, decision: str, reason: str) -> str:
    with services.database.write() as connection:
        return decide_in(connection, dataset, who, decision, reason)


def decide_in(
    connection: Connection, dataset: Dataset, who: str, decision: str, reason: str
) -> str:
    login = users.login_of(connection, dataset.cookies[who], dataset.now_ms)
    assert login is not None
    person = login[0].user
    decided = review.decide(connection, dataset.grave, person, decision, reason, dataset.now_ms)
    rulings.follow(connection, [dataset.grave], dataset.now_ms)
    return decided.status


@pytest.fixture
def services(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


def everything(app: FastAPI, walker: TestClient, dataset: Dataset, who: str) -> dict[str, str]:
    """Every readable answer by its address, archives unpacked."""
    headers = dataset.county.huang.headers if who == "platform" else dataset.headers(who)
    files = [f"{BASE}/{it['name']}.csv" for it in lists(walker, dataset)]
    answers = [path for method, path in routes(app) if method == "GET" and path not in DESCRIBING]
    paths = [dataset.address(path) for path in answers]
    paths += [
        *files,
        f"{BASE}/audit.zip",
        f"/console/sessions/{dataset.console['session_id']}?finding={dataset.grave}",
        f"/console/audit?subject=finding:{dataset.grave}",
        "/console/findings?status=all",
        "/console/findings?status=first_review",
    ]
    read = {}
    for path in paths:
        walker.cookies.clear()
        answer = walker.get(path, headers=headers, follow_redirects=False)
        assert answer.status_code < 500 or path in ("/readyz", "/status"), path
        read[path] = (
            unpacked(answer.content)
            if answer.headers.get("content-type") == "application/zip"
            else answer.text
        )
    return read


def lists(walker: TestClient, dataset: Dataset) -> list[dict[str, str]]:
    told = walker.get(BASE, headers=dataset.county.huang.headers).json()["exports"]
    assert len(told) > 10
    return list(told)


def unpacked(archive: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert len(opened.namelist()) > 20
        return "\n".join(opened.read(name).decode("utf-8", "replace") for name in opened.namelist())


@pytest.mark.parametrize("who", ["sun", *later("fang", "root", "platform")])
def test_nobody_reads_what_the_first_reviewer_decided_and_why_before_the_second_did(
    app: FastAPI, walker: TestClient, dataset: Dataset, services: Services, who: str
) -> None:
    assert decide(services, dataset, "zhao", "uphold", REASON) == "first_review"
    texts = everything(app, walker, dataset, who)
    log = texts[f"/console/audit?subject=finding:{dataset.grave}"]
    assert "finding.uphold" not in log and "finding.overturn" not in log
    for path, text in texts.items():
        assert REASON not in text, path
        assert "zhao本人" not in text or who in ("sun", "root"), path
        for decision in ("uphold", "overturn"):
            assert f'"decision":"{decision}"' not in text.replace(" ", ""), path


def test_the_log_is_not_asked_around_the_seal(
    walker: TestClient, dataset: Dataset, services: Services
) -> None:
    decide(services, dataset, "zhao", "overturn", REASON)
    root = dataset.headers("root")
    for action, rows in (("finding.", 1), ("finding.o", 0), ("finding.overturn", 0)):
        query = f"/console/audit?subject=finding:{dataset.grave}&action={action}"
        page = walker.get(query, headers=root).text
        assert page.count(SEALED) == rows and REASON not in page, action


def test_what_a_verdict_hides_of_the_first_decision_its_digest_hides_too(
    dataset: Dataset, services: Services
) -> None:
    def facts_after(decision: str) -> list[bytes]:
        with suppress(Undone), services.database.write() as connection:
            decide_in(connection, dataset, "zhao", decision, REASON)
            digests = list(connection.scalars(select(Verdict.facts_digest).order_by(Verdict.id)))
            raise Undone
        return digests

    assert facts_after("uphold") == facts_after("overturn")


@pytest.mark.parametrize("who", ["sun", "root"])
def test_once_both_decided_it_is_told(
    app: FastAPI, walker: TestClient, dataset: Dataset, services: Services, who: str
) -> None:
    decide(services, dataset, "zhao", "uphold", REASON)
    assert decide(services, dataset, "sun", "uphold", "同意初审意见") == "upheld"
    texts = everything(app, walker, dataset, who)
    page = f"/console/sessions/{dataset.console['session_id']}?finding={dataset.grave}"
    assert REASON in texts[page]
    assert REASON in texts[f"{BASE}/reviews.csv"]
    assert REASON in texts[f"{BASE}/audit.zip"]


def test_a_platforms_viewer_is_never_told_who_reviewed(
    app: FastAPI, walker: TestClient, dataset: Dataset, services: Services
) -> None:
    decide(services, dataset, "zhao", "uphold", REASON)
    decide(services, dataset, "sun", "uphold", "同意初审意见")
    texts = everything(app, walker, dataset, "fang")
    page = f"/console/sessions/{dataset.console['session_id']}?finding={dataset.grave}"
    assert REASON in texts[page]
    for path, text in texts.items():
        assert "zhao本人" not in text and "sun本人" not in text, path
    for kept in ("audit.zip", "inspections.csv", "inspections-online.csv"):
        assert '"people_only"' in texts[f"{BASE}/{kept}"]
