"""Packs with other numbers, packs that lack rules, and findings that this version does not know:
every page, list and answer stands, and none says what another pack says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app import rules
from app.domain.catalogue.classes import class_seen
from app.domain.judging import assess, eligibility, what_if
from app.domain.policy import packs
from app.domain.policy.pack import Pack
from app.domain.policy.pack_schema import THE_SIX
from app.jobs.what_if import run_next
from app.main import create_app
from app.reports import container, exports, package
from app.reports.exports import ExportOptions
from app.reports.lists import LISTS
from app.reports.verify import verify
from app.services import Services
from app.store.catalogue.catalogue import ClassRow
from app.store.scope import EVERYTHING
from models import Finding
from tests.people import County
from tests.reports.sample_class import CLASS
from tests.thorough import later
from tests.walk.conftest import _clock, _settings
from tests.walk.dataset import Dataset, found, routes

pytestmark = pytest.mark.thorough

STORY = ("H01", "F02", "F10", "F16", "F19")
A_CLERK = ExportOptions("system:cli", named=True)
# What a county's plan could say instead, in the words of its clauses and in the numbers.
INSTEAD = (
    (r"5分钟", "10分钟"),
    (r"Five minutes", "Ten minutes"),
    (r"恰好300秒", "恰好600秒"),
    (r"exactly 300 s", "exactly 600 s"),
    (r"at least 40 minutes", "at least 30 minutes"),
    (r"40 ?分钟", "30分钟"),
    (r"提前3天", "提前5天"),
    (r"80 人", "70 人"),
    (r"40 ?个?学时", "32个学时"),
    (r"At least 40", "At least 32"),
    (r"max_gap_s = \{ value = 300", "max_gap_s = { value = 600"),
    (r"min_minutes = \{ value = 40", "min_minutes = { value = 30"),
    (r"max_learners = \{ value = 80", "max_learners = { value = 70"),
    (r"min_class_hours = \{ value = 40", "min_class_hours = { value = 32"),
    (r"days_ahead = \{ value = 3", "days_ahead = { value = 5"),
    (r"lesson_done_coverage = \{ value = 0\.98", "lesson_done_coverage = { value = 0.91"),
)
OLD = re.compile(
    r"(?<!\d)5 ?分钟|五分钟|(?<!\d)40 ?分钟|提前3天|(?<!\d)80 ?人|(?<!\d)40 ?个?学时"
    r"|[Ff]ive minutes|(?<!\d)5 min\b|(?<!\d)40 min|(?<![\d.])300 ?(s\b|秒)|≥ 40|≤ 80|≥ 3天"
)

LEARNER_PAGE = "/console/classes/{class_id}/learners/{learner_id}"


def other_shelf(folder: Path) -> Path:
    """The shipped packs and clauses, with other numbers in the same places."""
    shelf = shutil.copytree(packs.FOLDER, folder / "packs")
    for path in shelf.rglob("*.toml"):
        text = path.read_text("utf-8")
        for old, new in INSTEAD:
            text = re.sub(old, new, text)
        path.write_text(text, "utf-8")
    return shelf


@contextmanager
def shelved(shelf: Path) -> Iterator[None]:
    """The service takes its packs from another folder."""
    real = packs._load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "_load", lambda name, version, _: real(name, version, (shelf,)))
        yield


def world_in(folder: Path, template: Path) -> Dataset:
    shutil.copyfile(template, folder / "zhenxue.sqlite")
    services: Services = create_app(_settings(folder), _clock()).state.services
    county = County.found(services.database, _clock())
    dataset = found(services, county, folder, STORY)
    services.database.close()
    return dataset


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return other_shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def elsewhere(
    shelf: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    """A class judged by the other packs."""
    with shelved(shelf):
        return world_in(tmp_path_factory.mktemp("elsewhere"), sqlite_template)


@pytest.fixture(scope="module")
def here(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same class judged by the shipped ones."""
    return world_in(tmp_path_factory.mktemp("here"), sqlite_template)


