"""A county's pack: one person writes it, the check speaks Chinese, another person publishes it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.judging import what_if
from app.domain.policy import pack_draft, pack_lock, packs
from app.errors import Conflict
from models import AuditEntry, PackDraft, Run
from tests.console.conftest import Desk

BASE = "huangchuan-2021-graded@1.2.0"
FORM = {"base": BASE, "pack_id": "xinxian-2026", "version": "1.0.0", "title": "新县2026年方案"}
CLAUSES = """\
[instrument]
title = "通知"
title_en = "Notice"
number = "新人社〔2026〕0号"
issuer = "示例"
dated = 2026-01-05
source_text = "not in tree"

[clauses.gap]
article = "三"
words = "连续4分钟内无弹窗管控"
gloss_en = "no pop-up within four minutes"
"""
OWN = "xinxian-2026-1-0-0/gap"


class Writing:
    """Zhao writes; Sun, in a browser of her own, publishes."""

    def __init__(self, desks) -> None:
        self.zhao: Desk = desks().sign_in("zhao")
        self.sun: Desk = desks().sign_in("sun")
        answer = self.post(self.zhao, "", FORM)
        assert answer.status_code == 303, answer.text
        self.path = answer.headers["location"]

    def post(self, who: Desk, ending: str, form: dict[str, str]):
        where = f"{self.path}{ending}" if ending or hasattr(self, "path") else ""
        data = {"csrf": who.csrf("/console"), "reason": "县里已研究通过", **form}
        url = where or "/console/pack-drafts"
        return who.client.post(url, data=data, follow_redirects=False)

    def digest(self, who: Desk) -> str:
        found = re.search(r'name="digest" value="(\w+)"', who.get(self.path))
        assert found
        return found[1]

    def text(self) -> str:
        with self.zhao.services.database.read() as connection:
            return connection.scalars(select(PackDraft.text)).one()

    def save(self, text: str, clauses: str = "") -> str:
        form = {"text": text, "clauses": clauses, "digest": self.digest(self.zhao)}
        assert self.post(self.zhao, "", form).status_code == 303
        return self.zhao.get(self.path)

    def change(self, **form: str):
        return self.post(self.zhao, "/parameter", form | {"digest": self.digest(self.zhao)})

    def publish(self, who: Desk):
        return self.post(who, "/publish", {"digest": self.digest(who)})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site-packs"
    folder.mkdir()
    monkeypatch.setenv("ZHENXUE_PACKS_DIR", str(folder))
    return folder


@pytest.fixture
def writing(site: Path, new_desk) -> Writing:
    return Writing(new_desk)


def test_a_number_is_quoted_from_words_of_its_own_and_published_by_another(
    writing: Writing, site: Path
) -> None:
    writing.save(writing.text(), CLAUSES)
    writing.change(parameter="popup_gap.schedule_max_s", value="230")
    quote = "连续4分钟内无弹窗管控"
    sent = {"parameter": "popup_gap.max_gap_s", "value": "240", "quote": quote}
    assert writing.change(**sent, clause=OWN).status_code == 303
    assert "检查通过" in writing.zhao.get(writing.path)
    assert writing.publish(writing.sun).headers["location"].endswith("xinxian-2026@1.0.0")
    pack = packs.load("xinxian-2026")
    assert pack.policy["popup_gap"]["max_gap_s"] == 240
    assert not pack.clauses[OWN].in_tree
    assert pack_lock.read_lock(site)["xinxian-2026@1.0.0"] == pack.digest
    assert pack_lock.check() == []


def test_who_wrote_cannot_publish_and_nothing_is_put_into_the_folder(
    writing: Writing, site: Path
) -> None:
    answer = writing.publish(writing.zhao)
    assert answer.status_code == 422 and "须由另一人公布" in answer.text
    assert list(site.iterdir()) == []


def test_what_is_wrong_is_told_in_chinese_and_kept(writing: Writing, site: Path) -> None:
    wrong = writing.text() + "\n[rules.daily_cap.parameters.daily_cap_hours]\nvalue = 8\n"
    page = writing.save(wrong)
    assert "缺少" in page and "daily_cap_hours" in page
    assert "不是正确的TOML文本" in writing.save("schema = = 1")
    assert writing.publish(writing.sun).status_code == 422
    assert list(site.iterdir()) == []
    assert writing.text() == "schema = = 1"


def test_a_published_pack_changes_no_more_and_keeps_its_version(
    writing: Writing, site: Path
) -> None:
    writing.publish(writing.sun)
    before = (site / "xinxian-2026@1.0.0.toml").read_bytes()
    with writing.zhao.services.database.read() as connection:
        row = connection.execute(select(PackDraft)).one()
    held = pack_draft.PackDraft(row.pack_id, row.version, row.text, row.clauses).digest
    late = writing.post(writing.zhao, "", {"text": "x", "clauses": "", "digest": held})
    assert late.status_code == 422
    assert (site / "xinxian-2026@1.0.0.toml").read_bytes() == before
    with pytest.raises(Conflict, match="published"):
        pack_draft.check_name("xinxian-2026", "1.0.0")
    pack_draft.check_name("xinxian-2026", "1.1.0")


def test_nobody_publishes_a_text_that_they_have_not_seen(writing: Writing, site: Path) -> None:
    writing.change(parameter="popup_gap.schedule_max_s", value="190")
    seen = writing.digest(writing.sun)
    writing.change(parameter="popup_gap.max_gap_s", value="200")
    answer = writing.post(writing.sun, "/publish", {"digest": seen})
    assert answer.status_code == 422 and "刚刚改过" in answer.text
    asked = writing.sun.get(f"{writing.path}/publish")
    assert "300 → 200" in asked, "who publishes reads what becomes different"
    assert list(site.iterdir()) == []


def test_a_draft_is_tried_as_it_was_on_what_is_stored(writing: Writing) -> None:
    form = {"since": "2026-04-01", "until": "2026-04-08"}
    answer = writing.post(writing.zhao, "/trial", form)
    assert answer.headers["location"].startswith("/console/what-if/")
    shown = writing.zhao.get(answer.headers["location"])
    assert (
        "xinxian-2026@" not in shown
        and "试算的日子不都在" in shown
        and "能否适用由主管部门决定" in shown
    )
    services = writing.zhao.services
    with services.database.read() as connection:
        asked = connection.scalars(select(Run.summary).where(Run.kind == what_if.KIND))
        (summary,) = asked
    writing.save("schema = = 1")
    assert what_if.pack_of(summary).name == "xinxian-2026@1.0.0"


def test_the_shipped_packs_ids_are_taken(writing: Writing) -> None:
    with pytest.raises(Conflict, match="product's own"):
        pack_draft.check_name("huangchuan-2021-graded", "9.0.0")


def test_another_county_finds_no_draft(writing: Writing, new_desk) -> None:
    qian = new_desk().sign_in("qian")
    assert qian.client.get(writing.path).status_code == 404
    assert "xinxian-2026" not in qian.get("/console/pack-drafts")


def test_each_act_stands_in_the_audit_log(writing: Writing) -> None:
    writing.change(parameter="popup_gap.schedule_max_s", value="190")
    writing.change(parameter="popup_gap.max_gap_s", value="240")
    writing.publish(writing.sun)
    with writing.zhao.services.database.read() as connection:
        kept = list(connection.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    own = [it for it in kept if it.startswith("pack.")]
    assert own == ["pack.drafted", "pack.edited", "pack.edited", "pack.published"]


def test_a_word_of_a_pack_is_read_and_written_in_chinese(writing: Writing) -> None:
    page = writing.zhao.get(writing.path)
    form = page.split('name="parameter"')[1].split("</form>")[0]
    assert "= 直接可补" in form and "= 影响本人全部培训" in form and "= 4、8、12" in form
    assert "= automatic" not in form and "= L2" not in form
    said = {
        "cure.missing_control": "不得补课",
        "reach.grave": "影响课时",
        "enrolment.required_share": "90%",
        "C1.months": "5、11",
    }
    for parameter, word in said.items():
        writing.change(parameter=parameter, value=word)
    told = tomllib.loads(writing.text())
    assert told["cure"]["parameters"]["missing_control"]["value"] == "none"
    assert told["reach"]["parameters"]["grave"]["value"] == "L1"
    assert told["enrolment"]["parameters"]["required_share"]["value"] == 0.9
    assert told["checks"]["C1"]["parameters"]["months"]["value"] == [5, 11]
    refused = writing.change(parameter="cure.missing_control", value="随便")
    assert refused.status_code == 422 and "这个参数不能是这个词" in refused.text
    assert tomllib.loads(writing.text()) == told
    page = writing.save(writing.text().replace('value = "none"', 'value = "nothing"'))
    assert "automatic（直接可补）" in page


def test_a_parameter_written_twice_stands_once_in_the_text(writing: Writing) -> None:
    writing.change(parameter="popup_gap.schedule_max_s", value="190")
    writing.change(parameter="popup_gap.max_gap_s", value="200")
    writing.change(parameter="enrolment.required_share", value="0.9")
    writing.change(parameter="popup_gap.max_gap_s", value="240")
    told = tomllib.loads(writing.text())
    assert told["rules"]["popup_gap"]["parameters"]["max_gap_s"]["value"] == 240
    assert told["enrolment"]["parameters"]["required_share"]["value"] == 0.9


def test_without_a_folder_of_the_site_nothing_is_published(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZHENXUE_PACKS_DIR")
    answer = writing.publish(writing.sun)
    assert answer.status_code == 422 and "ZHENXUE_PACKS_DIR" in answer.text
