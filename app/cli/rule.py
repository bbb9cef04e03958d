"""`zhenxue rule`: lays the files of a new rule in a source tree. Exits with 0, 2 on bad input."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

import detectors
from app import rules
from app.cli.answer import Json, refuse, say
from app.domain.policy import pack_lock, packs

app = typer.Typer(help="Rules: what is looked for in a class's evidence.", no_args_is_help=True)

TREE = Path(detectors.__file__).parents[1]

DETECTOR = '''\
"""$name: to be written. For now it notes sittings with more study than the limit."""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy

RULE = "$name"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One note per sitting with more study than the limit; evidence class C-."""
    trace, limit = facts.trace, policy[RULE]["max_minutes"]
    minutes = facts.played.total_ms(len(trace)) / 60_000
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason="too_much",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.STATISTIC,
            session=int(row),
            start_ms=int(trace.sessions["start_ms"][row]),
            end_ms=int(trace.sessions["end_ms"][row]),
            measured=round(float(minutes[row]), 1),
            limit=limit,
            unit="min",
        )
        for row in np.flatnonzero(minutes > limit)
    ]
'''

WORDS = """\
title = { zh = "$unwritten$name", en = "To be written: $spaced" }
letter = { zh = "新", en = "$letter" }
gravity = 3

[parameters]
max_minutes = "min"

[reasons.too_much]
zh = "$unwritten{start}至{end:short}学习了{measured}分钟，超过{limit}分钟。"
en = "To be written: {measured} min of study from {start} to {end:short}, more than {limit} min."
"""

TEST = '''\
"""$name: what is found, what is not, and both sides of the limit."""

from __future__ import annotations

from dataclasses import replace

from app.simulation.scenarios import perform
from detectors import $name
from detectors.facts import facts
from detectors.finding import Finding
from detectors.policy import Policy, Reach, RulePolicy, Status
from tests.detectors.columns import GRADED, columns_of


def found(scenario: str, max_minutes: float) -> list[Finding]:
    rule = RulePolicy(
        $name.RULE, "", Status.SHADOW, Reach.CLASS_HOUR, True, {"max_minutes": max_minutes}
    )
    policy: Policy = replace(GRADED, rules={**GRADED.rules, $name.RULE: rule})
    trace = columns_of(perform(scenario)).trace()
    return $name.detect(facts(trace, policy), policy)


def test_as_much_as_the_limit_is_allowed() -> None:
    (finding,) = found("H01", max_minutes=0)
    assert found("H01", max_minutes=finding.measured + 0.1) == []
    assert found("H01", max_minutes=finding.measured - 0.1) != []
'''

ENTRY = """\

[rules.$name]
clause = "$clause"
title = { zh = "$unwritten$name", en = "To be written: $spaced" }
status = "shadow"
reach = "L1"
curable = true

[rules.$name.parameters]
max_minutes = { value = 600, unit = "min", source = "default", $note }
"""

HEAD = """\
# What $base did not say yet; everything else is as it was.

schema = 1
extends = "$base"
id = "$pack"
version = "$version"
"""


@app.callback()
def rule() -> None:
    pass


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What is found, as a Python name: night_study.")],
    pack: Annotated[str, typer.Option(help="The pack that takes it, in its next version.")] = (
        "huangchuan-2021-graded"
    ),
    tree: Annotated[Path, typer.Option(help="The source tree.", show_default=False)] = TREE,
    as_json: Json = False,
) -> None:
    """Lay a rule's files: a small rule that works, on trial, to be written anew.

    It cannot be published before its words are written.
    """
    folder = tree / "detectors"
    if not (tree / "tests" / "detectors").is_dir():
        refuse(f"{tree}: no source tree with tests: clone it and run this there")
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name):
        refuse(f"{name!r}: must be small letters and underscores, as night_study")
    if (folder / f"{name}.py").exists() or (folder / f"{name}.toml").exists():
        refuse(f"{name}: detectors/{name}.py or .toml is there already")
    try:
        latest = packs.load(pack, folder=folder / "packs")
    except packs.UnknownPack as error:
        refuse(str(error))
    values = {
        "note": f'note_zh = "{rules.UNWRITTEN}", note_en = "to be written"',
        "name": name,
        "spaced": name.replace("_", " "),
        "letter": name[0].upper(),
        "unwritten": rules.UNWRITTEN,
        "clause": f"{latest.instrument.id}/false_training",
        "pack": pack,
    }
    if values["clause"] not in latest.clauses:
        values["clause"] = next(iter(latest.table.rules.values())).clause
    written = {
        f"detectors/{name}.py": Template(DETECTOR).substitute(values),
        f"detectors/{name}.toml": Template(WORDS).substitute(values),
        f"tests/detectors/test_{name}.py": Template(TEST).substitute(values),
        "detectors/registry.py": _registered((folder / "registry.py").read_text("utf-8"), name),
        **_entered(folder / "packs", latest, values),
    }
    for path, text in written.items():
        (tree / path).write_text(text, "utf-8")
    say({"rule": name, "files": [*written]}, as_json, "\n".join(written))


def _registered(text: str, name: str) -> str:
    """The registry with the rule's import, in its place, and its line, the last one."""
    imports = re.search(r"from detectors import \(\n((?:    \w+,\n)+)\)", text)
    lines = re.search(r"\nALL = \(\n(?:    .*\n)+(?=\)\n)", text)
    if imports is None or lines is None:
        refuse("detectors/registry.py is not as it was: add the import and the line by hand")
    line = f'    Detector({name}.RULE, "1", {name}.detect),\n'
    modules = sorted([*imports[1].splitlines(keepends=True), f"    {name},\n"])
    return (
        text[: imports.start(1)]
        + "".join(modules)
        + text[imports.end(1) : lines.end()]
        + line
        + text[lines.end() :]
    )


def _entered(folder: Path, latest: packs.Pack, values: dict[str, str]) -> dict[str, str]:
    """The pack's file with the rule: the latest one where it is not published, else a new one."""
    entry = Template(ENTRY).substitute(values)
    path = folder / f"{latest.name}.toml"
    if latest.name not in pack_lock.read_lock(folder):
        return {f"detectors/packs/{path.name}": path.read_text("utf-8") + entry}
    major, minor, _ = latest.version.split(".")
    version = f"{major}.{int(minor) + 1}.0"
    head = Template(HEAD).substitute(values, base=latest.name, version=version)
    return {f"detectors/packs/{latest.id}@{version}.toml": head + entry}
