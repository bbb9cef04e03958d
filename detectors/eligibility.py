"""From class-hours, findings and checks to the verdict on an enrolment and on a class."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detectors.policy import Reach


class Cure(StrEnum):
    """How lost class-hours may be made up."""

    AUTOMATIC = "automatic"
    AUTHORITY = "authority_approval"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a pack says beyond single rules (rules.md section 4).

    grave            reach of confirmed impersonation, attack or forgery
    missing_control  reach of a control that the platform lacks
    leave, not_misconduct, misconduct   how each kind of loss may be made up
    """

    grave: Reach
    missing_control: Reach
    leave: Cure
    not_misconduct: Cure
    misconduct: Cure
