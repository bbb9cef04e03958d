"""Whatever somebody types into any field of any form or address: an answer, and no bug."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.walk.dataset import Dataset, routes

TYPED = ("9" * 5000, "9" * 18, "9999-12-31", "0001-01-01", "²\x00")
ENDS_THE_LOGIN = ("/logout", "/password", "/logins/end", "/login", "/language/")


class Forms(HTMLParser):
    """The forms of a page, and the questions that its links ask: method, address, fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.found, self._form = page, list[tuple[str, str, dict[str, str]]](), None

    _form: dict[str, str] | None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = {}
            where = urljoin(self.page, said.get("action") or self.page)
            self.found.append((said.get("method", "get").upper(), where, self._form))
        elif tag in ("input", "select", "textarea", "button") and self._form is not None:
            if said.get("name"):
                self._form.setdefault(said["name"], said.get("value", ""))
        elif tag == "a" and "?" in said.get("href", ""):
            parts = urlsplit(urljoin(self.page, said["href"]))
            self.found.append(("GET", parts.path, dict(parse_qsl(parts.query))))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


@pytest.mark.thorough
@pytest.mark.parametrize("who", ["zhao", "root", "han"])
def test_no_field_of_the_console_takes_what_makes_the_service_fall_over(
    app: FastAPI, dataset: Dataset, who: str
) -> None:
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    headers, tried, broken = dataset.headers(who), set[tuple[str, str, str]](), list[str]()
    for method, path in routes(app):
        if method != "GET" or not path.startswith("/console") or "{rest" in path:
            continue
        page = dataset.address(path)
        answer = client.get(page, headers=headers)
        if answer.status_code != 200 or "html" not in answer.headers.get("content-type", ""):
            continue
        forms = Forms(page)
        forms.feed(answer.text)
        for asked, where, fields in forms.found:
            if not where.startswith("/console") or where.endswith(ENDS_THE_LOGIN):
                continue
            for name in fields.keys() - {"csrf"}:
                if (asked, where, name) in tried:
                    continue
                tried.add((asked, where, name))
                for typed in TYPED:
                    client.cookies.clear()
                    said = {**fields, name: typed}
                    if asked == "POST":
                        answer = client.post(where, headers=headers, data=said)
                    else:
                        answer = client.get(where, headers=headers, params=said)
                    status = answer.status_code
                    if status >= 500:
                        broken.append(f"{asked} {where} {name}={typed[:12]}: {status}")
    app.state.services.database.close()
    assert len(tried) > 20
    assert broken == []


@pytest.mark.parametrize(
    ("who", "asked"),
    [
        ("root", "/console/audit?until=9999-12-31"),
        ("zhao", "/console/standing?first=9999-12-31&last=9999-12-31"),
        ("zhao", "/console/standing?first=0001-01-01&last=0001-01-02"),
        ("zhao", "/v1/classes/{class}/exports/period-report.xlsx?on=0001-01-01"),
    ],
)
def test_a_day_at_the_calendars_end_is_refused(
    walker: TestClient, dataset: Dataset, who: str, asked: str
) -> None:
    asked = asked.replace("{class}", dataset.api["class_id"])
    assert walker.get(asked, headers=dataset.headers(who)).status_code in (400, 422)


@pytest.mark.parametrize(
    ("path", "field"),
    [("/console/setups", "institution_id"), ("/console/courses", "class_hours.0")],
)
def test_a_number_that_no_machine_holds_is_refused(
    walker: TestClient, dataset: Dataset, path: str, field: str
) -> None:
    form = {"csrf": dataset.csrf["han"], field: "9" * 5000, "title.0": "课"}
    answer = walker.post(path, headers=dataset.headers("han"), data=form, follow_redirects=False)
    assert answer.status_code in (303, 422)
