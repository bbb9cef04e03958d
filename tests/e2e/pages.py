"""Every page of the console by name, with an address in the county where it has something to show.

`test_accessibility.py` looks at all of them, `shots.py` makes a picture of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from app.domain.accounts import platforms, users
from app.domain.accounts.users import User
from app.domain.catalogue import class_setups
from app.domain.judging import what_if
from app.domain.review import acts, inspections, learner_link, pack_drafts, subsidy_standards
from app.domain.review.subsidy_standards import StandardTerms
from app.services import Services
from app.store.catalogue import catalogue
from app.store.scope import EVERYTHING
from models import (
    Course,
    Finding,
    Learner,
    Platform,
    Run,
    Session,
    Snapshot,
    TrainingClass,
)
from tests.e2e.site import PASSWORD, TODAY

ADMIN, AUDITOR, CLERK, NOBODY = "admin", "zhao", "han", ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page is, by which route, and who opens it; "" for people without a login."""

    path: str
    route: str
    who: str = AUDITOR
    phone: bool = False


def addresses(services: Services) -> dict[str, Address]:
    with services.database.write() as connection:
        zhao = users.check_password(connection, AUDITOR, PASSWORD)
        assert zhao is not None
        return _addresses(connection) | _made(connection, services, zhao)


def _made(connection: Connection, services: Services, zhao: User) -> dict[str, Address]:
    """Pages that are there once somebody did something: a link, a draw, a trial."""
    query = select(Session.class_id, Session.learner_id)
    fast, _ = _longest(connection, "outran")
    klass, cheat = connection.execute(query.where(Session.id == fast)).one()
    now_ms = services.clock()
    to_cheat: dict[str, Any] = {"actor": zhao.actor, "days": 60, "now_ms": now_ms}
    link = learner_link.issue(connection, services.vault, klass, cheat, **to_cheat)
    draw = inspections.draw(connection, klass, zhao, "roster", 3, now_ms)
    month = (TODAY.replace(day=1).isoformat(), TODAY.isoformat())
    trial = what_if.request(connection, zhao, "huangchuan-2021-literal@1.0.0", *month, now_ms)
    school = connection.scalar(
        select(TrainingClass.institution_id).where(TrainingClass.id == klass)
    )
    draft = pack_drafts.begin(
        connection,
        zhao,
        zhao.counties[0],
        "huangchuan-2021-graded@1.2.0",
        "shili-2026",
        "1.0.0",
        "示例县2026年方案",
        now_ms,
    )
    begun = class_setups.begin(connection, school or 0, actor="user:han", now_ms=now_ms)
    taught, platform_id, name = connection.execute(
        select(Course.id, Course.platform_id, Course.external_id)
        .join(TrainingClass, TrainingClass.platform_id == Course.platform_id)
        .where(TrainingClass.id == klass)
        .order_by(Course.id)
        .limit(1)
    ).one()
    row = class_setups.setup_seen(connection, EVERYTHING, begun)
    class_setups.choose_course(connection, row, platform_id, name)
    return _weighed(connection, klass, draft, zhao, now_ms) | {
        "own": Address(link.path, "/my/{token}", NOBODY, phone=True),
        "status": Address("/status", "/status"),
        "links": Address(f"/console/classes/{klass}/links", "/console/classes/{class_id}/links"),
        "systems": Address(
            f"/console/classes/{klass}/systems", "/console/classes/{class_id}/systems"
        ),
        "tables": Address(f"/console/classes/{klass}/tables", "/console/classes/{class_id}/tables"),
        "holds": Address(f"/console/classes/{klass}/holds", "/console/classes/{class_id}/holds"),
        "recordings": Address(
            f"/console/classes/{klass}/recordings", "/console/classes/{class_id}/recordings"
        ),
        "acts": Address(f"/console/classes/{klass}/acts", "/console/classes/{class_id}/acts"),
        "stages": Address(f"/console/classes/{klass}/stages", "/console/classes/{class_id}/stages"),
        "setups": Address("/console/setups", "/console/setups", CLERK),
        "setup": Address(f"/console/setups/{begun}", "/console/setups/{setup_id}", CLERK),
        "courses": Address("/console/courses", "/console/courses"),
        "course-new": Address("/console/courses/new", "/console/courses/new", CLERK),
        "course": Address(f"/console/courses/{taught}", "/console/courses/{course_row}"),
        "class-new": Address(f"/console/classes/new?setup={begun}", "/console/classes/new", CLERK),
        "class-terms": Address(
            f"/console/classes/{klass}/terms", "/console/classes/{class_id}/terms"
        ),
        "subsidies": Address("/console/subsidies", "/console/subsidies", ADMIN),
        "funds": Address("/public/funds", "/public/funds", NOBODY),
        "counties": Address("/console/counties", "/console/counties", ADMIN),
        "institutions": Address("/console/institutions", "/console/institutions"),
        "institution": Address(
            f"/console/institutions/{school}", "/console/institutions/{institution_id}"
        ),
        "live": Address("/console/live", "/console/live"),
        "inspections": Address(
            f"/console/classes/{klass}/inspections", "/console/classes/{class_id}/inspections"
        ),
        "inspection": Address(
            f"/console/inspections/{draw}", "/console/inspections/{inspection_id}"
        ),
        "pack-drafts": Address("/console/pack-drafts", "/console/pack-drafts"),
        "pack-draft": Address(f"/console/pack-drafts/{draft}", "/console/pack-drafts/{draft_id}"),
        "what-if": Address(f"/console/what-if/{trial}", "/console/what-if/{run_id}"),
    }