def everything_read(
    services: Services,
    client: TestClient,
    dataset: Dataset,
    readers: tuple[str, ...] = ("zhao",),
    languages: tuple[str, ...] = ("zh",),
) -> Iterator[tuple[str, str]]:
    """(where, text) of every page, answer, list, and member of a package."""
    app = client.app
    for method, path in routes(app):  # type: ignore[arg-type]
        if method != "GET" or not path.startswith(("/console", "/my/", "/v1/", "/xAPI/")):
            continue
        if path.endswith((".jpg", "/events")) or "{rest" in path:
            continue
        address = dataset.address(path)
        machine = path.startswith(("/v1/", "/xAPI"))
        people = ("",) if machine or path.startswith("/my") else readers
        for who in people:
            for lang in ("zh",) if machine else languages:
                client.cookies.clear()
                headers = dataset.county.huang.headers if machine else dataset.headers(who)
                cookie = headers.get("cookie", "")
                headers |= {} if machine else {"cookie": f"{cookie}; zhenxue_lang={lang}"}
                answer = client.get(address, headers=headers, follow_redirects=False)
                assert answer.status_code < 500, (path, who, answer.text[:200])
                yield f"{path} {who} {lang}", answer.text
    for rule in (*rules.known(), "later_rule", ""):
        address = f"/console/findings?status=all&rule={rule}"
        answer = client.get(address, headers=dataset.headers("zhao"))
        assert answer.status_code == 200, rule
        yield address, answer.text
    klass = klass_of(services)
    for sheet in exports.sheets(services, klass, list(LISTS), A_CLERK):
        for row in (*sheet.rows, *sheet.counts, *[[it] for it in sheet.notes]):
            yield f"list {sheet.name}", " ".join(str(it) for it in row)
    made = package.export(services, klass, A_CLERK, EVERYTHING)
    for name, data in container.unpack(made.file.data).items():
        if name.endswith((".csv", ".json", ".md", ".txt")):
            yield f"package {name}", data.decode()


def klass_of(services: Services) -> ClassRow:
    with services.database.read() as connection:
        return class_seen(connection, EVERYTHING, CLASS)


@contextmanager
def opened(dataset: Dataset, folder: Path) -> Iterator[tuple[Services, TestClient]]:
    """A service on a copy of the dataset."""
    data = folder / "data"
    shutil.copytree(dataset.folder, data)
    app = create_app(_settings(data), _clock())
    yield app.state.services, TestClient(app)
    app.state.services.database.close()


def test_no_number_of_another_pack_is_said_anywhere(
    shelf: Path, elsewhere: Dataset, tmp_path: Path
) -> None:
    with shelved(shelf), opened(elsewhere, tmp_path) as (services, client):
        said = list(everything_read(services, client, elsewhere, ("zhao", "root"), ("zh", "en")))
        wrong = [
            (where, text[max(0, it.start() - 40) : it.end() + 20])
            for where, text in said
            if "/pack-drafts" not in where  # another pack, beside the one that it changes
            for it in OLD.finditer(text)
        ]
        assert not wrong, "\n".join(f"{where}: {text}" for where, text in wrong)
        assert any("连续10分钟内无弹窗管控" in text for where, text in said if "/console" in where)
        assert any("Ten minutes" in text for where, text in said if " en" in where)


