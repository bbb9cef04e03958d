"""Who gets to which page and form of the console, tried on every route that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.faces import retention
from models import TrainingClass
from tests.people import course, training_class
from tests.walk.dataset import Dataset, routes, send

OPEN, PEOPLE, AUTHORITY, BUREAU, DECIDERS, AUDITORS, CLERKS, SETTERS, KEEPERS = (
    *("open", "people", "authority", "bureau", "deciders", "auditors", "clerks", "setters"),
    "keepers",
)
DESK, TRYING, PURSERS, ENDERS, ADMIN = "desk", "trying", "pursers", "enders", "admin"

# Every page and form, and who may use it within what they see. A new one has to be entered here.
MAY = {
    "GET /": OPEN,
    "GET /status": OPEN,
    "GET /console/login": OPEN,
    "POST /console/login": OPEN,
    "GET /console/login/sign-on": OPEN,
    "GET /console/login/sign-on/back": OPEN,
    "GET /console/login/second": OPEN,
    "POST /console/login/second": OPEN,
    "GET /console/language/{code}": OPEN,
    "GET /console/static/{hashed}": OPEN,
    "GET /console/{rest:path}": OPEN,
    "GET /my/{token}": OPEN,
    "POST /my/{token}/appeals": OPEN,
    "POST /my/{token}/requests/{request_id}": OPEN,
    "GET /console": PEOPLE,
    "GET /console/standing": AUTHORITY,
    "GET /console/live": AUTHORITY,
    "GET /console/account": PEOPLE,
    "POST /console/account/password": PEOPLE,
    "POST /console/account/logins/end": PEOPLE,
    "GET /console/account/app": PEOPLE,
    "POST /console/account/app": PEOPLE,
    "GET /console/account/passkey": PEOPLE,
    "POST /console/account/passkey": PEOPLE,
    "POST /console/account/codes": PEOPLE,
    "POST /console/account/factors/{factor_id}/rename": PEOPLE,
    "POST /console/account/factors/{factor_id}/remove": PEOPLE,
    "GET /console/help": PEOPLE,
    "GET /console/notices": PEOPLE,
    "POST /console/notices/read": PEOPLE,
    "POST /console/notices/ways": PEOPLE,
    "GET /console/classes": PEOPLE,
    "GET /console/classes/{class_id}": PEOPLE,
    "GET /console/classes/{class_id}/learners/{learner_id}": PEOPLE,
    "GET /console/classes/{class_id}/learners/{learner_id}/hours/{number}": PEOPLE,
    "GET /console/people/{person_id}": PEOPLE,
    "GET /console/people/{person_id}/file.{ext}": PEOPLE,
    "GET /console/classes/{class_id}/recordings": PEOPLE,
    "GET /console/classes/{class_id}/links": PEOPLE,
    "GET /console/classes/{class_id}/enrolments": PEOPLE,
    "POST /console/classes/{class_id}/links/{link_id}/revoke": DECIDERS,
    "GET /console/classes/{class_id}/holds": AUTHORITY,
    "POST /console/classes/{class_id}/holds": DECIDERS,
    "GET /console/classes/{class_id}/acts": PEOPLE,
    "POST /console/classes/{class_id}/acts": DECIDERS,
    "GET /console/classes/{class_id}/stages": PEOPLE,
    "POST /console/classes/{class_id}/stages": DECIDERS,
    "GET /console/classes/{class_id}/acts/{act_id}/approve": DECIDERS,
    "POST /console/classes/{class_id}/acts/{act_id}/approve": DECIDERS,
    "GET /console/classes/{class_id}/acts/{act_id}/revoke": DECIDERS,
    "POST /console/classes/{class_id}/acts/{act_id}/revoke": DECIDERS,
    "GET /console/classes/{class_id}/sign-off": PEOPLE,
    "POST /console/classes/{class_id}/sign-off": DECIDERS,
    "POST /console/classes/{class_id}/sign-off/sign": DECIDERS,
    "POST /console/classes/{class_id}/sign-off/withdraw": DECIDERS,
    "GET /console/search": PEOPLE,
    "POST /console/search": PEOPLE,
    "GET /console/cases": PEOPLE,
    "GET /console/cases/{case_id}": PEOPLE,
    "GET /console/cases/{case_id}/files/{note_id}": DECIDERS,
    "POST /console/cases/next": DECIDERS,
    "POST /console/cases/share": DECIDERS,
    "POST /console/cases/{case_id}/arrange": DECIDERS,
    "POST /console/cases/{case_id}/correction": DECIDERS,
    "POST /console/cases/{case_id}/decision": DECIDERS,
    "POST /console/cases/{case_id}/notes": DECIDERS,
    "POST /console/cases/{case_id}/requests": DECIDERS,
    "POST /console/cases/{case_id}/requests/{request_id}": DECIDERS,
    "POST /console/cases/{case_id}/undo": DECIDERS,
    "GET /console/requests": PEOPLE,
    "POST /console/requests/{request_id}": PEOPLE,
    "GET /console/findings": PEOPLE,
    "GET /console/findings/{finding_id}": PEOPLE,
    "GET /console/packs": PEOPLE,
    "GET /console/packs/{name}": PEOPLE,
    "GET /console/platforms": PEOPLE,
    "GET /console/platforms/{slug}": PEOPLE,
    "GET /console/runs": PEOPLE,
    "GET /console/runs/{run_id}": PEOPLE,
    "GET /console/sessions/{session_id}": PEOPLE,
    "GET /console/sessions/{session_id}/events": PEOPLE,
    "POST /console/findings/views": PEOPLE,
    "POST /console/findings/views/{view_id}/drop": PEOPLE,
    "POST /console/logout": PEOPLE,
    "GET /console/classes/{class_id}/inspections": AUTHORITY,
    "GET /console/inspections/{inspection_id}": AUTHORITY,
    "GET /console/photo-accesses/{access_id}.jpg": DECIDERS,
    "GET /console/photo-accesses/{access_id}/small.jpg": DECIDERS,
    "POST /console/sessions/{session_id}/photos": DECIDERS,
    "GET /console/findings/{finding_id}/faces": DECIDERS,
    "POST /console/findings/{finding_id}/faces": DECIDERS,
    "POST /console/findings/{finding_id}/faces/answer": DECIDERS,
    "GET /console/classes/{class_id}/learners/{learner_id}/enrolment": PEOPLE,
    "POST /console/classes/{class_id}/learners/{learner_id}/enrolment": CLERKS,
    "GET /console/classes/{class_id}/systems": DECIDERS,
    "GET /console/classes/{class_id}/systems/{system}/{table}.{ext}": DECIDERS,
    "POST /console/classes/{class_id}/systems": DECIDERS,
    "POST /console/classes/{class_id}/consents": CLERKS,
    "GET /console/classes/{class_id}/photos": CLERKS,
    "POST /console/classes/{class_id}/photos": CLERKS,
    "POST /console/classes/{class_id}/photos/take": CLERKS,
    "GET /console/classes/{class_id}/tables": CLERKS,
    "GET /console/classes/{class_id}/tables/{kind}.xlsx": CLERKS,
    "POST /console/classes/{class_id}/tables": CLERKS,
    "POST /console/classes/{class_id}/tables/take": CLERKS,
    "POST /console/classes/{class_id}/tables/to-mend.xlsx": CLERKS,
    "GET /console/setups": SETTERS,
    "POST /console/setups": SETTERS,
    "GET /console/setups/{setup_id}": SETTERS,
    "POST /console/setups/{setup_id}/platform": SETTERS,
    "POST /console/setups/{setup_id}/course": SETTERS,
    "POST /console/setups/{setup_id}/key": SETTERS,
    "GET /console/courses": SETTERS,
    "GET /console/courses/new": SETTERS,
    "GET /console/courses/template.xlsx": SETTERS,
    "GET /console/courses/read": SETTERS,
    "GET /console/courses/{course_row}": SETTERS,
    "POST /console/courses": SETTERS,
    "POST /console/courses/read": SETTERS,
    "GET /console/classes/new": SETTERS,
    "POST /console/classes": SETTERS,
    "GET /console/classes/{class_id}/terms": SETTERS,
    "POST /console/classes/{class_id}/terms": SETTERS,
    "GET /console/institutions": BUREAU,
    "GET /console/institutions/{institution_id}": BUREAU,
    "POST /console/institutions": KEEPERS,
    "POST /console/institutions/{institution_id}": KEEPERS,
    "GET /console/photos/{snapshot_id}": DECIDERS,
    "POST /console/photos/{snapshot_id}": DECIDERS,
    "POST /console/appeals/{appeal_id}/reply": DECIDERS,
    "POST /console/classes/{class_id}/inspections": DECIDERS,
    "POST /console/classes/{class_id}/learners/{learner_id}/link": DECIDERS,
    "POST /console/classes/{class_id}/run": SETTERS,
    "GET /console/classes/{class_id}/scale": AUDITORS,
    "POST /console/classes/{class_id}/scale": AUDITORS,
    "POST /console/findings/many": DECIDERS,
    "POST /console/findings/{finding_id}/assign": DECIDERS,
    "POST /console/findings/{finding_id}/decision": DECIDERS,
    "POST /console/inspections/{inspection_id}/checks": DECIDERS,
    "POST /console/sessions/{session_id}/spot-check": DECIDERS,
    "POST /console/cases/decide": DECIDERS,
    "POST /console/cases/undo": DECIDERS,
    "GET /console/county": AUTHORITY,
    "GET /console/county/{county}/{report}.{ext}": AUTHORITY,
    "POST /console/county/{county}/targets": DECIDERS,
    "POST /console/county/classes/{class_id}": DECIDERS,
    "GET /console/pack-drafts": AUTHORITY,
    "GET /console/pack-drafts/{draft_id}": AUTHORITY,
    "POST /console/pack-drafts": DECIDERS,
    "POST /console/pack-drafts/{draft_id}": DECIDERS,
    "POST /console/pack-drafts/{draft_id}/parameter": DECIDERS,
    "POST /console/pack-drafts/{draft_id}/trial": DECIDERS,
    "GET /console/pack-drafts/{draft_id}/publish": DECIDERS,
    "POST /console/pack-drafts/{draft_id}/publish": DECIDERS,
    "GET /console/pack-drafts/{draft_id}/discard": DECIDERS,
    "POST /console/pack-drafts/{draft_id}/discard": DECIDERS,
    "GET /console/face-data": KEEPERS,
    "GET /console/what-if/{run_id}": AUTHORITY,
    "POST /console/what-if": AUTHORITY,
    "GET /console/identities": ADMIN,
    "POST /console/identities/{identity_id}": ADMIN,
    "POST /console/identities/{identity_id}/unlink": ADMIN,
    "GET /console/audit": ADMIN,
    "GET /console/audit.csv": ADMIN,
    "GET /console/subsidies": AUTHORITY,
    "POST /console/subsidies": PURSERS,
    "POST /console/subsidies/{standard_id}/decide": PURSERS,
    "GET /console/subsidies/{standard_id}/end": ENDERS,
    "POST /console/subsidies/{standard_id}/end": ENDERS,
    "POST /console/classes/{class_id}/recoveries": DECIDERS,
    "GET /public/funds": OPEN,
    "GET /public/funds.csv": OPEN,
    "GET /console/calendar": ADMIN,
    "POST /console/calendar": ADMIN,
    "GET /console/users": ADMIN,
    "GET /console/counties": ADMIN,
    "POST /console/counties": ADMIN,
    "GET /console/platforms/{slug}/statements": DESK,
    "POST /console/platforms": ADMIN,
    "POST /console/platforms/{slug}": ADMIN,
    "POST /console/platforms/{slug}/keys": DESK,
    "GET /console/platforms/{slug}/keys/{key_id}/revoke": DESK,
    "POST /console/platforms/{slug}/keys/{key_id}/revoke": DESK,
    "GET /console/platforms/{slug}/keys/{key_id}/rotate": DESK,
    "POST /console/platforms/{slug}/keys/{key_id}/rotate": DESK,
    "POST /console/platforms/{slug}/sandboxes": TRYING,
    "POST /console/platforms/{slug}/sandboxes/{class_id}/clock": TRYING,
    "POST /console/platforms/{slug}/statements": DESK,
    "POST /console/platforms/{slug}/webhooks": DESK,
    "POST /console/platforms/{slug}/webhooks/{webhook_id}/remove": DESK,
    "POST /console/platforms/{slug}/webhooks/{webhook_id}/secret": DESK,
    "POST /console/platforms/{slug}/webhooks/{webhook_id}/test": DESK,
    "POST /console/platforms/{slug}/webhooks/{webhook_id}/deliveries/{delivery_id}": DESK,
    "POST /console/users": ADMIN,
    "GET /console/users/{username}/change": ADMIN,
    "POST /console/users/{username}/change": ADMIN,
    "GET /console/users/{username}/disable": ADMIN,
    "POST /console/users/{username}/disable": ADMIN,
    "GET /console/users/{username}/enable": ADMIN,
    "POST /console/users/{username}/enable": ADMIN,
    "GET /console/users/{username}/password": ADMIN,
    "POST /console/users/{username}/password": ADMIN,
    "GET /console/users/{username}/second-factor": ADMIN,
    "POST /console/users/{username}/second-factor": ADMIN,
}
NEVER = {  # whom a kind of page refuses though it lies within what they see
    PEOPLE: (),
    AUTHORITY: ("fang", "han"),
    BUREAU: ("fang",),
    DECIDERS: ("chang", "fang", "root", "han"),
    AUDITORS: ("chang", "sun", "fang", "root", "han"),
    CLERKS: ("chang", "fang", "root"),
    SETTERS: ("chang", "sun", "fang", "root"),
    KEEPERS: ("chang", "sun", "fang", "han"),
    DESK: ("zhao", "chang", "sun", "han"),
    TRYING: ("zhao", "chang", "sun", "han", "root"),
    PURSERS: ("chang", "fang", "han"),
    ENDERS: ("zhao", "chang", "fang", "han"),  # an administrator, and whose office keeps money
    ADMIN: ("zhao", "chang", "sun", "fang", "han"),
}
# Another county's auditor, another platform's viewer, the clerk of another school of the county.
OTHERS = ("qian", "gao", "tang")
GUARDED = tuple(NEVER)
SHARED = {"GET /console/packs/{name}"}  # names nothing that belongs to a county
ENDING = {"POST /console/logout", "POST /console/account/password"}
# Wants an app or a passkey to prove itself, files, a course of the platform's, or one with its
# lessons; is for a school or a sandbox alone; decides what another form has decided before; signs
# what another person submitted; names a user who is there; has back what was paid.
BY_THEMSELVES = {
    "POST /console/platforms/{slug}/sandboxes",
    "POST /console/platforms/{slug}/sandboxes/{class_id}/clock",
    "POST /console/cases/decide",
    "POST /console/subsidies",
    "POST /console/subsidies/{standard_id}/decide",
    "POST /console/cases/undo",
    "POST /console/identities/{identity_id}",
    "POST /console/account/app",
    "POST /console/account/passkey",
    "POST /console/classes/{class_id}/recoveries",
    "POST /console/classes/{class_id}/systems",
    "POST /console/pack-drafts",
    "POST /console/pack-drafts/{draft_id}",
    "POST /console/pack-drafts/{draft_id}/parameter",
    "POST /console/pack-drafts/{draft_id}/publish",
    "POST /console/courses",
    "POST /console/courses/read",
    "POST /console/classes",
    "POST /console/classes/{class_id}/terms",
    "POST /console/setups/{setup_id}/key",
    "POST /console/classes/{class_id}/photos",
    "POST /console/classes/{class_id}/photos/take",
    "POST /console/classes/{class_id}/tables",
    "POST /console/classes/{class_id}/tables/take",
    "POST /console/classes/{class_id}/tables/to-mend.xlsx",
    "POST /console/classes/{class_id}/sign-off",
    "POST /console/classes/{class_id}/sign-off/sign",
    "POST /console/classes/{class_id}/sign-off/withdraw",
    "POST /console/classes/{class_id}/learners/{learner_id}/enrolment",
    "POST /console/findings/{finding_id}/faces/answer",
    "POST /console/cases/share",
    "POST /console/cases/{case_id}/correction",
    "POST /console/cases/{case_id}/decision",
    "POST /console/cases/{case_id}/undo",
    "POST /console/cases/{case_id}/requests",
    "POST /console/requests/{request_id}",
}
# Filled in so well that nothing but the right to do it is missing.
FORM = {
    "advance_s": "60",
    "comment": "已电话联系培训机构",
    "decision": "uphold",
    "likeness": "other",
    "kind": "answer_time",
    "answer_window_s": "120",
    "reason": "已核对服务器记录",
    "purpose": "初审人脸比对结果",
    "frame": "roster",
    "count": "1",
    "learner": "learner-02",
    "result-1": "present",
    "heads_present": "1",
    "answer": "dismissed",
    "reply": "已核对服务器记录",
    "scale": "literal",
    "label": "新密钥",
    "scope": "read",
    "url": "https://huang.example/hook",
    "event": "session.verdict",
    "name": "快进",
    "act": "decide",
    "username": "somebody",
    "display_name": "某人",
    "role": "admin",
    "statement": "当天并未快进",
    "pack": "huangchuan-2021-literal@1.0.0",
    "what": "review",
    "institution_id": "1",
    "platform": "huang-edu",
    "course": "1",
    "year": "2026",
    "passed": "yes",
    "slug": "new-edu",
    "county": "潢川县",
    "code": "411526",
    "step": "opening_filed",
    "deed": "first",
    "filed_on": "2026-03-01",
    "learners": "1",
    "signed_on": "2026-03-01",
    "amount_yuan": "1000",
    "document": "示例文号",
    "dated": "2026-01-01",
    "from_on": "2026-01-01",
    "until_on": "2026-12-31",
    "first": "2026-10-01",
    "calendar_kind": "holiday",
    "since": "2026-10-01",
    "until": "2026-11-01",
}


def of_console(app: FastAPI, *kinds: str) -> Iterator[tuple[str, str, str]]:
    """(method, path, name in MAY) of the console's and the learner's routes of these kinds."""
    for method, path in routes(app):
        name = f"{method} {path}"
        if name in MAY and MAY[name] in (kinds or MAY.values()):
            yield method, path, name


def test_every_page_says_who_may_open_it(app: FastAPI) -> None:
    there = {
        f"{method} {path}"
        for method, path in routes(app)
        if path in ("/", "/status") or path.startswith(("/console", "/my", "/public"))
    }
    assert there == set(MAY)


def test_a_stranger_is_led_to_the_login_page_from_everywhere(
    app: FastAPI, walker: TestClient, dataset: Dataset
) -> None:
    for method, path, name in of_console(app, *GUARDED):
        form = {**FORM, "csrf": dataset.csrf["zhao"]} if method == "POST" else None
        assert send(walker, method, dataset.address(path), {}, form) == 401, name


@pytest.mark.parametrize("who", ["zhao", "chang", "sun", "fang", "root", "han"])
def test_everybody_reads_what_their_role_and_county_allow(
    app: FastAPI, walker: TestClient, dataset: Dataset, who: str
) -> None:
    for method, path, name in of_console(app):
        if method != "GET" or MAY[name] is OPEN or name in OWN:
            continue
        status = send(walker, method, dataset.address(path), dataset.headers(who))
        wanted = (403, 404) if who in NEVER[MAY[name]] else (200, 303)
        assert status in wanted, (name, status)


OWN = {  # Zhao's own: not even a colleague gets it
    "GET /console/photo-accesses/{access_id}.jpg",
    "GET /console/photo-accesses/{access_id}/small.jpg",
    "GET /console/what-if/{run_id}",
    "POST /console/findings/views/{view_id}/drop",
}


@pytest.mark.parametrize("who", ["sun", "chang", "han", *OTHERS])
def test_what_is_zhaos_own_is_hers_alone(
    app: FastAPI, walker: TestClient, dataset: Dataset, who: str
) -> None:
    for method, path, name in of_console(app):
        if name in OWN:
            form = {"csrf": dataset.csrf[who]} if method == "POST" else None
            headers = dataset.headers(who)
            assert send(walker, method, dataset.address(path), headers, form) == 404, name


@pytest.mark.parametrize("who", OTHERS)
def test_ids_of_another_county_or_platform_lead_nowhere(
    app: FastAPI, walker: TestClient, dataset: Dataset, who: str
) -> None:
    for method, path, name in of_console(app, *GUARDED):
        if "{" in path and name not in SHARED:
            form = {**FORM, "csrf": dataset.csrf[who]} if method == "POST" else None
            status = send(walker, method, dataset.address(path), dataset.headers(who), form)
            assert status in (403, 404), (name, status)


@pytest.mark.parametrize("who", ["zhao", "sun", "fang", "root", "han"])
def test_a_form_is_refused_to_a_role_that_may_not(
    app: FastAPI, walker: TestClient, dataset: Dataset, who: str
) -> None:
    for method, path, name in of_console(app, *GUARDED):
        if method == "POST" and who in NEVER[MAY[name]]:
            form = {**FORM, "csrf": dataset.csrf[who], "finding": str(dataset.grave)}
            status = send(walker, method, dataset.address(path), dataset.headers(who), form)
            assert status == 403, (name, status)


# Who may send what neither Zhao nor Root may, and would be refused whatever the token.
SENDERS = {TRYING: (("fang", "gao"),), CLERKS: (("han", "tang"),), SETTERS: (("han", "tang"),)}


@pytest.mark.parametrize("token", ["", "forged", "another's"])
def test_no_form_of_the_console_works_without_its_own_token(
    app: FastAPI, walker: TestClient, dataset: Dataset, token: str
) -> None:
    for method, path, name in of_console(app):
        if method != "POST" or path.startswith("/my"):
            continue
        for who, other in (("zhao", "sun"), ("root", "zhao"), *SENDERS.get(MAY[name], ())):
            form = {**FORM, "csrf": dataset.csrf[other] if token == "another's" else token}
            status = send(walker, method, dataset.address(path), dataset.headers(who), form)
            assert status == 403, (name, who, status)


def test_every_accepted_form_leads_on_so_that_a_reload_does_not_repeat_it(
    app: FastAPI, walker: TestClient, dataset: Dataset
) -> None:
    sent, light = {}, {"finding": str(dataset.grave), "act": "assign"}
    forms = of_console(app, *GUARDED)
    for method, path, name in sorted(forms, key=lambda it: it[2].endswith(("/revoke", "/remove"))):
        if method == "POST" and name not in ENDING | BY_THEMSELVES:
            who = "root" if MAY[name] in (ADMIN, DESK, ENDERS) else "zhao"
            form = {**FORM, **light, "csrf": dataset.csrf[who]}
            sent[name] = send(walker, method, dataset.address(path), dataset.headers(who), form)
    assert {name: status for name, status in sent.items() if status != 303} == {}


def test_a_learners_link_opens_only_that_learners_page(
    walker: TestClient, dataset: Dataset
) -> None:
    token = dataset.console["token"]
    number, _, signed = token.partition("-")
    for wrong in (f"{int(number) + 1}-{signed}", f"{number}-", number, f"{token}x", "x"):
        assert send(walker, "GET", f"/my/{wrong}", {}) == 404
        form = {"finding": str(dataset.grave), "statement": "当天并未快进"}
        assert send(walker, "POST", f"/my/{wrong}/appeals", {}, form) == 404


def test_every_answer_carries_the_headers_that_keep_a_browser_safe(
    app: FastAPI, walker: TestClient, dataset: Dataset
) -> None:
    for method, path in routes(app):
        for who in ("", "zhao", "root"):
            walker.cookies.clear()
            answer = walker.request(
                method, dataset.address(path), headers=dataset.headers(who), follow_redirects=False
            )
            policy = answer.headers.get("content-security-policy", "")
            where = (method, path, who, answer.status_code)
            assert answer.headers["x-content-type-options"] == "nosniff", where
            if path.endswith("/events") and path.startswith("/v1"):
                continue  # answered before the outer layer, and never a page
            assert "frame-ancestors 'none'" in policy, where
            assert "object-src 'none'" in policy or "default-src 'none'" in policy, where
            assert "script-src 'unsafe" not in policy and "unsafe-eval" not in policy, where
            assert answer.headers["x-frame-options"] == "DENY", where
            assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer"), where
            if path.startswith(("/console", "/my", "/v1")) and "static" not in path:
                assert "no-store" in answer.headers["cache-control"], where
            assert "server" not in answer.headers, where
            assert "Traceback" not in answer.text, where


def test_ids_of_elsewhere_lead_nowhere_under_a_class_or_platform_of_ones_own(
    app: FastAPI, walker: TestClient, dataset: Dataset
) -> None:
    """Qian's own class, and Gao's own platform, with the ids of Huangchuan's below them."""
    guang = dataset.county.guang.headers
    terms = training_class("class-own")
    for path, body in (("/v1/courses/sewing", course()), ("/v1/classes/class-own", terms)):
        answer = walker.put(path, json=body, headers=guang)
        assert answer.is_success, answer.text
    with app.state.services.database.read() as connection:
        ours = TrainingClass.external_id == "class-own"
        class_id = connection.scalar(select(TrainingClass.id).where(ours))
    own = {"qian": ("class_id", str(class_id)), "gao": ("slug", "guang-edu")}
    tried = 0
    for who, (parent, mine) in own.items():
        ids = {**dataset.console, parent: mine}
        opens = f"/console/classes/{mine}" if parent == "class_id" else f"/console/platforms/{mine}"
        assert send(walker, "GET", opens, dataset.headers(who)) == 200, who
        for method, path, name in of_console(app, *GUARDED):
            below = path.partition(f"{{{parent}}}")[2]
            if "_id}" not in below and "{number}" not in below:
                continue
            form = {**FORM, "csrf": dataset.csrf[who]} if method == "POST" else None
            address = path.format_map(ids)
            status = send(walker, method, address, dataset.headers(who), form)
            assert status in (403, 404), (name, status)
            tried += 1
    assert tried > 15
    for form in (
        {"lift": str(_hold(app, dataset)), "reason": "调查已结束"},
        {"learner": "learner-01", "reason": "举报待查"},
    ):
        path = f"/console/classes/{class_id}/holds"
        form |= {"csrf": dataset.csrf["qian"]}
        assert send(walker, "POST", path, dataset.headers("qian"), form) == 404, form


def _hold(app: FastAPI, dataset: Dataset) -> int:
    """One on Huangchuan's class."""
    with app.state.services.database.write() as connection:
        return retention.place_hold(
            connection,
            dataset.county.huang.platform.id,
            class_id="class-demo",
            learner_id=None,
            reason="举报待查",
            actor="system",
            now_ms=dataset.now_ms,
        )
