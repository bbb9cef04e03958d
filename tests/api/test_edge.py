"""What every answer has in common: problems instead of traces, limits, headers, health."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from app import __version__
from app.main import create_app
from app.settings import Settings
from tests.people import County


def test_an_unknown_address_is_a_problem_not_a_page(client: TestClient) -> None:
    answer = client.get("/v1/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_a_wrong_method_says_what_is_allowed(client: TestClient) -> None:
    answer = client.delete("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/v1/events", "/v1/sessions/s1/events"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_events_are_only_posted(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_events_for_an_id_that_no_session_can_have_are_for_nobody(client: TestClient) -> None:
    answer = client.post(f"/v1/sessions/{'s' * 129}/events", json={"events": []})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_bug_answers_500_without_telling_what_broke(app: FastAPI, client: TestClient) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the secret is swordfish")

    answer = client.get("/broken", headers={"x-request-id": "request-0001"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "swordfish" not in answer.text
    assert answer.headers["x-request-id"] == "request-0001"


def test_it_is_alive_ready_and_counts(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200, ready.text
    assert ready.json()["checks"]["migrations"] == ready.json()["checks"]["store"] == "ok"
    assert 'zhenxue_http_requests_total{method="GET",route="/readyz",status="200"} 1.0' in (
        client.get("/metrics").text
    )


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/", "/console/login", "/openapi.json", "/nowhere"]
)
def test_the_head_alone_is_what_the_whole_would_have_been(client: TestClient, path: str) -> None:
    """As balancers, watchers of pages and makers of previews ask."""
    whole, head = (client.request(it, path, follow_redirects=False) for it in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "content-length", "location"):
        assert head.headers.get(name) == whole.headers.get(name)


def test_who_asked_for_the_head_alone_is_counted_and_logged_so(client: TestClient) -> None:
    with capture_logs() as lines:
        client.head("/console/login")
    assert 'total{method="HEAD",route="/console/login",status="200"} 1.0' in (
        client.get("/metrics").text
    )
    assert [it["method"] for it in lines if it["event"] == "request"] == ["HEAD"]


def test_it_is_not_ready_on_an_empty_database(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/empty.sqlite", data_dir=tmp_path, face_workers=0
    )
    with TestClient(create_app(settings)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "failed"


def test_it_is_not_ready_while_nobody_can_reach_the_photos(settings: Settings) -> None:
    away = settings.model_copy(update={"blob_url": "http://127.0.0.1:9/photos"})
    with TestClient(create_app(away)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["store"] == "failed"
    assert answer.json()["checks"]["database"] == "ok"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_description_needs_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "//cdn" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_ten_megabytes_are_refused_whether_declared_or_not(
    client: TestClient, county: County
) -> None:
    body = b'{"title": "' + b"x" * 10_000_000 + b'"}'
    headers = {**county.huang.headers, "content-type": "application/json"}
    declared = client.put("/v1/courses/sewing", content=body, headers=headers)
    chunked = client.put(
        "/v1/courses/sewing",
        content=(body[at : at + 65536] for at in range(0, len(body), 65536)),
        headers=headers,
    )
    for answer in (declared, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_file_that_a_form_takes_gets_through_and_a_far_larger_one_is_told_in_words(
    client: TestClient,
) -> None:
    for path in ("/my/x/requests/1", "/console/cases/1/notes", "/console/requests/1"):
        taken = client.post(path, files={"file": ("a.png", bytes(11 * 2**20))})
        assert taken.status_code != 413, path
    told = client.post("/my/x/requests/1", files={"file": ("a.png", bytes(25 * 2**20))})
    assert told.status_code == 413 and "文件太大，没有收到" in told.text
    assert 'href="/my/x"' in told.text and 'href="/console"' not in told.text


def test_a_form_without_files_is_taken_into_memory_and_is_no_larger_than_other_bodies(
    client: TestClient, settings: Settings
) -> None:
    body = b"reason=" + b"x" * settings.max_body_bytes
    form = {"content-type": "application/x-www-form-urlencoded"}
    for page in ("classes/1/photos", "classes/1/learners/1/enrolment", "cases/1/notes"):
        told = client.post(f"/console/{page}", content=body, headers=form)
        assert told.status_code == 413, page


def test_the_version_is_the_package_s(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["info"]["version"] == __version__


def test_the_document_describes_the_event_endpoints_with_every_type(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    post = document["paths"]["/v1/sessions/{session_id}/events"]["post"]
    batch = post["requestBody"]["content"]["application/json"]["schema"]
    assert batch == {"$ref": "#/components/schemas/EventBatch"}
    told = json.dumps(document["components"]["schemas"]["Event"])
    told += json.dumps(document["components"])
    for kind in ("progress", "seek", "popup_answered", "integrity", "error"):
        assert f'"{kind}"' in told
    assert {"401", "404", "409", "413", "415", "422"} <= set(post["responses"])
    assert "/v1/events" in document["paths"]
    assert "/v1/sessions/{session_id}/events" in client.get("/docs").text


def test_every_refusal_is_described_as_a_problem(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not path.startswith("/v1/"):
                continue
            refused = {int(it): told for it, told in operation["responses"].items() if it >= "400"}
            assert {401, 403, 429, 503} <= refused.keys(), (method, path)
            assert "requestBody" not in operation or {400, 413, 415, 422} <= refused.keys(), path
            assert "{" not in path or 404 in refused, (method, path)
            for status, told in refused.items():
                assert told["content"] == {"application/problem+json": schema}, (path, status)
    problem = document["components"]["schemas"]["Problem"]
    refused = client.get("/v1/keys").json()
    assert set(problem["required"]) <= refused.keys() <= problem["properties"].keys()
    assert "HTTPValidationError" not in document["components"]["schemas"]