def without(pack: Pack, kept_rules: tuple[str, ...], kept_checks: tuple[str, ...]) -> Pack:
    table = pack.table
    smaller = table.model_copy(
        update={
            "rules": {name: it for name, it in table.rules.items() if name in kept_rules},
            "checks": {name: it for name, it in table.checks.items() if name in kept_checks},
        }
    )
    content = {
        **pack.content,
        "rules": {name: pack.content["rules"][name] for name in smaller.rules},
        "checks": {name: pack.content["checks"][name] for name in smaller.checks},
    }
    return Pack(smaller, content, pack.clauses, pack.occupations)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pack keeps the six rules and two checks."""
    shorten(monkeypatch, "huangchuan")


def shorten(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    """Packs whose id begins so keep the six rules and two checks."""
    real = packs._load
    made: dict[tuple[str, str], Pack] = {}

    def load(name: str, version: str, folder: Path) -> Pack:
        key = name, version
        if key not in made:
            full = real(name, version, folder)
            short = name.startswith(which)
            made[key] = without(full, THE_SIX, ("B5", "C1")) if short else full
        return made[key]

    monkeypatch.setattr(packs, "_load", load)


def judged_again(services: Services) -> None:
    klass, now_ms = klass_of(services), services.clock()
    with services.database.write() as connection:
        assess.judge_sittings(connection, klass.id, now_ms)
        for learner in connection.scalars(select(Finding.learner_id).distinct()).all():
            if learner is not None:
                assess.judge_learner(connection, klass.id, learner, now_ms)
        eligibility.conclude(connection, klass.id, now_ms)


def test_what_a_fuller_pack_found_is_read_and_judged_by_one_with_fewer_rules(
    here: Dataset, tmp_path: Path, bare: None
) -> None:
    with opened(here, tmp_path) as (services, client):
        assert run_next(services)
        assert list(everything_read(services, client, here))
        judged_again(services)
        assert list(everything_read(services, client, here))
        made = package.export(services, klass_of(services), A_CLERK, EVERYTHING)
        verify(made.file.data, made.public_key)


def test_a_scale_without_a_rule_does_not_act_on_what_the_other_scale_found(
    here: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "huangchuan-2021-literal")
    with opened(here, tmp_path) as (services, client):
        klass = klass_of(services)
        with services.database.write() as connection:
            theirs = Finding.learner_id.is_not(None)
            connection.execute(update(Finding).where(theirs).values(rule="photo_reuse"))
            eligibility.conclude(connection, klass.id, services.clock())
            told = eligibility.view(connection, klass, services.clock()).learners
        sources = {
            scale: {it.source for one in told for it in getattr(one, scale).reasons}
            for scale in ("graded", "literal")
        }
        assert "photo_reuse" in sources["graded"] and "photo_reuse" not in sources["literal"]
        assert list(everything_read(services, client, here))


@pytest.mark.parametrize(
    "which", ["none", *later("huangchuan-2021-literal", "huangchuan-2021-graded")]
)
def test_any_two_packs_are_compared_whichever_has_more(
    here: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    shorten(monkeypatch, which)
    names = [it.name for it in packs.available()]
    with opened(here, tmp_path) as (_, client):
        for one, other in permutations([*names, names[0].partition("@")[0]], 2):
            address = f"/console/packs/{one}?against={other}"
            for lang in ("zh", "en"):
                client.cookies.clear()
                cookie = f"{here.headers('zhao')['cookie']}; zhenxue_lang={lang}"
                answer = client.get(address, headers={"cookie": cookie})
                assert answer.status_code == 200, (address, lang)


def test_what_a_bare_pack_found_is_tried_with_fuller_ones(here: Dataset, tmp_path: Path) -> None:
    with opened(here, tmp_path) as (services, _), services.database.read() as connection:
        klass = klass_of(services)
        for it in packs.available():
            full = packs.load(it.name)
            for pack in (full, without(full, THE_SIX, ()), without(full, THE_SIX, ("D1", "C11"))):
                tried = what_if.tried(connection, klass.id, pack)
                assert sum(tried["after"].values()) > 0
                assert {*tried["rules_after"]} <= {*pack.table.rules}


def test_findings_that_only_a_later_version_knows_stand_on_every_page(
    here: Dataset, tmp_path: Path
) -> None:
    with opened(here, tmp_path) as (services, client):
        with services.database.write() as connection:
            rows = connection.execute(select(Finding.id, Finding.rule, Finding.body)).all()
            for place, row in enumerate(rows):
                told = {"reason": "later_reason"} | ({"rule": "later_rule"} if place % 2 else {})
                body = {**row.body, **told}
                change = update(Finding).where(Finding.id == row.id)
                connection.execute(change.values(**told, body=body))
        said = dict(everything_read(services, client, here))
        shown = said["/console/findings?status=all&rule=later_rule"]
        assert "later_rule" in shown and "本版本没有其说明" in shown
        judged_again(services)


def test_verdicts_of_a_package_that_another_version_made_are_not_called_forged(
    here: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(here, tmp_path) as (services, _):
        made = package.export(services, klass_of(services), A_CLERK, EVERYTHING)
        assert not verify(made.file.data, made.public_key).problems
    known = {name: it for name, it in rules.known().items() if name in THE_SIX}
    monkeypatch.setattr(rules, "known", lambda: known)
    assert not verify(made.file.data, made.public_key).problems


def test_a_class_whose_pack_is_gone_from_the_shelf_stands_and_says_which_file_is_missing(
    here: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(here, tmp_path) as (services, client):
        with services.database.read() as connection:
            klass = class_seen(connection, EVERYTHING, CLASS)
        there = packs.versions()
        left = {it: kept for it, all_ in there.items() if (kept := _without(all_, klass))}
        monkeypatch.setattr(packs, "readable", lambda _=None: left)
        wrong = []
        for method, path in routes(client.app):  # type: ignore[arg-type]
            if method == "GET" and path.startswith(("/console", "/my/")) and "{rest" not in path:
                answer = client.get(here.address(path), headers=here.headers("zhao"))
                if answer.status_code == 422 or answer.status_code >= 500:
                    wrong.append((path, answer.status_code))
        # These are computed when they are read.
        computed = (
            "/console/classes/{class_id}/scale",
            "/console/classes/{class_id}/sign-off",
            "/console/classes/{class_id}/stages",
            "/console/classes/{class_id}/systems/{system}/{table}.{ext}",
            "/console/sessions/{session_id}",
        )
        assert wrong == [(it, 422) for it in computed]
        for path in computed:
            page = client.get(here.address(path), headers=here.headers("zhao")).text
            assert "缺少政策包" in page and "班级页上写明缺少哪个文件" in page
        for path in (f"/console/classes/{klass.id}", here.address(LEARNER_PAGE)):
            page = client.get(path, headers=here.headers("zhao")).text
            assert f"缺少文件{klass.pack_id}@{klass.pack_version}.toml" in page
            assert "重启服务" in page


def _without(versions: tuple[str, ...], klass: ClassRow) -> tuple[str, ...]:
    return tuple(it for it in versions if it != klass.pack_version)
