"""`format=ids` keeps what names the parts of a statement, and nothing that describes them."""

from __future__ import annotations

import json
from typing import Any

from app.domain.exchange.xapi_formats import canonical, ids_only, languages_of

LIN = {
    "objectType": "Agent",
    "name": "林",
    "account": {"homePage": "https://p.example", "name": "lin"},
}
LESSON = {
    "objectType": "Activity",
    "id": "https://p.example/l1",
    "definition": {"name": {"zh-CN": "第一讲"}},
}
BARE = {"id": "https://p.example/l1"}


def shown(**parts: Any) -> Any:
    verb = {"id": "https://w3id.org/xapi/video/verbs/played", "display": {"en": "played"}}
    statement = {"actor": LIN, "verb": verb, "object": LESSON, "timestamp": "2026-04-01T08:00:00Z"}
    return json.loads(ids_only(json.dumps(statement | parts).encode()))


def test_names_displays_and_definitions_are_left_out_and_the_rest_is_kept() -> None:
    assert shown() == {
        "actor": {"objectType": "Agent", "account": LIN["account"]},
        "verb": {"id": "https://w3id.org/xapi/video/verbs/played"},
        "object": BARE,
        "timestamp": "2026-04-01T08:00:00Z",
    }


def test_a_group_without_a_name_of_its_own_is_known_by_its_members() -> None:
    group = {"objectType": "Group", "name": "一组", "member": [LIN]}
    member = {"objectType": "Agent", "account": LIN["account"]}
    assert shown(actor=group)["actor"] == {"objectType": "Group", "member": [member]}


def test_activities_and_people_around_it_are_shortened_too() -> None:
    context = {"instructor": LIN, "contextActivities": {"parent": [LESSON], "other": LESSON}}
    told = shown(context=context | {"platform": "p"})["context"]
    assert told["contextActivities"] == {"parent": [BARE], "other": [BARE]}
    assert "name" not in told["instructor"] and told["platform"] == "p"


def test_a_statement_inside_a_statement_is_shortened_as_well() -> None:
    inner = {"objectType": "SubStatement", "actor": LIN, "verb": {"id": "v"}, "object": LESSON}
    assert shown(object=inner)["object"]["object"] == BARE


def test_canonical_shows_what_is_known_in_the_language_asked_for() -> None:
    known = {"https://p.example/l1": {"name": {"en": "Lesson 1", "zh-CN": "第一讲"}}}
    verb = {"id": "v", "display": {"en": "played", "zh-CN": "播放"}}
    body = json.dumps({"actor": LIN, "verb": verb, "object": {"id": "https://p.example/l1"}})
    told = json.loads(canonical(body.encode(), known, languages_of("fr, en;q=0.8, zh;q=0.9")))
    assert told["verb"]["display"] == {"zh-CN": "播放"}
    assert told["object"]["definition"] == {"name": {"zh-CN": "第一讲"}}
    assert told["actor"] == LIN
