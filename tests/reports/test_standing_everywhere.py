"""Whatever the state of a class, every learner stands on exactly one list, and all say the same."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, insert, select

from app.domain.catalogue.classes import pack_of
from app.domain.judging import eligibility, unsettled
from app.domain.review import sign_off
from app.errors import BadInput
from app.jobs import audit_watch
from app.reports import signed_lists
from app.reports.dossier import Dossier
from app.services import Services
from app.store.judging import verdicts
from app.store.judging.verdicts import Entered
from app.store.review import sign_offs
from detectors.eligibility import ControlAtWork
from models import Appeal, AuditEntry, Finding, Learner, Review, User
from tests import bodies
from tests.people import HUANGCHUAN, County, TestClock
from tests.verdicts import class_row, forty, links_of, sign_in, studied

NAMES = {"lin": "林小兰", "wu": "吴大伟"}
LISTS = {"eligible": "admitted", "ineligible": "refused", "pending": "pending"}
BADGES = {"eligible": "准予", "ineligible": "不接受", "pending": "未审结"}
STATES = ("open", "first_review", "upheld", "overturned", "cured")
HOURS = ("valid", "invalid", "pending_review", "not_proven", "not_started")
RULES = ("fast_forward", "multi_window", "forged_telemetry")


@pytest.fixture
def controls_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class itself waits for nothing, so that its learners are what is decided on."""
    there = [ControlAtWork(it, False) for it in ("popup_gap", "face_liveness", "photo_retention")]
    monkeypatch.setattr(eligibility, "_controls", lambda *_: (there, []))


class Everywhere:
    """Class c1 with Lin and Wu, and where each place says that they stand."""

    def __init__(self, client: TestClient, county: County, clock: TestClock) -> None:
        forty(client, county)
        self.client, self.county, self.clock = client, county, clock
        self.services: Services = client.app.state.services  # type: ignore[attr-defined]
        self.zhao = sign_in(self.services, "zhao", HUANGCHUAN, role="auditor")
        self.sun = sign_in(self.services, "sun", HUANGCHUAN)
        self.klass = class_row(self.services.database, county)
        with self.services.database.write() as connection:
            rows = connection.execute(
                select(Learner.external_id, Learner.id).where(
                    Learner.platform_id == self.klass.platform_id, Learner.external_id.in_(NAMES)
                )
            )
            self.ids = {row.external_id: row.id for row in rows}
            self.reviewer = connection.scalars(select(User.id)).first()
            self.links = links_of(connection, self.services, self.klass.id, self.ids, clock())

    def put(self, chance: random.Random) -> dict[str, list[str]]:
        """Any state: class-hours and findings of either learner, decided or not, appealed or not.
        What is undecided of each is returned."""
        with self.services.database.write() as connection:
            for table in (Appeal, Review, Finding):
                connection.execute(delete(table))
        told: dict[str, list[str]] = {}
        for name, learner_id in self.ids.items():
            hours = {chance.choice(HOURS): [7]} | {chance.choice(HOURS): [9]}
            studied(self.services.database, self.county, self.clock, name, **hours)
            told[name] = [
                it for n in range(chance.randint(0, 2)) if (it := self._find(chance, learner_id, n))
            ]
        return told

    def _find(self, chance: random.Random, learner_id: int, number: int) -> str:
        key, rule = f"{learner_id}-{number}".ljust(32, "k"), chance.choice(RULES)
        outcome, status = (
            chance.choice(("violation", "review", "not_proven")),
            chance.choice(STATES),
        )
        body = bodies.finding(key=key, rule=rule, outcome=outcome, class_hour=7)
        entered = Entered(
            platform_id=self.klass.platform_id,
            class_id=self.klass.id,
            learner_id=learner_id,
            session_id=None,
            shadow=False,
            pack="huangchuan-2021-graded@1.0.0",
            body=body,
        )
        with self.services.database.write() as connection:
            verdicts.keep_findings(connection, self.klass.id, [entered], [], [], None, self.clock())
            row = verdicts.findings_by_key(connection, self.klass.id, [key])[key]
            connection.execute(
                Finding.__table__.update().where(Finding.id == row.id).values(status=status)  # type: ignore[attr-defined]
            )
            if status == "upheld":
                connection.execute(
                    insert(Review).values(
                        finding_id=row.id,
                        reviewer_id=self.reviewer,
                        stage="first",
                        decision="uphold",
                        reason="已核对",
                        created_ms=self.clock(),
                    )
                )
            appealed = status == "upheld" and chance.random() < 0.4
            if appealed:
                connection.execute(
                    insert(Appeal).values(
                        finding_id=row.id, filed_by="x", statement="停电", created_ms=self.clock()
                    )
                )
        undecided = status in ("open", "first_review") and outcome != "not_proven"
        return f"{rule} {outcome} {status}" if undecided or appealed else ""

    def api(self) -> dict[str, str]:
        url = "/v1/classes/c1/eligibility"
        told = self.client.get(url, headers=self.county.huang.headers).json()
        return {it["learner_id"]: it["outcome"] for it in told["learners"]}

    def lists(self) -> dict[str, list[str]]:
        with self.services.database.read() as connection:
            dossier = Dossier(
                connection, self.klass, self.clock(), named=True, on=date(2026, 11, 16)
            )
            drafts = signed_lists.drafts(dossier)
        return {
            outcome: list(map(str, drafts[name].values("学员编号")))
            for outcome, name in LISTS.items()
        }

    def matrix(self) -> Iterator[tuple[str, str]]:
        page = self._get(f"/console/classes/{self.klass.id}")
        for name, learner_id in self.ids.items():
            row = re.search(rf'learners/{learner_id}" title=.*?</tr>', page, re.S)
            assert row is not None
            yield name, next(code for code, word in BADGES.items() if word in row[0])

    def learner_page(self, name: str) -> str:
        page = self._get(f"/console/classes/{self.klass.id}/learners/{self.ids[name]}")
        head = page.partition("</header>")[2].partition("<section")[0]
        return next(code for code, word in BADGES.items() if word in head)

    def own_page(self, name: str) -> str:
        page = self.client.get(self.links[name]).text
        said = re.search(r"能不能申请考核：(.*?)</p>", page, re.S)
        assert said is not None
        if "可以申请" in said[1]:
            return "eligible"
        return "ineligible" if "不能申请" in said[1] else "pending"

    def _get(self, path: str) -> str:
        answer = self.client.get(path, headers=self.zhao)
        assert answer.status_code == 200, path
        return answer.text