def _weighed(
    connection: Connection, klass: int, draft: int, zhao: User, now_ms: int
) -> dict[str, Address]:
    """The pages that say what a weighty act will do."""
    row = catalogue.class_by_id(connection, klass)
    admin = users.named(connection, ADMIN)
    terms = {"county": row.county, "amount_yuan": Decimal(800), "document": "示例人社〔2026〕1号"}
    paid = StandardTerms.model_validate(terms | {"dated": "2026-01-05", "from_on": "2026-01-01"})
    standard = subsidy_standards.enter(connection, admin, paid, now_ms)
    key = platforms.create_key(
        connection,
        row.platform_id,
        label="夜间上报",
        scopes=["ingest", "read"],
        expires_ms=None,
        actor=admin.actor,
        now_ms=now_ms,
    ).key.id
    slug = connection.scalars(select(Platform.slug).where(Platform.id == row.platform_id)).one()
    learner = connection.scalars(
        select(Learner.external_id)
        .join(Session, Session.learner_id == Learner.id)
        .where(Session.class_id == klass)
        .limit(1)
    ).one()
    act = acts.record(
        connection,
        row,
        kind="answer_time",
        learner=learner,
        body={"answer_window_s": 180},
        reason="使用读屏软件",
        document="",
        actor=zhao.actor,
        user=zhao,
        now_ms=now_ms,
    )
    user = "/console/users/{username}"
    weighed = {
        f"/console/classes/{klass}/scale?scale=literal": "/console/classes/{class_id}/scale",
        "/console/users/zhao/change?role=reviewer&counties=示例县": f"{user}/change",
        f"/console/subsidies/{standard}/end": "/console/subsidies/{standard_id}/end",
    }
    for deed in ("approve", "revoke"):
        weighed[f"/console/classes/{klass}/acts/{act}/{deed}"] = (
            f"/console/classes/{{class_id}}/acts/{{act_id}}/{deed}"
        )
    for deed in ("rotate", "revoke"):
        weighed[f"/console/platforms/{slug}/keys/{key}/{deed}"] = (
            f"/console/platforms/{{slug}}/keys/{{key_id}}/{deed}"
        )
    for deed in ("disable", "enable", "password", "second-factor"):
        weighed[f"/console/users/zhao/{deed}"] = f"{user}/{deed}"
    for deed in ("publish", "discard"):
        weighed[f"/console/pack-drafts/{draft}/{deed}"] = (
            f"/console/pack-drafts/{{draft_id}}/{deed}"
        )
    deciders = ("/console/classes", "/console/pack-drafts")
    return {
        f"weigh-{'-'.join(route.split('/')[2::2])}": Address(
            path, route, AUDITOR if path.startswith(deciders) else ADMIN
        )
        for path, route in weighed.items()
    }


