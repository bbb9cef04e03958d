"""What other places ask decides through their packs: no code is changed for it."""

from __future__ import annotations

import pytest

from app.domain.policy import packs
from app.simulation.environment import Setting
from app.simulation.scenarios import SCENARIOS, perform, setting_of
from detectors.assess import HourOutcome, acts, assess
from detectors.finding import Outcome
from detectors.policy import Status
from tests.detectors.columns import columns_of

PLACES = ("aq-8011-2023", "jiangxi-2024-special", "jiangxi-2024-managers")


@pytest.mark.parametrize("name", PLACES)
def test_an_honest_learner_is_accused_of_nothing_elsewhere(name: str) -> None:
    setting = setting_of(SCENARIOS["H01"], Setting())
    result = assess(columns_of(perform("H01", setting=setting)).trace(), packs.load(name).policy)
    assert {it.outcome for it in result.hours} == {HourOutcome.VALID}


# No camera, a covered lens, another face, a feed, no controls at all, photos that came late.
DIM = ("F22", "F23", "F25", "F28", "F29", "F30", "F37", "H23")


@pytest.mark.parametrize("name", [*PLACES, "huangchuan-2021-graded"])
def test_a_class_hour_that_is_not_valid_names_what_is_missing(name: str) -> None:
    policy = packs.load(name).policy
    for scenario in DIM:
        result = assess(columns_of(perform(scenario)).trace(), policy)
        for hour in result.hours:
            found = [result.findings[it] for it in hour.findings]
            named = [it for it in found if acts(it, policy) and it.outcome is not Outcome.CLEAR]
            settled = (HourOutcome.VALID, HourOutcome.INCOMPLETE, HourOutcome.NOT_STARTED)
            assert named or hour.outcome in settled, scenario


def test_where_no_photo_is_asked_for_nobody_needs_one() -> None:
    trace = columns_of(perform("F30")).trace()
    old, new = (packs.load("aq-8011-2023", it).policy for it in ("1.1.0", "1.2.0"))
    assert [it.outcome for it in assess(trace, old).hours] == [HourOutcome.NOT_PROVEN]
    assert [it.outcome for it in assess(trace, new).hours] == [HourOutcome.VALID]


@pytest.mark.parametrize("name", PLACES)
def test_every_number_is_quoted_at_second_hand_or_the_products_own(name: str) -> None:
    pack = packs.load(name)
    shown = [it for table in pack.table.tables for it in pack.parameters_of(table)]
    quoted = {(it.table, it.name) for it in shown if it.quoted}
    assert {("class_hour", "min_minutes"), ("E1", "min_theory_share")} <= quoted
    assert len(quoted) == (3 if name == "aq-8011-2023" else 4)
    assert all(it.label.zh in ("产品默认值", "引自规定（原文未收录）") for it in shown)
    assert pack.policy["class_hour"]["min_minutes"] == 30


def test_files_are_kept_for_the_years_of_the_place() -> None:
    years = [packs.load(name).archive_years for name in (*PLACES, "huangchuan-2021-graded")]
    assert years == [0, 6, 3, 0]


def test_how_many_study_at_one_address_is_a_draft_until_a_place_says_so() -> None:
    rule = packs.load("aq-8011-2023").policy["shared_address"]
    assert rule.status is Status.DRAFT and rule["learners_at_once"] > 1


@pytest.mark.parametrize("name", ["jiangxi-2024-special", "jiangxi-2024-managers"])
def test_changed_training_data_is_found_under_the_words_that_forbid_it(name: str) -> None:
    rule = packs.load(name).policy["evidence_altered"]
    assert rule.clause == "jiangxi-2024-24/altered_data" and rule.acts
