"""All detectors, by name. A new rule is a file beside this one, a line here, a pack entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detectors import (
    allowed_hours,
    class_dates,
    cloned_traces,
    coarse_positions,
    collusion,
    contradicting_times,
    daily_cap,
    evidence_altered,
    face_liveness,
    fast_forward,
    forged_telemetry,
    idle_limit,
    lesson_length,
    lesson_order,
    marathon,
    multi_window,
    one_face_several_accounts,
    person_over_course,
    photo_retention,
    photo_reuse,
    popup_gap,
    shared_address,
    shared_device,
    unseen_play,
)
from detectors.facts import Facts
from detectors.finding import Finding
from detectors.policy import Policy


@dataclass(frozen=True, slots=True)
class Detector:
    """A rule's function and its version; the version changes whenever its findings could.

    `crowd`: it compares people with each other, so one learner's sittings alone tell it nothing.
    """

    rule: str
    version: str
    detect: Callable[[Facts, Policy], list[Finding]]
    crowd: bool = False


# The version of what is no rule: credit, class-hours, and what findings and checks come to. It is
# raised whenever a conclusion could change that no rule's version tells of.
ENGINE_VERSION = "2"

ALL = (
    Detector(fast_forward.RULE, "4", fast_forward.detect),
    Detector(multi_window.RULE, "6", multi_window.detect),
    Detector(popup_gap.RULE, "2", popup_gap.detect),
    Detector(face_liveness.RULE, "5", face_liveness.detect),
    Detector(lesson_order.RULE, "1", lesson_order.detect),
    Detector(photo_retention.RULE, "2", photo_retention.detect),
    Detector(forged_telemetry.RULE, "2", forged_telemetry.detect),
    Detector(contradicting_times.RULE, "1", contradicting_times.detect),
    Detector(unseen_play.RULE, "2", unseen_play.detect),
    Detector(class_dates.RULE, "1", class_dates.detect),
    Detector(allowed_hours.RULE, "1", allowed_hours.detect),
    Detector(daily_cap.RULE, "1", daily_cap.detect),
    Detector(idle_limit.RULE, "1", idle_limit.detect),
    Detector(photo_reuse.RULE, "3", photo_reuse.detect),
    Detector(cloned_traces.RULE, "1", cloned_traces.detect, crowd=True),
    Detector(lesson_length.RULE, "2", lesson_length.detect, crowd=True),
    Detector(coarse_positions.RULE, "1", coarse_positions.detect, crowd=True),
    Detector(shared_device.RULE, "1", shared_device.detect, crowd=True),
    Detector(shared_address.RULE, "1", shared_address.detect, crowd=True),
    Detector(collusion.RULE, "2", collusion.detect, crowd=True),
    Detector(one_face_several_accounts.RULE, "1", one_face_several_accounts.detect, crowd=True),
    Detector(person_over_course.RULE, "1", person_over_course.detect),
    Detector(marathon.RULE, "2", marathon.detect),
    Detector(evidence_altered.RULE, "1", evidence_altered.detect),
)


def versions_run(policy: Policy) -> dict[str, str]:
    """Version by rule of the detectors whose findings a pack keeps, those on trial included."""
    return {it.rule: it.version for it in ALL if policy.names(it.rule) and policy[it.rule].runs}


def versions_acting(policy: Policy) -> dict[str, str]:
    """Version by rule of the detectors that a pack's verdicts rest on: what is on trial, and what
    the pack does not name, has no part in them."""
    return {it.rule: it.version for it in ALL if policy.names(it.rule) and policy[it.rule].acts}
