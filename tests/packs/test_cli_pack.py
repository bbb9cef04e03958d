"""`zhenxue pack` answers in words or JSON, and by its exit code: 0 fine, 1 found, 2 bad input."""

from __future__ import annotations

import json

from typer.testing import CliRunner, Result

from app.cli.pack import app
from app.domain.policy import packs
from tests.packs.shelf import GRADED, LITERAL, Shelf


def pack(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_check_is_content_with_the_shipped_packs() -> None:
    result = pack("check")
    told = "all packs are valid, and packs and rules stand as published\n"
    assert (result.exit_code, result.stdout) == (0, told)


def test_check_finds_a_tampered_pack_and_names_it(shelf: Shelf) -> None:
    shelf.edit("edge_margin_s = { value = 60", "edge_margin_s = { value = 45")
    result = pack("check", "--json", "--folder", str(shelf.folder))
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    assert [it["code"] for it in answer["problems"]] == ["changed", "changed"]
    assert answer["problems"][0]["pack"] == f"{GRADED}@1.0.0"


def test_check_prints_an_invalid_pack_in_one_line(shelf: Shelf) -> None:
    shelf.edit('reissues = { value = 1, unit = "count"', "reissues = { value = 1")
    result = pack("check", "--folder", str(shelf.folder))
    assert result.exit_code == 1
    line = f"invalid: {GRADED}@1.0.0.toml: rules.popup_gap.parameters.reissues.unit: Field required"
    assert line in result.stdout.splitlines()


def test_publish_adds_a_new_version_and_check_is_content(shelf: Shelf) -> None:
    shelf.add_version(GRADED, "1.1.0")
    result = pack("check", "--publish", "--folder", str(shelf.folder))
    assert result.exit_code == 0
    assert f"published {GRADED}@1.1.0" in result.stdout


def test_publish_with_an_invalid_pack_is_bad_input(shelf: Shelf) -> None:
    shelf.edit("[checks.B24]", "[checks.popup_gap]")
    result = pack("check", "--publish", "--folder", str(shelf.folder))
    assert result.exit_code == 2
    assert "one name for two tables" in result.stderr


def test_diff_of_two_packs_exits_with_one_and_lists_the_changes() -> None:
    result = pack("diff", GRADED, LITERAL, "--json")
    assert result.exit_code == 1
    changes = {
        it["path"]: (it["before"], it["after"]) for it in json.loads(result.stdout)["changes"]
    }
    assert changes["rules.popup_gap.reach"] == ("L1", "L2")
    assert "rules.popup_gap.reach: L1 -> L2" in pack("diff", GRADED, LITERAL).stdout


def test_diff_of_a_pack_with_itself_exits_with_zero() -> None:
    result = pack("diff", f"{GRADED}@1.0.0", f"{GRADED}@1.0.0")
    assert result.exit_code == 0
    assert "decide alike" in result.stdout


def test_diff_with_an_unknown_pack_or_without_one_is_bad_input() -> None:
    assert pack("diff", GRADED, "henan").exit_code == 2
    assert pack("diff", GRADED).exit_code == 2


def test_list_shows_every_pack_with_its_digest_and_whether_it_is_published() -> None:
    answer = json.loads(pack("list", "--json").stdout)
    assert {it["id"] for it in answer["packs"]} == set(packs.versions())
    assert all(it["published"] and len(it["digest"]) == 64 for it in answer["packs"])
    assert f"{GRADED}@1.0.0" in pack("list").stdout
