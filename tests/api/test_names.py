"""Names and ids that look alike are alike, and what is not UTF-8 is refused, not replaced."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter, ValidationError

from app.console import weighty
from app.domain.accounts import platforms, second_factors, users
from app.domain.catalogue import person_names
from app.domain.review.review import checked_reason
from app.domain.wire import Id, Line
from app.errors import BadInput
from app.services import Services
from tests.people import County, course

ID: Any = TypeAdapter(Id)
LINE: Any = TypeAdapter(Line)


@pytest.mark.parametrize(
    "code", ["200b", "200d", "200e", "202a", "202e", "2066", "2069", "2060", "feff", "00ad", "3164"]
)
def test_what_shows_nothing_or_turns_the_line_around_is_refused(code: str) -> None:
    sign = chr(int(code, 16))
    for text in (f"lin{sign}", f"{sign}lin", f"林{sign}小"):
        for kind in (ID, LINE):
            with pytest.raises(ValidationError, match="不可见字符"):
                kind.validate_python(text)


@pytest.mark.parametrize(
    "text",
    [
        "lin\ufe00",
        "林\ufe00",
        "lin\ufe0f",
        "l1\ufe0f",
        "lin\U000e0100",
        "林\u180b",
        "林\u2800",
        "lin\u180f",
    ],
)
def test_a_choice_among_forms_that_a_character_has_not_is_refused(text: str) -> None:
    for kind in (ID, LINE):
        with pytest.raises(ValidationError, match="不可见字符"):
            kind.validate_python(text)


def test_every_format_character_of_unicode_is_refused_but_those_that_scripts_need() -> None:
    """Marks of Mongolian, Arabic and Kaithi are of the class Cf and part of how words are spelt."""
    spelt = {
        0x180E,
        *range(0x0600, 0x0606),
        0x06DD,
        0x070F,
        0x0890,
        0x0891,
        0x08E2,
        0x110BD,
        0x110CD,
    }
    for code in range(0x11000):
        sign = chr(code)
        if unicodedata.category(sign) == "Cf" and code not in spelt and not 0x180A < code < 0x1810:
            with pytest.raises(ValidationError):
                LINE.validate_python(f"a{sign}b")


@pytest.mark.parametrize(
    "name",
    ["欧阳·阿依古丽", "𠮷田", "葛\U000e0100城", "ᠰᠠᠢ᠋ᠨ", "O'Neill-Wu", "a..b", "✈️ 航空", "第1️⃣课"],
)
def test_what_people_and_courses_are_called_is_taken(name: str) -> None:
    assert LINE.validate_python(name) == name and ID.validate_python(name) == name


@pytest.mark.parametrize("name", [".", "..", " .. "])
def test_a_place_of_a_path_is_no_id(name: str) -> None:
    with pytest.raises(ValidationError):
        ID.validate_python(name)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/courses/%ff"),
        ("PUT", "/v1/courses/a%e4%b8"),
        ("POST", "/v1/sessions/%c0%af/events"),
        ("PUT", "/v1/courses/c?more=%ff"),
        ("PUT", "/v1/courses/c?more=a+%fe"),
    ],
)
def test_an_address_that_is_no_utf8_is_refused(
    client: TestClient, county: County, method: str, path: str
) -> None:
    answer = client.request(method, path, headers=county.huang.headers, json=course())
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_address")


def test_an_address_in_chinese_is_taken(client: TestClient, county: County) -> None:
    answer = client.put("/v1/courses/课程", headers=county.huang.headers, json=course())
    assert answer.is_success, answer.text


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\u3164"])
def test_people_keys_and_platforms_are_called_by_what_can_be_seen(
    services: Services, sign: str
) -> None:
    """A reviewer's name stands on signed lists, and nobody else's may look like it."""
    name = f"赵{sign}敏"
    by: dict[str, Any] = {"actor": "system", "now_ms": services.clock()}
    zhao: Any = {"username": "zhao", "password": "correct-horse-7", "role": "admin"}
    with services.database.write() as connection:
        with pytest.raises(BadInput, match="display name"):
            users.add_user(connection, **zhao, display_name=name, **by)
        users.add_user(connection, **zhao, display_name="赵敏", **by)
        own = platforms.add_platform(connection, slug="qiu", name="秋", county="潢川县", **by)
        with pytest.raises(BadInput, match="name"):
            platforms.add_platform(connection, slug="dong", name=name, county="潢川县", **by)
        with pytest.raises(BadInput, match="label"):
            platforms.create_key(
                connection, own.id, label=name, scopes=["read"], expires_ms=None, **by
            )
        user = users.named(connection, "zhao")
        with pytest.raises(BadInput, match="factor"):
            second_factors.add_totp(
                connection,
                services.vault,
                user,
                seed := second_factors.new_seed(),
                pyotp.TOTP(seed).at(services.clock() // 1000),
                name,
                services.clock(),
            )


HIDDEN = "\u202e\u200b\u2066\ufeff"


@pytest.mark.parametrize("kept", [checked_reason, weighty.words])
def test_a_reason_loses_what_cannot_be_seen(kept: Callable[[str], str]) -> None:
    assert kept(f"不{HIDDEN}予通过：\n见附件") == "不予通过：\n见附件"
    with pytest.raises(BadInput):
        kept(HIDDEN)


@pytest.mark.parametrize("name", ["ㅤ李敏", "李\u2800敏", "李\ufe00敏", "李敏\ufe0f", "李\u200d敏"])
def test_what_shows_nothing_is_no_part_of_a_person_s_name(name: str) -> None:
    assert person_names.cleaned(name) == "李敏"
    assert person_names.same(name, "李敏")
