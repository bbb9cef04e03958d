"""The corpus is complete, well formed and shows what its table says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from app.simulation.environment import LIN, Setting
from app.simulation.scenarios import SCENARIOS, build, perform
from tests.simulation.oracle import sittings

TABLE = """
H01 plain_45min; H02 net_drop_12s; H04 buffering_stalls; H06 laptop_sleep; H07 page_reload_mid;
H10 legit_make_up; H12 rewatch_back_seek; H14 pause_20_min; H16 very_slow_device;
H17 clock_skew_8h; H19 reordered_batches; H20 duplicate_batches; H28 keyboard_only_user;
H30 classroom_nat_30; F01 rate_4x_plain; F02 time_warp_4x; F04 micro_seek; F06 jump_no_seek_event;
F07 instant_complete; F08 http_client_random_beats; F10 offline_backlog_forged;
F13 parallel_4_lessons; F15 visibility_spoof; F16 popup_stripped; F19 popup_reload_dodge;
F26 photo_same_bytes; F28 photo_other_person; F34 order_skip_api
"""
FIELDS = {
    "play": {"position"},
    "pause": {"position"},
    "waiting": {"position"},
    "playing": {"position"},
    "ended": {"position"},
    "progress": {"position", "rate", "visible", "focused", "monotonic_ms"},
    "seek": {"from", "to"},
    "rate": {"rate", "position"},
    "visibility": {"visible"},
    "focus": {"focused"},
    "popup_shown": {"challenge_id", "nonce"},
    "popup_answered": {"challenge_id", "nonce"},
    "popup_expired": {"challenge_id", "nonce"},
    "integrity": {"code", "value"},
}
OUTCOMES = {"valid", "invalid", "not_proven", "pending_review"}


@pytest.fixture(scope="module")
def scenes():
    return {scenario_id: perform(scenario_id, seed=1) for scenario_id in SCENARIOS}


def events(scene, kind="progress", session=-1):
    return [e for e in sittings(scene.evidence)[session].events if e["type"] == kind]


def gaps(scene, field, session=-1):
    return [b[field] - a[field] for a, b in pairwise(events(scene, session=session))]


def test_every_row_of_the_table_is_there():
    for row in TABLE.replace("\n", " ").split(";"):
        scenario_id, name = row.split()
        assert SCENARIOS[scenario_id].name == name


def test_every_scenario_says_what_it_is_and_what_is_expected():
    for scenario in SCENARIOS.values():
        assert scenario.zh and scenario.en
        assert scenario.expected.outcome in OUTCOMES
        assert set(scenario.expected.or_outcomes) <= OUTCOMES
        low, high = scenario.expected.credited_s
        assert 0 <= low <= high <= 3 * 2850
        assert scenario.honest or scenario.expected.rules


def test_no_honest_scenario_expects_an_accusation():
    for scenario in SCENARIOS.values():
        if scenario.honest:
            assert scenario.expected.outcome != "invalid"
            assert "violation" not in scenario.expected.rules.values()


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_records_are_well_formed(scenario_id, scenes):
    scene = scenes[scenario_id]
    sessions = {r["session_id"]: r for r in scene.evidence if r["kind"] == "session"}
    issued = {r["challenge_id"] for r in scene.evidence if r["kind"] == "control"}
    enrolled = {
        learner["learner_id"]
        for record in scene.catalogue
        if record["kind"] == "roster"
        for learner in record["learners"]
    }
    assert set(scene.judged) <= set(sessions)
    received = 0
    for record in scene.evidence:
        session = sessions[record["session_id"]]
        assert session["started_at_ms"] <= session["ended_at_ms"]
        if record["kind"] == "event":
            assert FIELDS[record["type"]] <= record.keys()
            assert isinstance(record["at_ms"], int)
            assert record["received_at_ms"] >= max(received, session["started_at_ms"])
            received = record["received_at_ms"]
        elif record["kind"] == "snapshot":
            assert record["purpose"] in ("start", "random", "resume", "challenge")
            assert record["challenge_id"] in issued
            assert record["file"] in scene.photos
        elif record["kind"] == "control":
            assert record["control"] in ("popup", "snapshot", "face_check")
            assert len(record["nonce"]) == 32
        else:
            assert record["kind"] == "session"
            assert record["learner_id"] in enrolled
            assert isinstance(record["ended_at_ms"], int)


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_the_same_seed_gives_the_same_records(scenario_id, scenes):
    again = perform(scenario_id, seed=1)
    assert again.evidence == scenes[scenario_id].evidence
    assert again.photos == scenes[scenario_id].photos


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_a_scenario_can_be_played_short_and_elsewhere(scenario_id):
    setting = Setting(class_id="class-7", course_id="c7", lesson=2, lessons=4, media_s=600.0)
    scene = perform(scenario_id, setting=setting)
    classes = {r["class_id"] for r in scene.evidence if r["kind"] == "session"}
    assert classes == ({"class-7", "class-7-2"} if scenario_id == "F14" else {"class-7"})
    lessons = {r["lesson_id"] for r in scene.evidence if r["kind"] == "session"}
    assert lessons <= {f"c7-{k:02}" for k in range(1, 5)}


def test_build_gives_the_catalogue_before_the_evidence():
    kinds = [record["kind"] for record in build("H01")]
    assert kinds[:5] == ["course", "class", "roster", "reference_photo", "session"]
    assert "course" not in {record["kind"] for record in build("H01", catalogue=False)}


# -- what the table says of each ------------------------------------------------------------------


def test_an_ordinary_lesson_has_270_heartbeats_and_ten_or_more_popups(scenes):
    assert 268 <= len(events(scenes["H01"])) <= 280
    assert 9 <= len(events(scenes["H01"], "popup_answered")) <= 14
    assert len([r for r in scenes["H01"].evidence if r["kind"] == "snapshot"]) == 3


def test_a_12_s_outage_delivers_six_heartbeats_at_once(scenes):
    received = [event["received_at_ms"] for event in events(scenes["H02"])]
    at_once = max(received.count(time) for time in received)
    assert at_once in (6, 7)


def test_a_sleeping_laptop_plays_1_2_s_in_a_gap_of_16(scenes):
    asleep = [
        (monotonic, content)
        for monotonic, content in zip(
            gaps(scenes["H06"], "monotonic_ms"), gaps(scenes["H06"], "position"), strict=True
        )
        if monotonic > 16_000
    ]
    assert len(asleep) == 2
    # The first heartbeat comes within 0.2 s of waking.
    assert all(1.2 <= content < 1.41 for _, content in asleep)


def test_a_reload_continues_at_the_saved_mark_with_a_new_counter(scenes):
    before, after = sittings(scenes["H07"].evidence)
    assert abs(after.events[0]["position"] - before.events[-1]["position"]) < 11
    first_beats = [e for e in after.events if e["type"] == "progress"]
    assert first_beats[0]["monotonic_ms"] < 30_000


def test_reordered_batches_arrive_out_of_sequence(scenes):
    seqs = [r["seq"] for r in scenes["H19"].evidence if r["kind"] == "event"]
    assert seqs != sorted(seqs)
    assert sorted(seqs) == list(range(len(seqs)))


def test_duplicated_batches_say_the_same_twice(scenes):
    records = [r for r in scenes["H20"].evidence if r["kind"] == "event"]
    assert len(records) == 2 * len({r["seq"] for r in records})


def test_a_keyboard_user_answers_within_a_second(scenes):
    answers = events(scenes["H28"], "popup_answered")
    assert all(450 <= a["latency_ms"] <= 900 and a["input"] == "keyboard" for a in answers)


def test_a_classroom_starts_within_two_minutes_behind_one_address(scenes):
    sessions = [r for r in scenes["H30"].evidence if r["kind"] == "session"]
    starts = [session["started_at_ms"] for session in sessions]
    assert len(sessions) == 30
    assert len({session["client"]["address"] for session in sessions}) == 1
    assert max(starts) - min(starts) < 121_000


@pytest.mark.parametrize(
    ("scenario_id", "speed"),
    [("F01", 4.0), ("F02", 4.0), ("F03", 15.96), ("F04", 3.6), ("F05", 6.0), ("F12", 2.0)],
)
def test_fast_players_outrun_the_server_by_their_factor(scenario_id, speed, scenes):
    received = gaps(scenes[scenario_id], "received_at_ms")
    content = gaps(scenes[scenario_id], "position")
    speeds = sorted(p / (r / 1000) for r, p in zip(received, content, strict=True))
    assert abs(speeds[len(speeds) // 2] - speed) < 0.06 * speed


def test_a_time_warp_speeds_up_the_date_but_not_the_counter(scenes):
    for at, monotonic in zip(
        gaps(scenes["F02"], "at_ms"), gaps(scenes["F02"], "monotonic_ms"), strict=True
    ):
        assert abs(at - 4 * monotonic) < 10
    assert {event["rate"] for event in events(scenes["F02"])} == {1.0}


def test_a_jump_is_not_declared(scenes):
    assert max(gaps(scenes["F06"], "position")) > 290
    assert not events(scenes["F06"], "seek")


def test_a_bare_client_never_shows_a_popup_and_counts_in_whole_seconds(scenes):
    assert not events(scenes["F08"], "popup_shown")
    assert all(event["position"].is_integer() for event in events(scenes["F08"]))


def test_a_forged_backlog_claims_40_minutes_in_one_receipt(scenes):
    received = [event["received_at_ms"] for event in events(scenes["F10"])]
    assert max(received.count(time) for time in received) >= 240


def test_stripped_popups_are_issued_and_never_shown(scenes):
    for scenario_id in ("F16", "F19"):
        records = scenes[scenario_id].evidence
        assert any(r["kind"] == "control" and r["control"] == "popup" for r in records)
        assert not any(r.get("type") == "popup_shown" for r in records)


def test_a_reused_photo_is_equal_and_a_noised_one_is_not(scenes):
    def random_photos(scene):
        return [
            scene.photos[r["file"]]
            for r in scene.evidence
            if r["kind"] == "snapshot" and r["purpose"] == "random"
        ]

    reused = random_photos(scenes["F26"])
    assert len(set(reused)) < len(reused)
    assert any(photo.condition == "noised" for photo in random_photos(scenes["F27"]))


def test_two_accounts_share_one_id_number_and_one_time(scenes):
    scene = scenes["F14"]
    assert len({(learner.id_number, learner.name) for learner in scene.learners}) == 1
    assert (
        len({record["class_id"] for record in scene.catalogue if record["kind"] == "roster"}) == 2
    )
    one, other = sittings(scene.evidence)
    assert other.session["started_at_ms"] < one.session["ended_at_ms"]


def test_the_ninth_lesson_is_taken_before_the_third(scenes):
    lessons = [r["lesson_id"] for r in scenes["F34"].evidence if r["kind"] == "session"]
    assert [lesson[-2:] for lesson in lessons] == ["01", "02", "09"]


def test_invented_id_numbers_have_the_right_form_and_no_region():
    number = LIN.id_number
    assert len(number) == 18 and number.startswith("000000")


def test_the_document_lists_every_scenario_with_its_outcome():
    document = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
    for scenario in SCENARIOS.values():
        row = f"| {scenario.id} | {scenario.name} | {scenario.zh} | {scenario.expected.outcome}"
        assert row in document, row
