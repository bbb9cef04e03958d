"""The office's every day: a small screen and large letters, and a phone on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Visitor
from tests.e2e.pages import ADMIN, AUDITOR, CLERK, NOBODY, addresses
from tests.e2e.sweep import PHONE, ZOOMED, complaints

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


@pytest.mark.thorough
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("screen", [ZOOMED, PHONE], ids=["150 percent", "phone"])
def test_nothing_is_small_squeezed_cut_or_off_the_screen(
    visitor: Visit, screen: dict[str, Any], language: str
) -> None:
    people = {
        who: visitor(who, **screen).open(f"/console/language/{language}")
        for who in (AUDITOR, ADMIN, CLERK, NOBODY)
    }
    found = []
    for name, address in addresses(people[AUDITOR].site.services).items():
        page = people[address.who].open(address.path).page
        found += [f"{name}: {it}" for it in complaints(page)]
    assert found == []
