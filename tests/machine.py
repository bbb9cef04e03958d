"""What a machine may lack. The tests that need it are skipped, and the end of the run says in a
line each what was not tried and what brings it; `ZHENXUE_REQUIRE_…=1` makes the lack a failure.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

import pytest


@dataclass(frozen=True)
class Part:
    name: str
    brought_by: str  # a command for Debian and Ubuntu
    variable: str  # set to 1: fail without it


CHROMIUM = Part("Chromium", "apt-get install chromium", "ZHENXUE_REQUIRE_BROWSER")
CURL = Part("curl", "apt-get install curl", "ZHENXUE_REQUIRE_CURL")
FIREFOX = Part("Firefox", "apt-get install firefox-esr", "ZHENXUE_REQUIRE_FIREFOX")
HAPROXY = Part("HAProxy", "apt-get install haproxy", "ZHENXUE_REQUIRE_HAPROXY")
JAVA = Part(
    "Java", "apt-get install default-jdk-headless libandroid-json-java", "ZHENXUE_REQUIRE_JAVA"
)
NODE = Part("node", "apt-get install nodejs npm", "ZHENXUE_REQUIRE_NODE")
NODE_PACKAGES = Part(
    "client generator", "npm ci --prefix tests/contract/client", "ZHENXUE_REQUIRE_NODE"
)
GENERATOR = Part(
    "OpenAPI generator",
    "apt-get install default-jdk-headless golang-go php-cli libgeronimo-annotation-1.3-spec-java "
    "&& pip install --require-hashes --no-deps -t build/generator "
    "-r tests/contract/generator.lock",
    "ZHENXUE_REQUIRE_GENERATOR",
)
PROMTOOL = Part("promtool", "apt-get install prometheus", "ZHENXUE_REQUIRE_PROMTOOL")
SYSTEMD = Part("systemd-analyze", "apt-get install systemd", "ZHENXUE_REQUIRE_SYSTEMD")
PGBOUNCER = Part("PgBouncer", "apt-get install pgbouncer", "ZHENXUE_REQUIRE_PGBOUNCER")
POSTGRESQL = Part("PostgreSQL", "apt-get install postgresql", "ZHENXUE_REQUIRE_POSTGRES")

_SKIPPED = re.compile(r"no (.+?) here: (.+)")


def lacks(part: Part) -> NoReturn:
    """Skip the test, or fail where the part is required."""
    if os.environ.get(part.variable) == "1":
        pytest.fail(f"no {part.name} here, and {part.variable}=1")
    pytest.skip(f"no {part.name} here: {part.brought_by}")


def not_tried(reasons: list[str]) -> list[str]:
    """A line for each part that tests were skipped for.

    >>> not_tried(["no curl here: apt-get install curl"])
    ['curl: 1 test not tried; to try it: apt-get install curl']
    """
    found = [it for it in map(_SKIPPED.search, reasons) if it]
    return [
        f"{name}: {count} test{'s' * (count > 1)} not tried; "
        f"to try {'them' if count > 1 else 'it'}: {command}"
        for (name, command), count in sorted(Counter(it.groups() for it in found).items())
    ]
