"""A clerk with a petitioner's ID card gets to their file in one step."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.accounts.finder import id_number
from app.services import Services
from models import AuditEntry
from tests.api.test_sessions import opening, post
from tests.people import GUANGSHAN, HUANGCHUAN, LIN, County, training_class
from tests.verdicts import forty, sign_in

NUMBER = str(LIN["id_number"])


class Window:
    """Huangchuan's window, and Guangshan's."""

    def __init__(self, client: TestClient, county: County) -> None:
        forty(client, county)
        self.client = client
        self.services: Services = client.app.state.services  # type: ignore[attr-defined]
        self.here = sign_in(self.services, "zhao", HUANGCHUAN)
        self.there = sign_in(self.services, "qian", GUANGSHAN)

    def find(self, text: str, who: dict[str, str] | None = None) -> tuple[str, str]:
        """Where the search ends, and its page."""
        headers = who or self.here
        form = {"q": text, "csrf": headers["x-csrf-token"]}
        answer = self.client.post(
            "/console/search", data=form, headers=headers, follow_redirects=False
        )
        while answer.status_code == 303:
            answer = self.client.get(
                answer.headers["location"], headers=headers, follow_redirects=False
            )
        return answer.url.path, answer.text

    def look_ups(self) -> list[AuditEntry]:
        with self.services.database.read() as connection:
            query = select(AuditEntry).where(AuditEntry.action == "person.looked_up")
            return list(connection.execute(query))  # type: ignore[arg-type]


@pytest.fixture
def window(client: TestClient, county: County) -> Window:
    return Window(client, county)


@pytest.mark.parametrize("typed", [NUMBER, f" {NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]} "])
def test_an_id_number_leads_straight_to_the_learner(window: Window, typed: str) -> None:
    path, page = window.find(typed)
    assert "/learners/" in path and str(LIN["name"]) in page


def test_who_was_in_several_classes_is_found_at_home_over_all_of_them(
    window: Window, county: County
) -> None:
    assessed = {"planned_on": "2026-08-20", "applied_on": "2026-08-10", "mode": "offline"}
    later = training_class("c2", starts_on="2026-06-01", ends_on="2026-07-05", assessment=assessed)
    for path, body in (
        ("/v1/classes/c2", later),
        ("/v1/classes/c2/roster", {"learners": [LIN]}),
    ):
        answer = window.client.put(path, json=body, headers=county.huang.headers)
        assert answer.is_success, answer.text
    for typed in (NUMBER, str(LIN["name"])):
        path, page = window.find(typed)
        assert path.startswith("/console/people/") and page.count("/learners/") == 2


def test_a_telephone_leads_to_the_institution_and_never_to_a_learner(window: Window) -> None:
    assert "不保存学员的电话号码" in window.find("13000000000")[1]


def test_the_look_up_is_on_record_without_the_number(window: Window) -> None:
    window.find(NUMBER)
    (entry,) = window.look_ups()
    assert entry.actor == "user:zhao" and NUMBER not in str(entry)


def test_another_county_finds_nobody_and_that_is_on_record_too(window: Window) -> None:
    path, page = window.find(NUMBER, window.there)
    assert path == "/console/search" and "没有找到这个证件号码" in page
    assert str(LIN["name"]) not in page and len(window.look_ups()) == 1


def test_an_id_number_in_an_address_is_not_looked_up(window: Window) -> None:
    page = window.client.get(f"/console/search?q={NUMBER}", headers=window.here).text
    assert str(LIN["name"]) not in page and window.look_ups() == []


@pytest.mark.parametrize(
    ("typed", "leads"),
    [
        (str(LIN["name"]), "/learners/"),
        (NUMBER[-4:], "/learners/"),
        ("c1", "/console/classes/"),
        ("HC2026-001", "/console/classes/"),
    ],
)
def test_one_hit_leads_straight_there(window: Window, typed: str, leads: str) -> None:
    assert leads in window.find(typed)[0]


def test_the_id_of_a_sitting_leads_to_it_where_one_may_see_its_class(
    window: Window, county: County
) -> None:
    terms = training_class(ends_on="2099-12-31")
    longer = window.client.put("/v1/classes/c1", json=terms, headers=county.huang.headers)
    assert longer.status_code == 200, longer.text
    answer = post(window.client, county, opening(session_id="s-2026/17"))
    assert answer.status_code == 201, answer.text
    assert window.find("s-2026/17")[0] == "/console/sessions/1"
    assert "没有找到" in window.find("s-2026/17", window.there)[1]


def test_what_is_not_there_is_said_and_nothing_typed_is_everything_explained(
    window: Window,
) -> None:
    assert "没有找到" in window.find("无此人")[1]
    assert "要找谁，找什么" in window.find("  ")[1]


@pytest.mark.parametrize("typed", ["c1", "0318", "1234567890", "林小兰"])
def test_what_is_no_id_number_is_not_taken_for_one(typed: str) -> None:
    assert id_number(typed) is None
