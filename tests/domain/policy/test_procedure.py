"""The shipped steps: in order, with their clocks, and every quoted number in its clause's words."""

from __future__ import annotations

from app.domain.policy import packs, procedure


def test_the_six_stages_stand_in_their_order_and_each_has_a_step_of_two_persons() -> None:
    steps = procedure.steps().values()
    stages = [step.stage for step in steps]
    assert stages == sorted(stages, key=procedure.STAGES.index)
    assert {step.stage for step in steps if step.signatures == 2} == set(procedure.STAGES)


def test_a_quoted_limit_names_its_number_in_the_clause() -> None:
    terms = [(it, it.limit or it.lasts) for it in procedure.steps().values()]
    quoted = [(step, term) for step, term in terms if term and term.source == "quoted"]
    by_clause = [(step, term) for step, term in quoted if term.clause]
    assert (len(quoted), len(by_clause)) == (5, 4)
    for step, term in by_clause:
        assert step.clause and str(term.days) in step.clause.words


def test_days_that_a_check_asks_are_those_of_the_class_s_pack() -> None:
    graded = packs.load("huangchuan-2021-graded")
    limit = procedure.steps_by(graded.id, graded.version)["assessment_filed"].limit
    assert limit and limit.days == graded.checks["C7"]["days_ahead"] == 3
    assert procedure.steps_by("gone", "1.0.0") == procedure.steps()


def test_a_default_quotes_nobody() -> None:
    limits = [it.limit for it in procedure.steps().values() if it.limit]
    assert all("默认" in it.note.zh for it in limits if it.source == "default")
    assert not any(it.clause for it in limits if it.source == "default")
