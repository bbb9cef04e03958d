"""Every answer is described and shown, of every route that there is or will be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app.api import answers
from app.api.answers import JSON, AnswerRoute
from app.domain.answer import Answer
from tests.described import closed


class Counted(Answer, frozen=True, kw_only=True):
    count: int


@pytest.fixture(scope="session")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from app.main import create_app
    from app.settings import Settings

    folder = tmp_path_factory.mktemp("document")
    url = f"sqlite:///{folder / 'none.sqlite'}"
    app = create_app(Settings(database_url=url, data_dir=folder, face_workers=0))
    return dict(app.openapi())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def good_contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, response in operation["responses"].items():
        if status.startswith("2") and status != "204":
            assert response.get("content"), "an answer with nothing in it is a 204"
            yield from response["content"].items()


def faults_of(document: dict[str, Any]) -> Iterator[str]:
    """What is missing of the answers: a schema that says something, an example that is true."""
    components = {"components": {"schemas": closed(document)}}
    for name, operation in operations(document):
        for kind, content in good_contents(operation):
            schema = content.get("schema", {})
            if schema == {"type": "string", "format": "binary"}:
                continue
            if kind == JSON and not schema.keys() & {"$ref", "anyOf", "items"}:
                yield f"{name}: no schema"
            elif "example" not in content:
                yield f"{name}: no example"
            else:
                validator = jsonschema_rs.validator_for({**schema, **components})
                for fault in validator.iter_errors(content["example"]):
                    yield f"{name}: {fault.instance_path}: {fault.message}"


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object within a schema, by its path; not what merely shows values."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            if key not in ("example", "examples", "default", "propertyNames"):
                yield from nodes(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from nodes(inner, f"{path}/{at}")


def test_every_good_answer_has_a_schema_and_a_true_example(document: dict[str, Any]) -> None:
    assert list(faults_of(document)) == []


def test_a_route_that_does_not_say_what_it_answers_is_noticed() -> None:
    app = FastAPI()
    app.router.route_class = AnswerRoute

    @app.get("/described", operation_id="described")
    def described() -> Counted:
        return Counted(count=1)

    @app.get("/anything", operation_id="anything")
    def anything() -> dict[str, Any]:
        return {"count": 1}

    document = app.openapi()
    answers.describe(document)
    assert set(faults_of(document)) == {
        "GET /described: no example",
        "GET /anything: no schema",
    }
    assert TestClient(app).get("/described").content == b'{"count":1}'


def test_every_body_of_json_has_a_true_example(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    for name, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        validator = jsonschema_rs.validator_for({**content["schema"], **components})
        assert [it.message for it in validator.iter_errors(content["example"])] == [], name


def test_no_example_is_of_an_operation_that_is_gone(document: dict[str, Any]) -> None:
    names = {operation["operationId"] for _, operation in operations(document)}
    assert answers.examples().keys() | answers.body_examples().keys() <= names


def test_examples_keep_the_secrets_of_whoever_recorded_them(document: dict[str, Any]) -> None:
    text = json.dumps([answers.examples(), answers.body_examples()])
    assert set(re.findall(r"(?:zx|whsec|zl)_[\w=/+-]+", text)) <= {
        "zx_told-once",
        "whsec_told-once",
        "zl_of-this-sitting",
    }


def test_it_is_a_document_of_openapi_31(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OPENAPI_31_VALIDATOR.validate(document)
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        )
        assert schema, name


def test_whatever_is_referred_to_is_there(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = {node["$ref"] for _, node in nodes(document) if "$ref" in node}
    assert named == {f"#/components/schemas/{name}" for name in schemas}


def test_generated_calls_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names)) > 50
    assert [it for it in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", it)] == []


def test_generated_types_have_names_of_their_own(document: dict[str, Any]) -> None:
    """What has fields, and what allows only certain words, is called something."""
    schemas = document["components"]["schemas"]
    assert [it for it in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", it)] == []
    places = [("", operation) for _, operation in operations(document)]
    unnamed = [
        (name, path)
        for name, whole in [*schemas.items(), *places]
        for path, node in nodes(whole)
        if path
        and (
            (node.get("type") == "object" and "properties" in node)
            or (len(node.get("enum", ())) > 1 and "/parameters/" not in path)
        )
    ]
    assert unnamed == []


def test_a_field_that_is_always_written_is_required(document: dict[str, Any]) -> None:
    """A default is the server's business: who reads an answer finds the field in it."""
    opened = document["components"]["schemas"]["Class"]
    left_out = opened["properties"].keys() - set(opened["required"])
    assert left_out == {"teacher_names", "teacher_details"}


def test_every_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    for name, operation in operations(document):
        assert "security" in operation, name
        assert {it for way in operation["security"] for it in way} <= schemes.keys(), name


def test_a_value_is_of_one_kind_and_wide_enough(document: dict[str, Any]) -> None:
    """What generators make of a union without a name no caller can write, and what they take for
    an integer holds no time in milliseconds."""
    for path, node in nodes(document):
        kinds = [it for it in node.get("anyOf", node.get("oneOf", ())) if it.get("type") != "null"]
        assert len(kinds) < 2 or "discriminator" in node, path
        if node.get("type") == "integer" and node.get("maximum", 2**31) >= 2**31:
            assert node.get("format") == "int64", path
        if node.get("type") == "number":
            assert node.get("format") == "double", path


def test_no_type_is_called_like_what_makes_another(document: dict[str, Any]) -> None:
    """Go calls the function that makes an Institution NewInstitution."""
    names = document["components"]["schemas"].keys()
    assert [it for it in names if it.startswith("New") and it[3:] in names] == []
