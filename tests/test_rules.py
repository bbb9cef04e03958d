"""A rule's file holds all that is said of it, in both languages, and no number of any pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import rules
from app.domain.judging.sentences import filled, sentences
from app.domain.policy import packs
from app.languages import Text
from detectors import registry
from tests import bodies

HERE = Path(__file__).parents[1] / "detectors"
PLACE = re.compile(r"\{[^}]*\}")
NUMBER = re.compile(r"\d|[一二三四五六七八九十两半]+(?:秒|分钟|小时)")
# Numbers of the detector's own, which no pack changes.
OWN = {"不到0.25秒即被应答", "within 0.25 s of their display", "同一秒"}

FINE = """
title = { zh = "深夜学习", en = "Study at night" }
letter = { zh = "夜", en = "N" }
gravity = 3

[reasons.small_hours]
zh = "{start}至{end:short}学习了{measured}分钟，超过{limit}分钟。"
en = "{measured} min from {start} to {end:short}, more than {limit} min."
"""
FINDING: dict[str, Any] = {
    "rule": "popup_gap",
    "reason": "none_issued",
    "start_ms": 1_791_766_800_000,
    "end_ms": 1_791_767_400_000,
    "measured": 600.0,
    "limit": 540.0,
    "unit": "s",
}


def texts(rule: rules.Rule) -> Iterator[Text]:
    yield from (it for it in (rule.title, rule.letter, rule.learner, rule.control) if it)
    for name, reason in rule.reasons.items():
        told = (reason.sentence, rule.learner_text(name), reason.ask, reason.measured, reason.limit)
        yield from (it for it in told if isinstance(it, Text))


def test_every_detector_has_a_file_and_every_file_a_detector() -> None:
    assert {path.stem for path in HERE.glob("*.toml")} == {it.rule for it in registry.ALL}
    assert list(rules.known()) == [it.rule for it in registry.ALL]


@pytest.mark.parametrize("name", rules.known())
def test_what_is_said_of_a_rule_holds_no_number_of_a_pack(name: str) -> None:
    for it in texts(rules.known()[name]):
        for text in (it.zh, it.en):
            for own in OWN:
                text = text.replace(own, "")
            assert not NUMBER.search(PLACE.sub("", text)), text


@pytest.mark.parametrize("name", rules.known())
def test_everything_is_said_in_both_languages(name: str) -> None:
    for it in texts(rules.known()[name]):
        assert re.search(r"[一-鿿]|^\{", it.zh) and it.en
        assert not re.search(r"[一-鿿]", it.en)
        assert {*PLACE.findall(it.zh)} >= {*PLACE.findall(it.en)}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "{limit}分钟。",
            "{most}分钟。",
            "reasons.small_hours: {most} is none of a finding's values",
        ),
        ("{end:short}学习", "{end:long}学习", "{end:long} is none of a finding's values"),
        ("{start}至", "{start至", "reasons.small_hours"),
        ("gravity = 3", "gravity = 9", "gravity"),
        ("gravity = 3", "", "gravity"),
        (', en = "N" }', " }", "missing required field `en`"),
        ("[reasons.small_hours]", '[reasons.small_hours]\nlearner = "none"', "no words at 'none'"),
        ("[reasons.small_hours]", "[reasons.small_hours]\nasks = 1", "unknown field `asks`"),
        ("[reasons.small_hours]", "[reasons", "line"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    old: str, new: str, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "night_study.toml"
    path.write_text(FINE, "utf-8")
    assert rules.read(path).reasons["small_hours"].sentence
    path.write_text(FINE.replace(old, new, 1), "utf-8")
    with pytest.raises(rules.RuleFileError, match=re.escape(problem)) as refused:
        rules.read(path)
    assert str(refused.value).startswith("night_study.toml: ")


def test_a_detector_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(rules.RuleFileError, match="no such file"):
        rules.read(tmp_path / "night_study.toml")


def test_times_and_numbers_are_written_for_who_reads_them() -> None:
    told = Text("{start}至{end:short}{measured}/{limit:span}", "{start} {end} {limit}")
    span = "{}毫秒".format
    assert (
        filled(told, bodies.finding(**FINDING), "zh", span)
        == "2026年10月12日09:00至09:10600/540000毫秒"
    )
    assert filled(told, bodies.finding(**FINDING), "en") == "2026-10-12 09:00 2026-10-12 09:10 540"
    late = bodies.finding(**FINDING | {"end_ms": FINDING["end_ms"] + 86_400_000})
    assert filled(told, late, "zh").startswith("2026年10月12日09:00至2026年10月13日09:10")


@pytest.mark.parametrize(
    ("measured", "limit", "minutes", "said"),
    [
        (2641.3, 10.0, 45, "09:00 44分钟/10秒"),
        (303.0, 300.0, 45, "09:00 5分03秒/5分钟"),
        (2410.0, 2401.0, 45, "09:00 40分10秒/40分01秒"),  # seconds tell the one from the other
        (12.0, 10.0, 1, "09:00:00 12秒/10秒"),
    ],
)
def test_seconds_are_told_only_where_they_matter(
    measured: float, limit: float, minutes: int, said: str
) -> None:
    told = Text("{start:short} {measured:span}/{limit:span}", "")
    values = {"measured": measured, "limit": limit, "unit": "s"}
    end_ms = FINDING["start_ms"] + minutes * 60_000
    assert filled(told, bodies.finding(**FINDING | values | {"end_ms": end_ms}), "zh") == said


def test_a_sentence_says_who_decides() -> None:
    finding = FINDING | {"rule": "face_liveness", "reason": "presentation_attack"}
    two = sentences(bodies.finding(**finding, needs_two_reviewers=True))
    assert two.zh.endswith("须由两人复核确认。")
    one = sentences(bodies.finding(**finding))
    assert one.zh.endswith("须由人工复核确认。") and one.en.endswith("a reviewer decides.")


@pytest.mark.parametrize(("rule", "reason"), [("popup_gap", "later"), ("later", "later")])
def test_a_finding_of_another_version_is_told_without_words_of_its_own(
    rule: str, reason: str
) -> None:
    told = sentences(bodies.finding(**FINDING | {"rule": rule, "reason": reason}))
    assert "600" in told.zh and "540" in told.en and "2026-10-12 09:00" in told.en


def test_a_rule_is_called_as_the_pack_calls_it_that_judged() -> None:
    pack = "huangchuan-2021-graded@1.0.0"
    assert packs.rule_title("popup_gap", pack).zh == "连续5分钟内无弹窗管控"
    assert packs.rule_title("popup_gap").zh == rules.known()["popup_gap"].title.zh
    assert packs.rule_title("popup_gap", "gone@1.0.0") == rules.known()["popup_gap"].title
    assert packs.rule_title("shared_device", pack) == rules.known()["shared_device"].title
    assert packs.rule_title("later", pack) == Text("later", "later")