def _addresses(connection: Connection) -> dict[str, Address]:
    def sitting(reason: str) -> str:
        session_id, finding_id = _longest(connection, reason)
        return f"/console/sessions/{session_id}?finding={finding_id}"

    def number(query: object) -> int:
        return int(connection.scalars(query.limit(1)).one())  # type: ignore[attr-defined]

    fast, _ = _longest(connection, "outran")
    cheat = number(select(Session.learner_id).where(Session.id == fast))
    person = number(select(Learner.person_id).where(Learner.id == cheat))
    of_cheat = number(select(Session.class_id).where(Session.id == fast))
    big = number(select(Session.class_id).group_by(Session.class_id).order_by(func.count().desc()))
    on_class = number(select(Finding.id).where(Finding.session_id.is_(None)))
    uncontrolled = number(select(Finding.class_id).where(Finding.id == on_class))
    other, face = _longest(connection, "enrolled_never_seen")
    case = number(select(Finding.case_id).group_by(Finding.case_id).order_by(func.count().desc()))
    photo = number(select(Snapshot.id).where(Snapshot.session_id == other))
    judged = number(select(Run.id).where(Run.class_id == big).order_by(Run.id))
    night = number(select(Run.id).where(Run.kind == "nightly", Run.class_id.is_(None)))
    session = "/console/sessions/{session_id}"
    klass = "/console/classes/{class_id}"
    return {
        "login": Address("/console/login", "/console/login", NOBODY),
        "account": Address("/console/account", "/console/account"),
        "new-app": Address("/console/account/app", "/console/account/app"),
        "new-passkey": Address("/console/account/passkey", "/console/account/passkey"),
        "help": Address("/console/help", "/console/help"),
        "notices": Address("/console/notices", "/console/notices"),
        "overview": Address("/console", "/console"),
        "cases": Address("/console/cases", "/console/cases"),
        "case": Address(f"/console/cases/{case}", "/console/cases/{case_id}"),
        "requests": Address("/console/requests", "/console/requests"),
        "findings": Address("/console/findings", "/console/findings"),
        "findings-none": Address("/console/findings?q=nobody", "/console/findings"),
        "session-fast-forward": Address(sitting("outran"), session),
        "session-popup-gap": Address(sitting("never_shown"), session),
        "session-other-person": Address(sitting("enrolled_never_seen"), session),
        "class-finding": Address(f"/console/findings/{on_class}", "/console/findings/{finding_id}"),
        "events": Address(f"/console/sessions/{fast}/events", f"{session}/events"),
        "photo": Address(f"/console/photos/{photo}", "/console/photos/{snapshot_id}"),
        "face-case": Address(
            f"/console/findings/{face}/faces", "/console/findings/{finding_id}/faces"
        ),
        "classes": Address("/console/classes", "/console/classes"),
        "class": Address(f"/console/classes/{big}", klass),
        "sign-off": Address(f"/console/classes/{big}/sign-off", f"{klass}/sign-off"),
        "class-missing-control": Address(f"/console/classes/{uncontrolled}", klass),
        "learner": Address(
            f"/console/classes/{of_cheat}/learners/{cheat}", f"{klass}/learners/{{learner_id}}"
        ),
        "person": Address(f"/console/people/{person}", "/console/people/{person_id}"),
        "enrolments": Address(f"/console/classes/{of_cheat}/enrolments", f"{klass}/enrolments"),
        "photos": Address(f"/console/classes/{of_cheat}/photos", f"{klass}/photos"),
        "enrolment": Address(
            f"/console/classes/{of_cheat}/learners/{cheat}/enrolment",
            f"{klass}/learners/{{learner_id}}/enrolment",
        ),
        "class-hour": Address(
            f"/console/classes/{of_cheat}/learners/{cheat}/hours/2",
            f"{klass}/learners/{{learner_id}}/hours/{{number}}",
        ),
        "search": Address("/console/search?q=一", "/console/search"),
        "packs": Address("/console/packs", "/console/packs"),
        "pack": Address("/console/packs/huangchuan-2021-graded@1.0.0", "/console/packs/{name}"),
        "platforms": Address("/console/platforms", "/console/platforms"),
        "platform": Address("/console/platforms/qihang", "/console/platforms/{slug}"),
        "platform-keys": Address(
            "/console/platforms/qihang#keys", "/console/platforms/{slug}", ADMIN
        ),
        "platform-statements": Address(
            "/console/platforms/qihang/statements", "/console/platforms/{slug}/statements", ADMIN
        ),
        "runs": Address("/console/runs", "/console/runs"),
        "run": Address(f"/console/runs/{judged}", "/console/runs/{run_id}"),
        "night": Address(f"/console/runs/{night}", "/console/runs/{run_id}"),
        "county": Address("/console/county", "/console/county"),
        "face-data": Address("/console/face-data", "/console/face-data"),
        "users": Address("/console/users", "/console/users", ADMIN),
        "identities": Address("/console/identities", "/console/identities", ADMIN),
        "standing": Address("/console/standing", "/console/standing"),
        "calendar": Address("/console/calendar", "/console/calendar", ADMIN),
        "audit": Address("/console/audit", "/console/audit", ADMIN),
    }


def _longest(connection: Connection, reason: str) -> tuple[int, int]:
    """The longest sitting with such a finding, and the finding: there is most to be seen."""
    length = Session.closed_ms - Session.opened_ms
    query = select(Finding.session_id, Finding.id).join(Session, Session.id == Finding.session_id)
    found = query.where(Finding.reason == reason).order_by(length.desc(), Finding.id).limit(1)
    session_id, finding_id = connection.execute(found).one()
    return session_id, finding_id
