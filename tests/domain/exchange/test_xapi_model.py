"""What is a statement and what is none, by the standard's own words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.domain.exchange.xapi_batch import MOST_STATEMENTS, read_post, read_put, says_the_same
from app.domain.exchange.xapi_model import VOIDED, check_statement
from app.domain.exchange.xapi_values import (
    StatementError,
    as_timestamp,
    dump_json,
    milliseconds,
    parse_json,
)
from app.errors import MalformedBody

UUID = "7ccd3322-e1a5-411a-a67d-6a735c76f119"
LIN = {"mbox": "mailto:lin@huang.example"}
GROUP = {"objectType": "Group", "member": [LIN]}
LESSON = {"id": "https://huang.example/lessons/l1"}
REF = {"objectType": "StatementRef", "id": UUID}
SUB = {
    "objectType": "SubStatement",
    "actor": LIN,
    "verb": {"id": "https://huang.example/plans"},
    "object": LESSON,
}
FILE = {
    "usageType": "https://huang.example/certificate",
    "display": {"zh-CN": "合格证书"},
    "contentType": "application/pdf",
    "length": 12,
    "sha2": "0" * 64,
    "fileUrl": "https://huang.example/certificate.pdf",
}


def statement(**parts: Any) -> dict[str, Any]:
    return {
        "actor": LIN,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": LESSON,
        **copy.deepcopy(parts),
    }


def interaction(**parts: Any) -> dict[str, Any]:
    return {"object": {**LESSON, "definition": parts}}


def score(**parts: Any) -> dict[str, Any]:
    return {"result": {"score": parts}}


CHOICES = [{"id": "a", "description": {"zh": "甲"}}, {"id": "b"}]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"id": UUID.upper(), "version": "1.0.3", "timestamp": "2026-03-02T09:00:00+08:00"},
        {"timestamp": "2026-03-02T09:00:00.123456789Z", "stored": "2026-03-02T09:00:00Z"},
        {"actor": {"objectType": "Agent", "name": "林小兰", "mbox_sha1sum": "a" * 40}},
        {"actor": {"openid": "https://lin.example/"}},
        {"actor": {"account": {"homePage": "https://huang.example", "name": "lin"}}},
        {"actor": GROUP},
        {"actor": {"objectType": "Group", "mbox": "mailto:c1@huang.example", "member": []}},
        {"verb": {"id": "https://a.example/v", "display": {"zh-CN": "学完", "x-own": "v"}}},
        {"object": {"objectType": "Agent", **LIN}},
        {"object": GROUP},
        {"object": REF},
        {"object": SUB},
        {"verb": {"id": VOIDED}, "object": REF},
        interaction(
            name={"zh": "第一讲"}, type="https://a.example/t", moreInfo="https://a.example"
        ),
        interaction(interactionType="choice", choices=CHOICES, correctResponsesPattern=["a"]),
        interaction(interactionType="matching", source=CHOICES, target=CHOICES),
        score(scaled=-1, raw=0, min=0, max=100),
        {"result": {"success": True, "completion": False, "response": "", "duration": "PT4M30.5S"}},
        {"result": {"duration": "P1W", "extensions": {"https://a.example/e": None}}},
        {"context": {"registration": UUID, "instructor": LIN, "team": GROUP, "language": "zh-CN"}},
        {"context": {"contextActivities": {"parent": LESSON, "grouping": [LESSON]}}},
        {"context": {"revision": "1", "platform": "p", "statement": REF, "extensions": {}}},
        {"attachments": [FILE]},
        {"authority": {"objectType": "Group", "member": [LIN, {"openid": "https://a.example"}]}},
    ],
)
def test_what_the_standard_allows_is_taken(parts: dict[str, Any]) -> None:
    check_statement(statement(**parts), two=False)
    check_statement(statement(**parts), two=True)


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"id": "1"}, "id"),
        ({"id": 7}, "id"),
        ({"colour": "red"}, "colour"),
        ({"result": None}, "result"),
        ({"result": {"success": None}}, "result.success"),
        ({"result": {"success": "true"}}, "result.success"),
        ({"result": {"duration": "PT"}}, "result.duration"),
        ({"result": {"duration": "4 minutes"}}, "result.duration"),
        ({"result": {"extensions": {"time": 1}}}, "result.extensions.time"),
        ({"result": {"extensions": []}}, "result.extensions"),
        (score(scaled=1.1), "result.score.scaled"),
        (score(scaled=True), "result.score.scaled"),
        (score(raw=101, max=100), "result.score"),
        (score(min=5, max=5), "result.score"),
        ({"version": "2.0.0"}, "version"),
        ({"version": "1.0.x"}, "version"),
        ({"version": 1}, "version"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-02-30T09:00:00Z"}, "timestamp"),
        ({"timestamp": "2026-03-02T09:00:00-00:00"}, "timestamp"),
        ({"timestamp": 1_772_413_200_000}, "timestamp"),
        ({"actor": {}}, "actor"),
        ({"actor": "lin"}, "actor"),
        ({"actor": {"name": "林小兰"}}, "actor"),
        ({"actor": {**LIN, "openid": "https://lin.example"}}, "actor"),
        ({"actor": {"mbox": "lin@huang.example"}}, "actor.mbox"),
        ({"actor": {"mbox_sha1sum": "abc"}}, "actor.mbox_sha1sum"),
        ({"actor": {"account": {"name": "lin"}}}, "actor.account.homePage"),
        ({"actor": {"account": {"homePage": "huang", "name": "lin"}}}, "actor.account.homePage"),
        ({"actor": {**LIN, "objectType": "Person"}}, "actor.objectType"),
        ({"actor": {**LIN, "objectType": ["Agent"]}}, "actor.objectType"),
        ({"actor": {**LIN, "member": [LIN]}}, "actor.member"),
        ({"actor": {"objectType": "Group"}}, "actor.member"),
        ({"actor": {"objectType": "Group", "member": [GROUP]}}, "actor.member[0].objectType"),
        ({"verb": {}}, "verb.id"),
        ({"verb": {"id": "completed"}}, "verb.id"),
        ({"verb": {"id": "https://a.example/a b"}}, "verb.id"),
        ({"verb": {"id": "https://a.example/v", "display": "done"}}, "verb.display"),
        ({"verb": {"id": "https://a.example/v", "display": {"中": "a"}}}, "verb.display.中"),
        ({"verb": {"id": "https://a.example/v", "display": {"zh": 1}}}, "verb.display.zh"),
        ({"verb": {"id": VOIDED}}, "object.objectType"),
        ({"object": {}}, "object.id"),
        ({"object": {**LESSON, "objectType": "activity"}}, "object.objectType"),
        ({"object": {**LESSON, "name": "l1"}}, "object.name"),
        ({"object": {"objectType": "StatementRef", "id": "l1"}}, "object.id"),
        ({"object": {**SUB, "id": UUID}}, "object.id"),
        ({"object": {**SUB, "object": SUB}}, "object.object.objectType"),
        ({"object": {**SUB, "verb": None}}, "object.verb"),
        (interaction(choices=CHOICES), "object.definition.interactionType"),
        (interaction(interactionType="maze"), "object.definition.interactionType"),
        (interaction(interactionType="likert", choices=CHOICES), "object.definition.choices"),
        (
            interaction(interactionType="choice", choices=[{"id": "a"}, {"id": "a"}]),
            "object.definition.choices",
        ),
        ({"context": {"registration": "r1"}}, "context.registration"),
        ({"context": {"team": LIN}}, "context.team.objectType"),
        ({"context": {"language": "Chinese language"}}, "context.language"),
        ({"context": {"contextActivities": {"by": LESSON}}}, "context.contextActivities.by"),
        ({"context": {"statement": {"id": UUID}}}, "context.statement.objectType"),
        ({"context": {"platform": "p"}, "object": REF}, "context.platform"),
        ({"context": {"contextAgents": []}}, "context.contextAgents"),
        ({"attachments": [{**FILE, "length": -1}]}, "attachments[0].length"),
        ({"attachments": [FILE, {**FILE, "fileUrl": "c.pdf"}]}, "attachments[1].fileUrl"),
        ({"attachments": [{**FILE, "length": 1, "sha2": None}]}, "attachments[0].sha2"),
        ({"authority": GROUP}, "authority.member"),
    ],
)
def test_what_is_wrong_is_named(parts: dict[str, Any], where: str) -> None:
    with pytest.raises(StatementError) as found:
        check_statement(statement(**parts), two=False)
    assert found.value.where == where


@pytest.mark.parametrize("name", ["actor", "verb", "object"])
def test_nobody_doing_nothing_is_no_statement(name: str) -> None:
    told = statement()
    del told[name]
    with pytest.raises(StatementError, match=f"{name}: is required"):
        check_statement(told, two=False)


def test_version_two_knows_who_else_took_part() -> None:
    part = {"objectType": "contextAgent", "agent": LIN, "relevantTypes": ["https://a.example/t"]}
    told = statement(version="2.0.0", context={"contextAgents": [part]})
    check_statement(told, two=True)
    told["context"]["contextAgents"][0]["relevantTypes"] = []
    with pytest.raises(StatementError, match="relevantTypes"):
        check_statement(told, two=True)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b'"\\ud800"',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"1" * 5000,
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b"[" * 70 + b"]" * 70,
    ],
)
def test_json_that_could_be_misread_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_json(text)


def test_every_fault_of_a_batch_is_told_with_its_place() -> None:
    batch = [statement(), statement(verb={"id": "x"}), 7, statement(id=UUID), statement(id=UUID)]
    with pytest.raises(MalformedBody) as refused:
        read_post(dump_json(batch), two=False)
    assert [it["field"] for it in refused.value.errors or ()] == [
        "[1].verb.id",
        "[2].statement",
        "[4].id",
    ]


def test_a_batch_has_its_limit() -> None:
    with pytest.raises(MalformedBody, match="at most"):
        read_post(dump_json([statement()] * (MOST_STATEMENTS + 1)), two=False)


def test_the_address_and_the_statement_agree_on_the_id() -> None:
    body = dump_json(statement(id=UUID))
    assert read_put(body, UUID.upper(), two=False).key == UUID
    with pytest.raises(MalformedBody, match="statementId"):
        read_put(body, UUID.replace("7", "8"), two=False)


def test_the_same_moment_written_otherwise_is_the_same_statement() -> None:
    stored = statement(timestamp="2026-03-02T01:00:00.000Z", stored="…", authority=LIN)
    (same,) = read_post(dump_json(statement(timestamp="2026-03-02T09:00:00+0800")), two=False)
    (later,) = read_post(dump_json(statement(timestamp="2026-03-02T09:00:01+0800")), two=False)
    (silent,) = read_post(dump_json(statement()), two=False)
    assert says_the_same(stored, same) and says_the_same(stored, silent)
    assert not says_the_same(stored, later)


def test_times_are_written_as_they_are_read() -> None:
    assert as_timestamp(1_772_413_200_007) == "2026-03-02T01:00:00.007Z"
    assert milliseconds("2026-03-02T01:00:00.007", "here") == 1_772_413_200_007
