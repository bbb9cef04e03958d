"""A password that is made up for somebody is one that they may have."""

from __future__ import annotations

import pytest

from app.domain.accounts import users
from app.errors import BadInput


@pytest.mark.thorough
@pytest.mark.parametrize("username", ["hu", "sun", "zhao", "lj"])
def test_a_made_up_password_is_taken_whatever_the_username(username: str) -> None:
    for _ in range(500):
        users._check_password_strength(username, users.new_password())


def test_a_short_username_in_a_long_password_says_nothing() -> None:
    users._check_password_strength("hj", "kqm7b-3hjwz-tx9fd-8pvnc")


def test_a_username_that_the_password_repeats_is_refused() -> None:
    with pytest.raises(BadInput):
        users._check_password_strength("zhao", "zhao-zhao-2026!")
