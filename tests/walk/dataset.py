"""One judged class in Huangchuan, a row of everything that an address may name, and people around.

Zhao and Sun decide in Huangchuan, Qian in Guangshan; Fang looks after Huangchuan's platform, Gao
after Guangshan's; Han is the clerk of the school whose class it is, Tang of another school of
the county; Root keeps the users. Nobody but Root, Zhao, Sun, Fang and Han has anything to do
with the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import Connection, func, insert, select, update

from app.clock import day
from app.console.login import COOKIE
from app.domain import runs
from app.domain.accounts import platforms, second_factors, users
from app.domain.accounts.users import User
from app.domain.catalogue import class_setups, institutions
from app.domain.catalogue.institutions import InstitutionTerms
from app.domain.exchange import webhooks
from app.domain.faces import photo_viewing
from app.domain.judging import what_if
from app.domain.review import (
    acts,
    case_desk,
    case_files,
    inspections,
    learner_link,
    material,
    pack_drafts,
)
from app.services import Services
from app.store.accounts import foreign_identities
from app.store.catalogue import catalogue
from app.store.catalogue import class_setups as store
from app.store.money import standards
from app.store.scope import EVERYTHING
from models import (
    Appeal,
    ClassHour,
    Finding,
    Learner,
    SavedView,
    Session,
    Snapshot,
    WebhookDelivery,
)
from tests.evidence import picture
from tests.people import GUANGSHAN, HUANGCHUAN, County
from tests.reports.sample_class import judged_class

PEOPLE = (
    ("zhao", "auditor", HUANGCHUAN, None),
    ("sun", "reviewer", HUANGCHUAN, None),
    ("qian", "auditor", GUANGSHAN, None),
    ("chang", "chief", HUANGCHUAN, None),
    ("fang", "platform_viewer", None, "huang-edu"),
    ("gao", "platform_viewer", None, "guang-edu"),
    ("root", "admin", None, None),
)
CLERKS = ("han", "tang")
SCHOOL = "示例职业培训学校"  # whose class it is
PASSWORD = "a-quiet-river-in-henan"


@dataclass
class Dataset:
    """Where it lies, who is in it, and by parameter what an address names.

    `console` and `api` differ where both call something else by the same name.
    """

    folder: Path
    county: County
    now_ms: int
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: dict[str, str] = field(default_factory=dict)
    console: dict[str, str] = field(default_factory=dict)
    api: dict[str, str] = field(default_factory=dict)
    grave: int = 0  # the finding that two persons decide

    def headers(self, who: str) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self.cookies[who]}"} if who else {}

    def address(self, path: str) -> str:
        """The path with its parameters filled in; one that is not known is an error."""
        judged = path.startswith(("/v1", "/xAPI", "/console/runs"))
        return path.replace(":path", "").format_map(self.api if judged else self.console)


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path) of everything that is answered, events included, in order."""
    routed = {
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }
    described = {
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    return sorted(routed | described, key=lambda it: (it[1], it[0]))


def send(
    client: TestClient,
    method: str,
    path: str,
    headers: dict[str, str],
    data: dict[str, str] | None = None,
) -> int:
    """The status of an answer, not followed anywhere; 401 also for being led to the login page."""
    client.cookies.clear()
    answer = client.request(method, path, headers=headers, data=data, follow_redirects=False)
    if answer.headers.get("location", "").startswith("/console/login"):
        return 401
    return answer.status_code


def appointed(services: Services, name: str, role: str, counties: list[str]) -> dict[str, str]:
    """Headers of somebody who just signed in."""
    now_ms = services.clock()
    with services.database.write() as connection:
        users.add_user(
            connection,
            username=name,
            display_name=f"{name}本人",
            password=PASSWORD,
            role=role,
            counties=counties,
            actor="system",
            now_ms=now_ms,
        )
        token = users.open_login(connection, users.named(connection, name), now_ms)
        login = users.login_of(connection, token, now_ms)
    return {"cookie": f"{COOKIE}={token}", "x-csrf-token": login[0].csrf}


def found(
    services: Services, county: County, folder: Path, story: Sequence[str] = ("H01", "F02")
) -> Dataset:
    judged_class(services, county, folder, story)
    dataset = Dataset(folder, county, services.clock())
    with services.database.write() as connection:
        _people(connection, dataset)
        zhao = users.check_password(connection, "zhao", PASSWORD)
        assert zhao is not None
        dataset.console["factor_id"] = str(_app(connection, services, zhao))
        _rows(connection, services, dataset, zhao)
    return dataset


def _people(connection: Connection, dataset: Dataset) -> None:
    """Zhao and the others, and the clerks of two schools: the class's, and one without any."""
    by: dict[str, Any] = {"actor": "system", "now_ms": dataset.now_ms}
    schools: list[int] = []
    for code in ("school-1", "school-2"):
        name = SCHOOL if not schools else "另一所职业培训学校"
        terms = InstitutionTerms(code=code, name=name)
        schools.append(institutions.list_institution(connection, HUANGCHUAN, terms, **by))
    dataset.console["institution_id"] = str(schools[0])
    told = foreign_identities.meet(
        connection, "https://sso.example", "zhao-01", "赵敏", dataset.now_ms
    )
    dataset.console["identity_id"] = str(told.id)
    dataset.console["standard_id"] = str(_standard(connection, dataset.now_ms))
    clerks = [(who, "school", None, None, it) for who, it in zip(CLERKS, schools, strict=True)]
    for username, role, county, platform, school in [*((*it, None) for it in PEOPLE), *clerks]:
        users.add_user(
            connection,
            username=username,
            display_name=f"{username}本人",
            password=PASSWORD,
            role=role,
            counties=[county] if county else [],
            platform=platform,
            institution=school,
            office="industry" if role == "auditor" else None,
            **by,
        )
        user = users.check_password(connection, username, PASSWORD)
        assert user is not None
        dataset.cookies[username] = token = users.open_login(connection, user, dataset.now_ms)
        login = users.login_of(connection, token, dataset.now_ms)
        assert login is not None
        dataset.csrf[username] = login[0].csrf


def _case(
    connection: Connection, services: Services, zhao: User, finding_id: int, now_ms: int
) -> tuple[int, int, int]:
    """The case of a finding, a note on it with a file, and what its platform is asked."""
    case_id = connection.scalar(select(Finding.case_id).where(Finding.id == finding_id))
    assert case_id is not None
    file = case_files.checked("说明.png", picture(0), services.readers)
    blob_key = case_files.put(services.vault, services.blobs, case_id, file)
    note_id = case_desk.comment(connection, zhao, case_id, "见附件", now_ms, file, blob_key)
    platform = next(iter(material.choices(connection, zhao.scope, case_id)))
    until = (day(now_ms) + timedelta(days=3)).isoformat()
    request_id = material.ask(
        connection, zhao, case_id, platform, "请提供该时段原始日志", until, now_ms
    )
    return case_id, note_id, request_id


def _app(connection: Connection, services: Services, zhao: User) -> int:
    """Zhao's authenticator app."""
    seed, now_ms = second_factors.new_seed(), services.clock()
    code = pyotp.TOTP(seed).at(now_ms // 1000)
    second_factors.add_totp(connection, services.vault, zhao, seed, code, "手机", now_ms)
    return second_factors.of(connection, zhao.id).listed[0].id


def _standard(connection: Connection, now_ms: int) -> int:
    """What Huangchuan pays for a learner."""
    return standards.add(
        connection,
        county=HUANGCHUAN,
        occupation="",
        level=None,
        applicant="",
        amount_fen=100_000,
        advance_percent=0,
        document="示例文号",
        dated="2026-01-01",
        from_on="2026-01-01",
        until_on=None,
        certificate_type="",
        state="in_force",
        decided_by="",
        decided_ms=None,
        replaces=None,
        entered_by="system",
        entered_ms=now_ms,
    )


def _rows(connection: Connection, services: Services, dataset: Dataset, zhao: User) -> None:
    now_ms = dataset.now_ms
    finding = connection.execute(
        select(Finding.id, Finding.class_id, Finding.learner_id, Finding.session_id)
        .where(Finding.rule == "fast_forward", Finding.shadow.is_(False))
        .limit(1)
    ).one()
    dataset.grave = finding.id
    connection.execute(
        update(Finding).where(Finding.id == finding.id).values(needs_two_reviewers=True)
    )
    external = connection.scalar(
        select(Session.external_id).where(Session.id == finding.session_id)
    )
    photo = connection.execute(
        select(Snapshot.id, Snapshot.external_id).where(Snapshot.session_id == finding.session_id)
    ).first()
    assert photo is not None and external is not None
    hour = connection.scalar(
        select(func.min(ClassHour.number)).where(ClassHour.class_id == finding.class_id)
    )
    view = {"user_id": zhao.id, "name": "快进", "query": "rule=fast_forward", "created_ms": now_ms}
    view_id = connection.execute(insert(SavedView).values(**view).returning(SavedView.id)).scalar()
    appeal = {"filed_by": "key:x", "statement": "当天并未快进", "created_ms": now_ms}
    appeal_id = connection.execute(
        insert(Appeal).values(finding_id=finding.id, **appeal).returning(Appeal.id)
    ).scalar()
    person_id = connection.scalar(select(Learner.person_id).where(Learner.id == finding.learner_id))
    inspection = inspections.draw(connection, finding.class_id, zhao, "roster", 80, now_ms)
    access_id = photo_viewing.look(connection, zhao, photo.id, "初审人脸比对结果", now_ms)
    trial = what_if.request(
        connection, zhao, "huangchuan-2021-literal@1.0.0", "2026-10-01", "2026-11-01", now_ms
    )
    link = learner_link.issue(
        connection,
        services.vault,
        finding.class_id,
        finding.learner_id,
        actor=zhao.actor,
        days=30,
        now_ms=now_ms,
    )
    spare = platforms.create_key(
        connection,
        dataset.county.huang.platform.id,
        label="spare",
        scopes=["read"],
        expires_ms=None,
        actor="system",
        now_ms=now_ms,
    )
    hook = webhooks.register(
        connection,
        services.vault,
        dataset.county.huang.platform.id,
        url="https://huang.example/hook",
        events=["review.decided"],
        https_only=True,
        actor="system",
        now_ms=now_ms,
    )
    delivery = {"webhook_id": hook.webhook.id, "message_id": "m", "event": "review.decided"}
    delivery_id = connection.execute(
        insert(WebhookDelivery)
        .values(**delivery, payload={}, created_ms=now_ms, attempts=1)
        .returning(WebhookDelivery.id)
    ).scalar()
    klass = catalogue.class_by_id(connection, finding.class_id)
    act_id = acts.record(
        connection,
        klass,
        kind="lesson_length",
        learner=None,
        body={"lesson_id": "lesson-01", "media_seconds": 2700.0},
        reason="片长以实际为准",
        document="",
        actor="key:1",
        user=None,
        now_ms=now_ms,
    )
    by: dict[str, Any] = {"actor": zhao.actor, "now_ms": now_ms}
    school = int(dataset.console["institution_id"])
    setup_id = class_setups.begin(connection, school, **by)
    course = store.row_of_course(connection, klass.platform_id, "course-demo")
    catalogue.update_course(connection, course, institution_id=school)
    class_setups.choose_course(
        connection,
        class_setups.setup_seen(connection, EVERYTHING, setup_id),
        klass.platform_id,
        "course-demo",
    )
    run_id = runs.begin(connection, finding.class_id, "test", now_ms)
    draft_id = pack_drafts.begin(
        connection,
        zhao,
        zhao.counties[0],
        "huangchuan-2021-graded@1.2.0",
        "walked-2026",
        "1.0.0",
        "示例",
        now_ms,
    )
    case_id, note_id, request_id = _case(connection, services, zhao, finding.id, now_ms)
    dataset.console |= {
        "draft_id": str(draft_id),
        "setup_id": str(setup_id),
        "course_row": str(course),
        "system": "henan-training",
        "table": "learners",
        "class_id": str(finding.class_id),
        "learner_id": str(finding.learner_id),
        "person_id": str(person_id),
        "county": zhao.counties[0],
        "report": "tasks",
        "ext": "csv",
        "finding_id": str(finding.id),
        "case_id": str(case_id),
        "session_id": str(finding.session_id),
        "snapshot_id": str(photo.id),
        "access_id": str(access_id),
        "appeal_id": str(appeal_id),
        "view_id": str(view_id),
        "inspection_id": str(inspection),
        "run_id": str(trial),
        "act_id": str(act_id),
        "note_id": str(note_id),
        "request_id": str(request_id),
        "key_id": str(spare.key.id),
        "webhook_id": str(hook.webhook.id),
        "delivery_id": str(delivery_id),
        "slug": "huang-edu",
        "kind": "roster",
        "number": str(hour),
        "username": "sun",
        "link_id": link.path.removeprefix("/my/").partition("-")[0],
        "token": link.path.removeprefix("/my/"),
        "name": "huangchuan-2021-graded@1.0.0",
        "code": "en",
        "hashed": "console.css",
        "digest": "0",
        "rest": "nowhere",
    }
    dataset.api = {
        "institution_id": dataset.console["institution_id"],
        "county": HUANGCHUAN,
        "year": "2026",
        "class_id": "class-demo",
        "learner_id": "learner-01",
        "finding_id": str(finding.id),
        "case_id": str(case_id),
        "request_id": str(request_id),
        "session_id": external,
        "snapshot_id": str(photo.external_id),
        "run_id": str(run_id),
        "act_id": str(act_id),
        "key_id": str(spare.key.id),
        "platform_id": "huang-edu",
        "webhook_id": str(hook.webhook.id),
        "delivery_id": str(delivery_id),
        "course_id": "course-demo",
        "file_name": "roster.csv",
        "table": "roster",
    }