@pytest.fixture
def everywhere(client: TestClient, county: County, clock: TestClock) -> Everywhere:
    return Everywhere(client, county, clock)


@pytest.mark.thorough
@pytest.mark.usefixtures("controls_work")
@pytest.mark.parametrize("seed", range(4))
def test_everybody_stands_on_one_list_and_every_place_says_which(
    everywhere: Everywhere, seed: int
) -> None:
    chance, seen = random.Random(seed), set()
    for _ in range(6):
        undecided = everywhere.put(chance)
        api, lists = everywhere.api(), everywhere.lists()
        stands = {name: [it for it, who in lists.items() if name in who] for name in NAMES}
        assert stands == {name: [api[name]] for name in NAMES}
        assert dict(everywhere.matrix()) == api
        for name in NAMES:
            assert everywhere.learner_page(name) == everywhere.own_page(name) == api[name], (
                undecided
            )
            if undecided[name]:
                assert api[name] == "pending", undecided
        seen |= set(api.values())
    assert "pending" in seen and len(seen) > 1


@pytest.mark.usefixtures("controls_work")
def test_what_is_found_after_a_verdict_takes_the_learner_off_the_lists_at_once(
    everywhere: Everywhere,
) -> None:
    studied(everywhere.services.database, everywhere.county, everywhere.clock, "lin")
    assert everywhere.api()["lin"] == "eligible"
    chance = random.Random(1)
    while not everywhere._find(chance, everywhere.ids["lin"], 0):
        pass
    assert dict(everywhere.matrix())["lin"] == everywhere.learner_page("lin") == "pending"


@pytest.mark.usefixtures("controls_work")
def test_the_class_says_what_is_undecided_and_until_when(everywhere: Everywhere) -> None:
    studied(everywhere.services.database, everywhere.county, everywhere.clock, "lin")
    studied(everywhere.services.database, everywhere.county, everywhere.clock, "wu", not_proven=[3])
    everywhere.api()
    with everywhere.services.database.read() as connection:
        found: Any = unsettled.of_class(
            connection, everywhere.klass.id, pack_of(everywhere.klass).name
        )
    assert found.learners == {everywhere.ids["wu"]}
    assert [(it.code, it.learners, it.until) for it in found.matters] == [
        ("hours_not_proven", 1, "2026-04-17")
    ]
    page = everywhere._get(f"/console/classes/{everywhere.klass.id}")
    assert "1人未审结" in page and "课时未能证实" in page and "2026-04-17" in page


