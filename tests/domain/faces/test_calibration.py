"""The site's own thresholds: measured without labels, kept, and used in decisions once applied."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import main as cli
from app.cli.calibrate import threshold_lines
from app.db import Database
from app.domain.faces import calibration
from app.domain.faces.calibration import Faces, NotEnoughFaces
from app.domain.faces.comparison import Comparison
from app.domain.faces.group_errors import HonestSittings, error_rates
from app.jobs.calibration import groups
from app.store.accounts import audit
from app.store.accounts.audit import AuditFilter
from app.store.faces import calibrations
from app.vision import match
from app.vision.match import Moment
from app.vision.model_card import DLIB_RESNET, read_card
from tests.people import TestClock

CARD = read_card(DLIB_RESNET)
Embedding = np.ndarray[Any, np.dtype[np.float32]]


def cohort(persons: int = 40, spread: float = 0.09, alike: float = 1.0) -> list[Faces]:
    """People whose means lie about `alike` apart, photographed in two sittings of three."""
    rng = np.random.default_rng(7)
    middle = rng.normal(0, 0.1, CARD.dim)

    def person(number: int) -> Faces:
        face = middle + rng.normal(0, alike * 0.06, CARD.dim)
        noise = spread / np.sqrt(CARD.dim)
        shot = [Moment((face + rng.normal(0, noise, CARD.dim)).astype("f4")) for _ in range(6)]
        return Faces(number, number, [shot[:3], shot[3:]])

    return [person(number) for number in range(persons)]


@functools.cache
def measured() -> tuple[dict[str, Any], Embedding]:
    """What calibration makes of the cohort; takes a second."""
    return calibration.measured(CARD, cohort())


def test_thresholds_come_for_every_pair_of_counts_with_what_they_rest_on() -> None:
    body, centre = measured()
    assert body["persons"] == 40 and body["alarm"] is None
    assert body["raw"]["own"] == 40
    for limits in body["raw"]["counts"]:
        low, high = limits["interval_95"]
        assert 0 < low <= limits["match"] <= high and limits["match"] <= limits["mismatch"]
        assert limits["pairs_of_people"] == 780
    (everybody,) = body["errors"]
    assert (everybody["group"], everybody["people"]) == ("all", 40)
    assert everybody["review"]["value"] == 0
    assert centre.shape == (CARD.dim,)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("410000199001010028", ("female", "30 to 44")),
        ("410000196611280019", ("male", "60 and over")),
        ("410000196611290016", ("male", "45 to 59")),
        ("H12345678", ()),
    ],
)
def test_sex_and_age_are_read_from_the_number_on_the_day(
    number: str, told: tuple[str, ...]
) -> None:
    assert groups(number, date(2026, 11, 28)) == told


def test_errors_are_told_of_each_group_that_is_large_enough() -> None:
    groups = [("female", "under 30")] * 20 + [("male", "under 30")] * 11 + [("male", "over 60")] * 9
    faces = [replace(each, groups=group) for each, group in zip(cohort(40), groups, strict=True)]
    body, _ = calibration.measured(CARD, faces)
    told = {it["group"]: it["people"] for it in body["errors"]}
    assert told == {"all": 40, "female": 20, "under 30": 31, "male": 20}
    assert body["small_groups"] == [{"group": "over 60", "people": 9}]
    printed = "\n".join(threshold_lines(body))
    assert "honest sittings, over 60: 9 people, too few" in printed


def people(count: int, sittings: int, reviewed: int) -> list[HonestSittings]:
    """So many who were sent to a person in all their sittings, and the others in none."""
    return [
        HonestSittings(("female",), [(number < reviewed, False)] * sittings)
        for number in range(count)
    ]


def test_an_interval_rests_on_people_and_not_on_their_sittings() -> None:
    (_, one), (_, ten) = (error_rates(people(20, n, 2))["errors"] for n in (1, 10))
    assert ten["review"]["value"] == one["review"]["value"] == 0.1
    assert ten["review"]["sittings"] == 200
    low, high = one["review"]["interval_95"]
    again = ten["review"]["interval_95"]
    assert again == pytest.approx([low, high], abs=0.01) and high - low > 0.2
    assert one["mismatch"]["interval_95"][1] > 0.1, "none of twenty people is no zero"


def test_sittings_of_many_people_that_fail_by_chance_count_nearly_as_many_trials() -> None:
    rng = np.random.default_rng(3)
    mixed = [
        HonestSittings((), [(bool(it < 0.1), False) for it in rng.random(10)]) for _ in range(200)
    ]
    (everybody,) = error_rates(mixed)["errors"]
    low, high = everybody["review"]["interval_95"]
    assert low < 0.1 < high and high - low < 0.035


def test_who_has_no_such_number_is_counted_apart() -> None:
    told = error_rates([*people(12, 1, 0), HonestSittings((), [(False, False)])])
    assert [it["group"] for it in told["errors"]] == ["all", "female"] and told["ungrouped"] == 1


def test_a_cohort_that_the_model_cannot_tell_apart_raises_the_alarm() -> None:
    body, _ = calibration.measured(CARD, cohort(alike=0.3))
    assert "does not fit this cohort" in body["alarm"]


def test_two_accounts_of_one_person_are_no_strangers() -> None:
    faces = cohort(38)
    twins = [Faces(1000 + each.learner_id, each.person_id, each.sittings) for each in faces]
    body, _ = calibration.measured(CARD, [*faces, *twins])
    assert body["persons"] == 38 and body["raw"]["counts"][2]["match"] > 0.2


def test_a_small_site_keeps_the_model_card() -> None:
    with pytest.raises(NotEnoughFaces, match="30 are needed"):
        calibration.measured(CARD, cohort(29))


def test_what_is_applied_decides_and_stands_in_the_decision(
    database: Database, clock: TestClock
) -> None:
    faces = cohort()
    body, centre = measured()
    stored = json.loads(json.dumps(body))
    with database.write() as connection:
        told: dict[str, Any] = {"actor": "system:cli", "now_ms": clock()}
        calibration.record(connection, CARD, stored, centre, apply=False, **told)
        assert calibration.in_force(connection, CARD) is None
        made = calibration.record(connection, CARD, stored, centre, apply=True, **told)
        calibration.record(connection, CARD, stored, centre, apply=False, **told)
        site = calibration.in_force(connection, CARD)
        latest = calibrations.latest(connection, CARD.model)
        assert latest is not None and latest.id > made
        (entry,) = audit.page(connection, AuditFilter(action="calibration"), size=9)
    assert entry.subject == f"calibration:{made}"
    assert site is not None and site.calibration_id == made

    lin, wu = faces[0], faces[1]
    pictures = [it.mean for it in lin.sittings[0]]
    case = Comparison(match.template(pictures, CARD), CARD, site)
    assert case.template is not None
    own = case.document(case.decide(case.template, lin.sittings[1]))
    assert (own["zone"], own["calibration"], own["people"]) == ("match", made, 40)
    assert own["snapshots"] == 3 and own["distance"] <= own["match"] and own["fmr"] == 0.01
    assert case.document(case.decide(case.template, wu.sittings[1]))["zone"] == "mismatch"


def test_a_calibration_of_an_earlier_release_leaves_decisions_to_the_card(
    database: Database,
) -> None:
    with database.write() as connection:
        calibrations.add(
            connection,
            model=CARD.model,
            created_ms=1,
            actor="system:cli",
            applied=True,
            cohort_mean=np.zeros(CARD.dim, "<f4").tobytes(),
            body={"raw": {"thresholds": {"match": 0.3}}, "alarm": None},
        )
        assert calibration.in_force(connection, CARD) is None


# ---------------------------------------------------------------------------------- the command


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    faces = cohort(12)
    path = tmp_path / "set.npz"
    x = np.stack([it.mean for each in faces for it in each.moments])
    np.savez(path, x=x, id=np.repeat(np.arange(12), 6))
    return path


def test_calibrate_prints_error_rates_of_a_labelled_set(labelled: Path) -> None:
    command = ["calibrate", "--embeddings", str(labelled), "--labels", "--json"]
    told = CliRunner().invoke(cli.app, command)
    assert told.exit_code == 0, told.output
    report = json.loads(told.output)
    assert report["identities"] == 12 and report["raw"]["eer"] == 0
    low, high = report["centred"]["fnmr"]["interval_95"]
    assert 0 <= low < high < 0.01
    assert len(report["raw"]["roc"]) == 101


def test_calibrate_measures_nothing_on_an_empty_site(
    settings: Any, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("ZHENXUE_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(settings.data_dir))
    with pytest.raises(SystemExit) as ended:
        cli.main(["calibrate"])
    assert ended.value.code == cli.BAD_INPUT  # type: ignore[attr-defined]
    assert "30 are needed" in capsys.readouterr().err


def test_calibrate_counts_attacks_without_a_model_as_no_response(tmp_path: Path) -> None:
    from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait

    for species in ("live", "screen"):
        (tmp_path / species).mkdir()
        (tmp_path / species / "one.jpg").write_bytes(portrait(PORTRAIT_SEEDS[0]))
    told = CliRunner().invoke(cli.app, ["calibrate", "--attacks", str(tmp_path), "--json"])
    report = json.loads(told.output)
    assert report["apcer_max"]["species"] == "screen"
    assert report["attack_non_response"]["screen"]["value"] == 1
    assert report["bpcer"]["interval_95"] == [0.0, pytest.approx(0.79346)]
