"""统一社会信用代码: one that was typed wrong is told by its check character."""

from __future__ import annotations

import pytest

from app.domain.credit_codes import doubtful, is_valid, require, require_new, tidy
from app.errors import BadInput

STANDARD = "91350100M000100Y43"  # the example of GB 32100-2015


def test_the_standards_own_example_holds_as_people_type_it() -> None:
    assert tidy("９１３５０１００ m000100y4 3") == STANDARD


def test_one_wrong_character_and_two_neighbours_exchanged_are_found() -> None:
    for at, was in enumerate(STANDARD):
        for it in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            assert is_valid(STANDARD[:at] + it + STANDARD[at + 1 :]) is (it == was)
        pair = STANDARD[at : at + 2]
        assert is_valid(STANDARD[:at] + pair[::-1] + STANDARD[at + 2 :]) is (pair == pair[::-1])


@pytest.mark.parametrize("said", [STANDARD[:-1], STANDARD + "0", "I" * 18, "411526199001011234"])
def test_what_is_no_code_is_refused_in_words(said: str) -> None:
    with pytest.raises(BadInput, match="统一社会信用代码须为18位"):
        require(said, None, "uscc")


def test_an_institution_may_have_the_number_of_its_licence_instead() -> None:
    require_new("教民141152670000017号", None, "code")
    assert not doubtful("教民141152670000017号") and doubtful(STANDARD[:-1])
    with pytest.raises(BadInput):
        require_new(STANDARD[:-1], None, "code")


def test_a_wrong_code_that_has_stood_there_stands_in_nobodys_way() -> None:
    for check in (require, require_new):
        check(STANDARD[:-1], STANDARD[:-1], "code")
        with pytest.raises(BadInput):
            check(STANDARD[:-1], STANDARD, "code")
