"""How the SDK's files are handed out: to every origin, for good under their hash, small."""

from __future__ import annotations

import gzip
import json
import re

from fastapi.testclient import TestClient
from setuptools import find_namespace_packages

from app.sdk import DIGEST, ENROLMENT, FOLDER, MODULES

MOST_BYTES = 25_500  # compressed, both languages; the camera's part comes when it is needed


def test_the_address_that_never_changes_leads_to_the_modules_of_this_version(
    client: TestClient,
) -> None:
    entry = client.get("/sdk/v1/zhenxue.js")
    assert entry.status_code == 200
    assert "max-age=300" in entry.headers["cache-control"]
    assert f"./{DIGEST}/zhenxue.js" in entry.text
    found = client.get(f"/sdk/v1/{DIGEST}/zhenxue.js")
    assert "export function start" in found.text
    assert "immutable" in found.headers["cache-control"]
    assert found.headers["access-control-allow-origin"] == "*"
    assert found.headers["content-type"] == "text/javascript; charset=utf-8"


def test_an_older_page_gets_all_its_modules_of_one_version(client: TestClient) -> None:
    found = client.get("/sdk/v1/000000000000/outbox.js")
    assert found.content == MODULES["outbox.js"]
    assert found.headers["cache-control"] == "no-cache"


def test_there_is_nothing_but_modules(client: TestClient) -> None:
    for name in ("nothing.js", "__init__.py", "..%2f__init__.py"):
        assert client.get(f"/sdk/v1/{DIGEST}/{name}").status_code == 404


def test_it_travels_compressed_and_is_small(client: TestClient) -> None:
    whole = sum(
        len(client.get(f"/sdk/v1/{DIGEST}/{name}").content)  # as unpacked by the client
        for name in MODULES
    )
    assert whole == sum(len(content) for content in MODULES.values())
    later = set(re.findall(r'await import\("./([a-z]+.js)"\)', MODULES["zhenxue.js"].decode()))
    assert "camera.js" in later
    always = [content for name, content in MODULES.items() if name not in later]
    assert sum(len(gzip.compress(content)) for content in always) < MOST_BYTES
    packed = client.get(f"/sdk/v1/{DIGEST}/zhenxue.js", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    plain = client.get(f"/sdk/v1/{DIGEST}/zhenxue.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


def test_the_package_is_of_the_version_that_the_module_tells() -> None:
    package = json.loads((FOLDER / "package.json").read_text())
    assert f'VERSION = "{package["version"]}"' in MODULES["zhenxue.js"].decode()
    assert (FOLDER / package["types"]).is_file()


def test_nothing_in_it_needs_a_lenient_policy() -> None:
    for name, content in [*MODULES.items(), *ENROLMENT.modules.items()]:
        text = content.decode()
        assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML", text), name


def test_every_module_that_is_imported_is_there() -> None:
    for modules in (MODULES, ENROLMENT.modules):
        for name, content in modules.items():
            for wanted in re.findall(r'from "\./([^"]+)"', content.decode()):
                assert wanted in modules, (name, wanted)


def test_the_enrolment_is_a_page_and_a_module_of_its_own_for_every_origin(
    client: TestClient,
) -> None:
    page = client.get("/sdk/enrolment/")
    assert f"{ENROLMENT.digest}/page.js" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert f"./{ENROLMENT.digest}/enrolment.js" in client.get("/sdk/enrolment/enrolment.js").text
    module = client.get(f"/sdk/enrolment/{ENROLMENT.digest}/enrolment.js")
    assert "export function enrol" in module.text
    assert module.headers["access-control-allow-origin"] == "*"
    for method in ("GET", "PUT"):
        asks = {"origin": "https://x.example", "access-control-request-method": method}
        answer = client.options("/v1/learners/lin/reference-photo", headers=asks)
        assert answer.headers["access-control-allow-origin"] == "*"


def test_both_languages_say_the_same_things() -> None:
    zh, en = MODULES["texts.js"].decode().split("export const en")
    names = re.compile(r"^  (\w+):", re.MULTILINE)
    assert names.findall(zh) == names.findall(en)


def test_the_demo_lesson_is_not_part_of_the_service(client: TestClient) -> None:
    assert client.get("/demo/lesson").status_code == 404


def test_a_wheel_takes_them_along() -> None:
    packages = find_namespace_packages(str(FOLDER.parents[2]), include=["app*"])
    assert {"app.sdk", "app.sdk.v1", "app.sdk.enrolment", "app.sdk.lesson"} <= set(packages)