@pytest.mark.usefixtures("controls_work")
class TestSigning:
    """Two persons sign, and what they signed stays."""

    @pytest.fixture
    def signing(self, everywhere: Everywhere) -> Everywhere:
        """Lin is settled, Wu is not."""
        there = everywhere.services.database, everywhere.county, everywhere.clock
        studied(*there, "lin")
        studied(*there, "wu", not_proven=[3])
        everywhere.api()
        return everywhere

    def post(self, it: Everywhere, who: dict[str, str], act: str = "", **form: str) -> Any:
        form |= {"csrf": who["x-csrf-token"]}
        url = f"/console/classes/{it.klass.id}/sign-off{act}"
        if act and "seen" not in form:
            form |= {"seen": self.shown(it, who)}
        return it.client.post(url, data=form, headers=who, follow_redirects=False)

    def shown(self, it: Everywhere, who: dict[str, str]) -> str:
        """The digest of the lists that this person is asked to sign; empty where they are not."""
        page = it.client.get(f"/console/classes/{it.klass.id}/sign-off", headers=who).text
        found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
        return found[1] if found else ""

    def waits(self, it: Everywhere, who: dict[str, str]) -> bool:
        """Whether the lists stand on this person's overview, to be signed."""
        page = it.client.get("/console", headers=who).text
        return f"/console/classes/{it.klass.id}/sign-off" in page

    def exported(self, it: Everywhere, name: str) -> str:
        url = f"/v1/classes/c1/exports/{name}.csv"
        return it.client.get(url, headers=it.county.huang.headers).content.decode("utf-8-sig")

    def test_lists_are_drafts_until_another_person_signed_what_one_submitted(
        self, signing: Everywhere
    ) -> None:
        assert "准予申请线下考核名单（草稿）" in self.exported(signing, "admitted")
        assert "草稿" in self.exported(signing, "public-list")
        assert "草稿" not in self.exported(signing, "roster")
        assert self.post(signing, signing.zhao).status_code == 303
        own = self.post(signing, signing.zhao, "/sign")
        assert own.status_code == 422 and "须由另一人" in own.text
        assert self.waits(signing, signing.sun) and not self.waits(signing, signing.zhao)
        assert self.post(signing, signing.sun, "/sign").status_code == 303
        assert not self.waits(signing, signing.sun)
        told = self.exported(signing, "admitted")
        assert "草稿" not in told and "已签发（首次签发" in told and "林小兰" in told
        notice = self.exported(signing, "public-list")
        assert "潢川县人力资源和社会保障局（盖章）" in notice and "公示期" in notice
        assert "摘要" not in notice and "sha256" not in notice
        assert "林小兰" not in self.exported(signing, "pending")

    def test_signed_lists_print_the_audit_log_s_head_which_tells_that_it_was_cut(
        self, signing: Everywhere
    ) -> None:
        self.post(signing, signing.zhao)
        self.post(signing, signing.sun, "/sign")
        head = re.search(r"审计日志,\"?([0-9]+:[0-9a-f]{64})", self.exported(signing, "admitted"))
        assert head is not None
        assert "审计日志" not in self.exported(signing, "public-list")
        assert audit_watch.verify(signing.services, printed=[head[1]]) == []
        with signing.services.database.write() as connection:
            last = select(AuditEntry.id).where(AuditEntry.action == "lists.signed")
            entry = connection.execute(last).scalar_one()
            connection.execute(delete(AuditEntry).where(AuditEntry.id >= entry))
        for it in audit_watch.heads_in(audit_watch.folder_of(signing.services)):
            it.unlink()
        assert audit_watch.verify(signing.services) == [], "nothing else tells"
        (problem,) = audit_watch.verify(signing.services, printed=[head[1]])
        assert "gone from the audit log" in problem
        with pytest.raises(BadInput, match="64 hex"):
            audit_watch.verify(signing.services, printed=["812"])

    def test_what_changes_after_that_is_a_numbered_correction_that_says_what(
        self, signing: Everywhere
    ) -> None:
        self.post(signing, signing.zhao)
        self.post(signing, signing.sun, "/sign")
        there = signing.services.database, signing.county, signing.clock
        home, changed = f"/console/classes/{signing.klass.id}", "已签发，其后有变动，待更正"
        assert changed not in signing._get(home)
        studied(*there, "wu")
        kept = self.exported(signing, "admitted")
        assert "吴大伟" not in kept and "签发后情况有变化" in kept
        assert changed in signing._get(home)
        page = signing._get(f"/console/classes/{signing.klass.id}/sign-off")
        assert "签发之后有1人变动" in page and "送签更正第1号" in page
        silent = self.post(signing, signing.sun)
        assert silent.status_code == 422 and "请写明理由" in silent.text
        assert self.post(signing, signing.sun, reason="吴大伟第3课时已补证").status_code == 303
        assert self.post(signing, signing.zhao, "/sign").status_code == 303
        told = self.exported(signing, "admitted")
        assert "（更正第1号）" in told and "吴大伟第3课时已补证" in told
        assert "吴大伟（wu）：由未审结改为准予。" in told
        answer = signing.client.get("/v1/classes/c1/sign-offs", headers=signing.zhao).json()
        assert [(it["state"], it["number"]) for it in answer["sign_offs"]] == [
            ("signed", 1),
            ("signed", 0),
        ]

    def test_nobody_sends_back_other_lists_than_they_were_shown(self, signing: Everywhere) -> None:
        self.post(signing, signing.zhao)
        shown = self.shown(signing, signing.sun)
        back = {"reason": "吴大伟未审结，请等", "seen": shown}
        assert self.post(signing, signing.sun, "/withdraw", **back).status_code == 303
        studied(signing.services.database, signing.county, signing.clock, "wu")
        self.post(signing, signing.zhao)
        stale = self.post(signing, signing.sun, "/withdraw", **back)
        assert stale.status_code == 422 and "请刷新后再看" in stale.text
        assert "吴大伟未审结，请等" in stale.text
        assert self.waits(signing, signing.sun)

    def test_who_signs_what_was_just_signed_is_shown_how_the_lists_stand(
        self, signing: Everywhere
    ) -> None:
        self.post(signing, signing.zhao)
        shown = self.shown(signing, signing.sun)
        self.post(signing, signing.sun, "/sign", seen=shown)
        for act in ("/sign", "/withdraw"):
            late = self.post(signing, signing.sun, act, seen=shown, reason="名单有误")
            assert late.status_code == 422 and "请刷新后再看" in late.text
            assert "名单签发" in late.text and "此页不存在" not in late.text

    def test_nobody_signs_lists_that_changed_since_they_were_submitted(
        self, signing: Everywhere
    ) -> None:
        self.post(signing, signing.zhao)
        studied(signing.services.database, signing.county, signing.clock, "wu")
        late = self.post(signing, signing.sun, "/sign")
        assert late.status_code == 422 and "送签以后名单有了变化" in late.text
        again = self.post(signing, signing.sun)
        assert again.status_code == 422 and "已送签" in again.text
        back = self.post(signing, signing.sun, "/withdraw", reason="名单已有变化")
        assert back.status_code == 303
        assert self.post(signing, signing.sun).status_code == 303

    def test_nobody_signs_other_lists_than_those_that_they_were_shown(
        self, signing: Everywhere
    ) -> None:
        self.post(signing, signing.zhao)
        seen = self.shown(signing, signing.sun)
        studied(signing.services.database, signing.county, signing.clock, "wu")
        self.post(signing, signing.zhao, "/withdraw", reason="重新送签")
        assert self.post(signing, signing.zhao).status_code == 303
        for stale in (seen, ""):
            refused = self.post(signing, signing.sun, "/sign", seen=stale)
            assert refused.status_code == 422 and "请刷新后再看" in refused.text
        assert self.post(signing, signing.sun, "/sign").status_code == 303

    def test_lists_as_they_were_signed_are_not_signed_again(self, signing: Everywhere) -> None:
        self.post(signing, signing.zhao)
        self.post(signing, signing.sun, "/sign")
        same = self.post(signing, signing.sun, reason="再签一次")
        assert same.status_code == 422 and "无须更正" in same.text

    def test_names_on_signed_lists_are_sealed_in_the_database(self, signing: Everywhere) -> None:
        self.post(signing, signing.zhao)
        with signing.services.database.read() as connection:
            (row,) = sign_offs.of_class(connection, signing.klass.id)
            sealed = sign_offs.sealed_lists(connection, row.id)
            assert "林小兰".encode() not in sealed
            assert "林小兰".encode() in sign_off.lists_of(connection, signing.services.vault, row)

    def test_platforms_are_told_of_the_signature_and_not_by_whom(self, signing: Everywhere) -> None:
        self.post(signing, signing.zhao)
        self.post(signing, signing.sun, "/sign")
        answer = signing.client.get(
            "/v1/classes/c1/sign-offs", headers=signing.county.huang.headers
        ).json()
        (told,) = answer["sign_offs"]
        assert told["state"] == "signed" and told["signed_by"] is told["prepared_by"] is None
        assert "签发 sun" not in self.exported(signing, "admitted")
