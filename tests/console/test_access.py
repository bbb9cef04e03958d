"""Who sees what: roles, counties, tokens of forms, and what strangers may not learn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.requests import Request

from tests.console.conftest import Desk
from tests.console.county import HOSTILE

PAGES = ("/console", "/console/findings", "/console/classes", "/console/packs")
ADMIN_PAGES = ("/console/users", "/console/audit")


@pytest.mark.parametrize("username", ["zhao", "sun", "qian", "feng", "root"])
def test_every_role_opens_its_pages(desk: Desk, username: str) -> None:
    desk.sign_in(username)
    for page in PAGES:
        desk.get(page)
    expected = 200 if username == "root" else 403
    for page in ADMIN_PAGES:
        assert desk.client.get(page).status_code == expected


def inside(desk: Desk, sitting: str) -> list[str]:
    session_id = desk.county.sessions[sitting]
    told = desk.county.timelines[session_id].session
    klass = desk.county.classes[told.klass]
    learner = desk.county.learners[told.learner]
    finding = next(it.id for it in desk.county.timelines[session_id].findings)
    return [
        f"/console/sessions/{session_id}",
        f"/console/sessions/{session_id}/events",
        f"/console/classes/{klass}",
        f"/console/classes/{klass}/learners/{learner}",
        f"/console/findings/{finding}",
    ]


@pytest.mark.parametrize(
    ("username", "own", "foreign"),
    [("zhao", "fast", "far"), ("qian", "far", "fast"), ("feng", "fast", "far")],
)
def test_other_counties_and_platforms_do_not_exist(
    desk: Desk, username: str, own: str, foreign: str
) -> None:
    desk.sign_in(username)
    for path in inside(desk, own):
        assert desk.client.get(path).status_code == 200, path
    for path in inside(desk, foreign):
        assert desk.client.get(path).status_code == 404, path


def test_lists_keep_to_the_county(desk: Desk) -> None:
    desk.sign_in("qian")
    for page in ("/console/findings?status=all", "/console/classes", "/console"):
        text = desk.get(page)
        assert "HC-2026" not in text and "吴强" not in text
    assert "GS-2026-003" in desk.get("/console/classes")


def test_a_learner_is_not_shown_under_another_class(desk: Desk) -> None:
    desk.sign_in("root")
    klass, learner = desk.county.classes["GS-2026-003"], desk.county.learners["吴强"]
    assert desk.client.get(f"/console/classes/{klass}/learners/{learner}").status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "x", "1e3"])
def test_numbers_that_are_none_answer_not_found(desk: Desk, number: str) -> None:
    desk.sign_in("zhao")
    for kind in ("sessions", "findings", "classes", "photos", "photo-accesses"):
        suffix = ".jpg" if kind == "photo-accesses" else ""
        assert desk.client.get(f"/console/{kind}/{number}{suffix}").status_code == 404


@pytest.mark.parametrize(
    "query", ["after=9-x", "class=abc", "age=x", "order=x", "status=x", "q=%01", "platform=-1"]
)
def test_strange_filters_do_no_harm(desk: Desk, query: str) -> None:
    desk.sign_in("zhao").get(f"/console/findings?{query}")


@pytest.mark.parametrize(
    "path", ["/console/findings?rule=%00", "/console/classes?q=a%00", "/console/audit?actor=%00"]
)
def test_a_nul_is_refused_before_a_database_meets_it(desk: Desk, path: str) -> None:
    desk.sign_in("root")
    assert desk.client.get(path).status_code == 422
    assert desk.client.get("/console/platforms/a%00").status_code == 404
    form = {"csrf": desk.csrf("/console"), "name": "a\0b"}
    assert desk.client.post("/console/findings/views", data=form).status_code == 422
    several = {name: (None, value) for name, value in form.items()}
    assert desk.client.post("/console/findings/views", files=several).status_code == 422


def test_no_form_works_without_its_token(desk: Desk) -> None:
    desk.sign_in("root")
    for path in ("/console/users", "/console/logout", "/console/users/zhao/disable"):
        assert desk.client.post(path, data={"csrf": "forged"}).status_code == 403
    desk.client.cookies.clear()
    desk.sign_in("zhao")
    finding = desk.county.findings["fast:fast_forward"]
    form = {"decision": "uphold", "reason": "理由充分", "csrf": ""}
    assert desk.client.post(f"/console/findings/{finding}/decision", data=form).status_code == 403


def test_one_persons_token_does_not_work_for_another(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    desk.sign_in("zhao")
    other = new_desk().sign_in("sun")
    finding = desk.county.findings["fast:fast_forward"]
    form = {"decision": "uphold", "reason": "理由充分", "csrf": other.csrf("/console")}
    assert desk.client.post(f"/console/findings/{finding}/decision", data=form).status_code == 403


def test_a_hostile_name_is_only_a_name(desk: Desk) -> None:
    desk.sign_in("zhao")
    for path in (*inside(desk, "gap"), "/console/findings"):
        text = desk.get(path)
        assert HOSTILE not in text
    assert "&lt;script&gt;" in text


def test_pages_forbid_scripts_from_elsewhere(desk: Desk) -> None:
    answer = desk.sign_in("zhao").client.get("/console")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"


def test_an_unknown_page_is_a_page_too(desk: Desk) -> None:
    answer = desk.sign_in("zhao").client.get("/console/nowhere/at/all")
    assert answer.status_code == 404 and "没有找到" in answer.text


def test_nobodys_files_are_not_laid_on_the_disk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(_self: Request, **_how: object) -> None:
        raise AssertionError("it was looked at")

    monkeypatch.setattr(Request, "form", look)
    for page in ("classes/1/photos", "classes/1/tables", "cases/1/notes", "requests/1"):
        files = {"file": ("a.jpg", b"x" * 100_000)}
        answer = desk.client.post(f"/console/{page}", files=files, follow_redirects=False)
        assert answer.status_code == 303 and "/console/login" in answer.headers["location"]
