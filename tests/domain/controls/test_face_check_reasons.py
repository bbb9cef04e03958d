"""Why a check did not pass, as the learner reads it: what stood against most photos, in words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.domain.controls.face_check_reasons import WORDS, why
from app.store.row import AnyRow
from app.vision.reasons import QUALITY
from detectors.trace import Check


def photos(*checks: Check, reasons: tuple[str, ...] = ()) -> list[AnyRow]:
    rows = [SimpleNamespace(check=int(it), reading={"reasons": list(reasons)}) for it in checks]
    return cast("list[AnyRow]", rows)


@pytest.mark.parametrize("reason", sorted(QUALITY))
def test_every_fault_of_a_picture_has_words_in_both_languages(reason: str) -> None:
    name = why(photos(Check.LOW_QUALITY, reasons=(reason,)))
    assert all(WORDS[name])


def test_what_stood_against_most_photos_is_told() -> None:
    assert why(photos(Check.NO_FACE, Check.SEVERAL_FACES, Check.SEVERAL_FACES)) == "several_faces"


def test_a_picture_of_somebody_else_and_an_attack_are_told_alike() -> None:
    """Whoever tries an attack does not learn which of the two was noticed."""
    assert why(photos(Check.MISMATCH)) == why(photos(Check.SPOOF)) == "not_matched"


def test_what_passed_or_is_not_known_is_no_reason() -> None:
    assert why([]) == "" and why(photos(Check.MATCH)) == ""
    odd: Any = photos(Check.LOW_QUALITY, reasons=("of a later version",))
    assert why(odd) == ""
