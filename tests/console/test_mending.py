"""What a verdict misses leads whoever can fill it in to where that is done."""

from __future__ import annotations

from typing import Any

import pytest

from app.console import mending
from app.domain.accounts.users import Role, User
from app.domain.policy.procedure import Office
from app.store.bodies import CureBody, ReasonBody


def somebody(role: str) -> User:
    return User(1, "x", "某", Role(role), (), None, office=Office.LABOUR)


def reason(code: str, source: str, how: Any = "automatic") -> ReasonBody:
    cure = CureBody(how=how, until=None)
    return ReasonBody(code=code, source=source, clause=None, blocks=True, count=1, cure=cure)


@pytest.mark.parametrize(
    ("role", "source", "place"),
    [
        ("school", "B1", "terms"),
        ("school", "C11", "tables?kind=satisfaction"),
        ("school", "D17", "tables?kind=roster"),
        ("auditor", "B18", "tables?kind=offline-attendance"),
        ("reviewer", "C1", None),  # does not set classes up
        ("platform_viewer", "C11", None),
        ("school", "violation", None),
    ],
)
def test_who_can_fill_it_in_is_led_there(role: str, source: str, place: str | None) -> None:
    found = mending.way(reason("missing", source), 7, somebody(role))
    assert (found and found[0]) == (place and f"/console/classes/7/{place}")


def test_what_the_authority_decides_leads_to_the_act_and_nobody_else() -> None:
    attested = reason("hours_attested", "class_hour", "authority_approval")
    found = mending.way(attested, 7, somebody("reviewer"))
    assert found and found[0] == "/console/classes/7/acts?kind=attested_accepted#record"
    assert mending.way(attested, 7, somebody("school")) is None
