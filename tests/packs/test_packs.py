"""A pack is found by id and version, known by its digest, and tells where its numbers come from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.judging.check_sentences import limit_of
from app.domain.policy import packs
from detectors.eligibility import Cure
from detectors.policy import Reach, Status
from tests.packs.shelf import GRADED, LITERAL, Shelf

SIX = (
    "fast_forward",
    "multi_window",
    "popup_gap",
    "face_liveness",
    "lesson_order",
    "photo_retention",
)


@pytest.fixture(params=[GRADED, LITERAL])
def pack(request: pytest.FixtureRequest) -> packs.Pack:
    return packs.load(request.param)


def test_the_packs_ship_and_are_listed_by_name() -> None:
    listed = packs.available()
    assert {f"{GRADED}@1.0.0", f"{LITERAL}@1.0.0"} <= {it.name for it in listed}
    here = [it for it in listed if it.instrument == "潢技领办〔2021〕1号"]
    assert [it.id for it in here if it.latest] == [GRADED, LITERAL]


def test_the_policy_gives_a_detector_its_numbers(pack: packs.Pack) -> None:
    assert pack.policy["popup_gap"].ms("max_gap_s") == 300_000
    assert pack.policy["multi_window"].word("on_second") == "reject_new"
    assert pack.policy["class_hour"]["min_minutes"] == 40
    assert pack.policy["session"]["heartbeat_s"] == 10
    assert pack.policy.digest == pack.digest


def test_the_six_rules_act_and_new_heuristics_stay_in_the_shadow(pack: packs.Pack) -> None:
    assert all(pack.policy[rule].acts for rule in (*SIX, "forged_telemetry", "photo_reuse"))
    assert pack.policy["one_face_several_accounts"].status is Status.SHADOW


def test_what_was_promoted_stays_in_the_shadow_of_the_version_before(pack: packs.Pack) -> None:
    before = packs.load(pack.id, "1.0.0")
    assert {before.policy[rule].status for rule in ("collusion", "marathon")} == {Status.SHADOW}
    assert pack.policy["collusion"].acts and pack.policy["marathon"].acts


def test_every_parameter_says_where_it_comes_from_in_both_languages(pack: packs.Pack) -> None:
    shown = [it for table in pack.table.tables for it in pack.parameters_of(table)]
    assert len(shown) > 60
    for it in shown:
        assert it.note.zh and it.note.en
        assert it.quoted == (it.label.en != "product default")
        assert it.quoted == (it.quote is not None)


def test_the_five_minutes_are_quoted_and_the_answer_window_is_our_own(pack: packs.Pack) -> None:
    gap = pack.parameter("popup_gap", "max_gap_s")
    assert (gap.value, gap.label.zh, gap.quote) == (300, "规定原文", "连续5分钟内无弹窗管控")
    window = pack.parameter("popup_gap", "answer_window_s")
    assert (window.value, window.label.zh, window.clause) == (60, "产品默认值", None)
    most = pack.parameter("D1", "max_per_year")
    assert most.label.en == "quoted, source text not in tree"


def test_only_these_numbers_are_quoted() -> None:
    pack = packs.load(GRADED)
    quoted = {
        f"{it.table}.{it.name}"
        for table in pack.table.tables
        for it in pack.parameters_of(table)
        if it.quoted
    }
    assert quoted == {
        "class_hour.min_minutes",
        "reach.reviewers",
        "cure.approved_leave",
        "popup_gap.max_gap_s",
        "face_liveness.two_reviewers",
        "photo_retention.photos_min",
        "B5.min_class_hours",
        "B6.min_minutes",
        "B7.min_continuous_minutes",
        "B8.max_age",
        "B10.max_learners_per_teacher",
        "B11.max_learners",
        "B13.min_practical_share",
        "B14.max_apprentices_per_teacher",
        "B18.min_offline_hours",
        "B20.min_months",
        "C1.months",
        "C7.days_ahead",
        "C11.min_satisfaction",
        "C11.block_months",
        "D1.max_per_year",
    }


def test_every_rule_and_check_has_a_clause_and_a_title(pack: packs.Pack) -> None:
    for name in (*pack.table.rules, *pack.table.checks):
        assert pack.clause_of(name).words
        assert pack.title_of(name).zh and pack.title_of(name).en
    with pytest.raises(KeyError):
        pack.clause_of("session")
    with pytest.raises(KeyError):
        pack.title_of("session")


def test_the_literal_pack_differs_in_consequences_and_in_no_number() -> None:
    changes = packs.diff(packs.load(GRADED), packs.load(LITERAL))
    fields = {change.path.rpartition(".")[2] for change in changes}
    assert fields == {"reach", "curable", "misconduct", "missing_control"}
    assert {rule for rule in SIX if packs.load(LITERAL).policy[rule].reach is Reach.LEARNER} == {
        *SIX
    }
    assert packs.load(LITERAL).consequences.misconduct is Cure.NONE
    assert packs.load(GRADED).consequences.misconduct is Cure.AUTHORITY


def test_a_missing_control_reaches_the_class_in_both_packs(pack: packs.Pack) -> None:
    assert pack.consequences.missing_control is Reach.CLASS
    assert pack.consequences.reviewers == 2
    assert pack.attested_may_be_valid is True


def test_the_digest_is_the_sha256_of_canonical_json(pack: packs.Pack) -> None:
    assert json.loads(pack.canonical) == json.loads(json.dumps(pack.content))
    assert pack.digest == hashlib.sha256(pack.canonical).hexdigest()


def test_the_digest_covers_the_words_of_the_clauses_and_the_catalogue(shelf: Shelf) -> None:
    before = packs.load(GRADED).digest
    shelf.edit('"花艺师" = "插花花艺师"\n', "", "catalogues/huangchuan-2021-annex3.toml")
    assert shelf.load().digest != before


def test_a_comment_or_the_order_of_lines_changes_no_digest(shelf: Shelf) -> None:
    shelf.edit('status = "active"\nreach = "L2"', 'reach = "L2" # once more\nstatus = "active"')
    assert shelf.load().digest == packs.load(GRADED, "1.0.0").digest


def test_several_versions_stand_side_by_side_and_the_latest_is_taken(shelf: Shelf) -> None:
    shelf.add_version(GRADED, "1.2.0")
    shelf.add_version(GRADED, "1.10.0")
    assert shelf.load(GRADED).version == "1.10.0"
    assert shelf.load(GRADED, "1.2.0").version == "1.2.0"
    assert shelf.load(f"{GRADED}@1.0.0").digest == packs.load(GRADED, "1.0.0").digest
    assert shelf.load(LITERAL).digest == packs.load(LITERAL, "1.0.0").digest


def follow(shelf: Shelf, leader: str = GRADED) -> None:
    """The literal pack reads later versions of the graded one as it reads the first."""
    extends = f'extends = "{GRADED}@1.0.0"'
    shelf.edit(extends, f'{extends}\nfollows = "{leader}"', f"{LITERAL}@1.0.0.toml")


def test_a_pack_that_follows_another_has_its_later_versions_too(shelf: Shelf) -> None:
    follow(shelf)
    before = shelf.load(f"{LITERAL}@1.0.0")
    shelf.add_version(GRADED, "1.2.0")
    shelf.edit(
        "edge_margin_s = { value = 60", "edge_margin_s = { value = 45", f"{GRADED}@1.2.0.toml"
    )
    assert packs.versions(shelf.folder)[LITERAL] == ("1.0.0", "1.2.0")
    later = shelf.load(LITERAL)
    assert (later.version, later.parameter("photo_retention", "edge_margin_s").value) == (
        "1.2.0",
        45,
    )
    assert later.policy["popup_gap"].reach is Reach.LEARNER and later.title == before.title
    assert before.digest == packs.load(LITERAL, "1.0.0").digest
    assert shelf.load(LITERAL, "1.0.0").parameter("photo_retention", "edge_margin_s").value == 60


def test_a_version_of_its_own_stands_before_what_a_pack_follows(shelf: Shelf) -> None:
    follow(shelf)
    shelf.add_version(GRADED, "1.2.0")
    shelf.add_version(LITERAL, "1.3.0")
    assert packs.versions(shelf.folder)[LITERAL] == ("1.0.0", "1.3.0")


def test_a_pack_follows_what_it_extends_and_nothing_else(shelf: Shelf) -> None:
    follow(shelf, "henan")
    with pytest.raises(packs.PackError, match="follows: must be the pack that it extends"):  # type: ignore[attr-defined]
        shelf.load(LITERAL)


def test_an_unknown_pack_or_version_is_a_clear_refusal() -> None:
    with pytest.raises(
        packs.UnknownPack, match=f"no pack 'henan'; there are: .*{GRADED}, {LITERAL}"
    ):
        packs.load("henan")
    with pytest.raises(packs.UnknownPack, match=r"no version '9\.0\.0' .* there are: 1\.0\.0"):
        packs.load(GRADED, "9.0.0")


def test_a_loaded_pack_is_loaded_once() -> None:
    assert packs.load(GRADED) is packs.load(GRADED, packs.load(GRADED).version)


def test_a_diff_shows_a_changed_parameter_whole(shelf: Shelf) -> None:
    shelf.edit("answer_window_s = { value = 60", "answer_window_s = { value = 45")
    [change] = packs.diff(packs.load(GRADED, "1.0.0"), shelf.load())
    assert change.path == "rules.popup_gap.parameters.answer_window_s"
    assert (change.before["value"], change.after["value"]) == (60, 45)


def changed(pack: packs.Pack, check: str, name: str, value: float) -> packs.Pack:
    """The pack with another number in one check."""
    table = pack.table.checks[check]
    own = table.parameters[name].model_copy(update={"value": value})
    checks = {
        **pack.table.checks,
        check: table.model_copy(update={"parameters": {**table.parameters, name: own}}),
    }
    return replace(pack, table=pack.table.model_copy(update={"checks": checks}))


NUMBERS = [
    (check, name)
    for check, table in packs.load(GRADED).table.checks.items()
    for name, it in table.parameters.items()
    if isinstance(it.value, int | float) and not isinstance(it.value, bool)
]


@pytest.mark.parametrize(("check", "name"), NUMBERS, ids=".".join)
@given(times=st.integers(2, 9))
def test_the_limit_beside_what_was_found_is_the_pack_s_own_number(
    check: str, name: str, times: int
) -> None:
    pack = packs.load(GRADED)
    old = float(pack.parameter(check, name).value)  # type: ignore[arg-type]
    new = old / times if old < 1 else old * times
    other = changed(pack, check, name, new)
    before, after = ({it: limit_of(it, one) for it in pack.checks} for one in (pack, other))
    told = {it for it in before if before[it] != after[it]}
    assert told, "nobody reads this number"
    for it in told:
        shown = f"{new:.0%}" if old < 1 else f"{new:g}"
        assert shown in after[it]
