"""What a learner is told while the film runs unseen: only where it does not count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.policy import packs, sitting_terms
from app.domain.policy.sitting_terms import SittingTerms
from app.domain.sittings import unseen_note
from detectors.trace import Flag


@pytest.fixture
def terms() -> SittingTerms:
    return sitting_terms.from_policy(packs.load("huangchuan-2021-graded").policy)


def test_a_hidden_page_is_told_in_both_languages(terms: SittingTerms) -> None:
    told = unseen_note.of(Flag.HIDDEN, terms)
    assert told is not None and told.code == "hidden"
    assert told.text == told.zh != told.en


def test_hidden_is_told_before_unfocused(terms: SittingTerms) -> None:
    strict = replace(terms, unfocused_stops=True)
    assert unseen_note.of(Flag.HIDDEN | Flag.BLURRED, strict) == unseen_note.of(Flag.HIDDEN, terms)
    told = unseen_note.of(Flag.BLURRED, strict)
    assert told is not None and told.code == "unfocused"


def test_nothing_is_said_of_what_counts(terms: SittingTerms) -> None:
    assert unseen_note.of(Flag.BLURRED, replace(terms, unfocused_stops=False)) is None
    assert unseen_note.of(Flag.HIDDEN, replace(terms, hidden_stops=False)) is None
    assert unseen_note.of(0, terms) is None
