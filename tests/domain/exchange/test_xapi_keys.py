"""Filters of statements: the same person is one whatever they are called, and two never meet."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.exchange.xapi_keys import activity_key, agent_key, object_key, verb_key

AGENTS: list[dict[str, Any]] = [
    {"mbox": "mailto:lin@example.org"},
    {"mbox_sha1sum": "0" * 40},
    {"openid": "https://example.org/lin"},
    {"account": {"homePage": "https://example.org", "name": "lin"}},
    {"account": {"homePage": "https://example.org/a", "name": "lin"}},
    {"account": {"homePage": "https://example.org", "name": "a lin"}},
]


@pytest.mark.parametrize("agent", AGENTS)
def test_names_and_types_play_no_part(agent: dict[str, Any]) -> None:
    named = {**agent, "name": "林某", "objectType": "Agent"}
    grouped = {**agent, "objectType": "Group", "member": []}
    assert agent_key(agent) == agent_key(named) == agent_key(grouped)


def test_two_agents_have_two_keys() -> None:
    assert len({agent_key(it) for it in AGENTS}) == len(AGENTS)


def test_a_group_known_by_its_members_only_is_nobody_in_particular() -> None:
    assert agent_key({"objectType": "Group", "member": [AGENTS[0]]}) is None


def test_an_object_is_found_as_what_it_is() -> None:
    iri = "https://example.org/lesson"
    assert object_key({"id": iri}) == activity_key(iri) != verb_key(iri)
    assert object_key({"objectType": "Agent", **AGENTS[0]}) == agent_key(AGENTS[0])
    assert object_key({"objectType": "StatementRef", "id": "x"}) is None
