"""The tables. Classes only: what is done with them lives in app/store."""

from models.act import Act
from models.base import Base
from models.catalogue import ClassHour, Course, CourseVersion, Enrolment, Lesson, TrainingClass
from models.county_task import ClassTask, CountyTarget
from models.faces import Calibration, CourseFace, FacePair, PhotoCode, PhotoCodeDue
from models.identity import IdentityCorrection
from models.inspection import Inspection, InspectionCheck, InspectionNote, SpotCheck
from models.installation import InstallationFact
from models.institution import ClassSetup, County, Institution
from models.judgement import Appeal, Finding, Review, Run, Verdict
from models.ledger import AuditEntry, PhotoAccess
from models.link import LearnerLink
from models.money import RecoveryEvent, SubsidyPayment, SubsidyStandard
from models.notice import Notice, NoticeChoice, NoticeDelivery
from models.pack_draft import PackDraft
from models.people import (
    Learner,
    LearnerKey,
    LoginFailure,
    Person,
    ReferencePhoto,
    SecondFactor,
    User,
    UserSession,
)
from models.platform import (
    ApiKey,
    KeyUse,
    Platform,
    PlatformUse,
    RefusedRequest,
    Webhook,
    WebhookDelivery,
)
from models.queue import Assignment, SavedView
from models.records import (
    AssessmentRecord,
    Certificate,
    HistoryRecord,
    LeaveRecord,
    OfflineAttendance,
    RecordingRecord,
    SatisfactionRecord,
)
from models.retention import LegalHold
from models.review_case import CaseNote, MaterialRequest, ReviewCase
from models.sign_off import SignOff
from models.single_sign_on import ForeignIdentity
from models.sitting import (
    ArchivedLedger,
    ArchivedLog,
    ArchivedPhoto,
    Control,
    EventArchive,
    EventBatch,
    EventLog,
    ForwardedBatch,
    Session,
    Snapshot,
)
from models.stage import CalendarDay, StageEvent
from models.statement import Statement
from models.system_code import SystemCode
from models.vault_key import VaultKey, VaultKeyWrap
from models.xapi_document import StatementLink, XapiActivity, XapiAttachment, XapiDocument

__all__ = [
    "Act",
    "ApiKey",
    "Appeal",
    "ArchivedLedger",
    "ArchivedLog",
    "ArchivedPhoto",
    "AssessmentRecord",
    "Assignment",
    "AuditEntry",
    "Base",
    "CalendarDay",
    "Calibration",
    "CaseNote",
    "Certificate",
    "ClassHour",
    "ClassSetup",
    "ClassTask",
    "Control",
    "County",
    "CountyTarget",
    "Course",
    "CourseFace",
    "CourseVersion",
    "Enrolment",
    "EventArchive",
    "EventBatch",
    "EventLog",
    "FacePair",
    "Finding",
    "ForeignIdentity",
    "ForwardedBatch",
    "HistoryRecord",
    "IdentityCorrection",
    "Inspection",
    "InspectionCheck",
    "InspectionNote",
    "InstallationFact",
    "Institution",
    "KeyUse",
    "Learner",
    "LearnerKey",
    "LearnerLink",
    "LeaveRecord",
    "LegalHold",
    "Lesson",
    "LoginFailure",
    "MaterialRequest",
    "Notice",
    "NoticeChoice",
    "NoticeDelivery",
    "OfflineAttendance",
    "PackDraft",
    "Person",
    "PhotoAccess",
    "PhotoCode",
    "PhotoCodeDue",
    "Platform",
    "PlatformUse",
    "RecordingRecord",
    "RecoveryEvent",
    "ReferencePhoto",
    "RefusedRequest",
    "Review",
    "ReviewCase",
    "Run",
    "SatisfactionRecord",
    "SavedView",
    "SecondFactor",
    "Session",
    "SignOff",
    "Snapshot",
    "SpotCheck",
    "StageEvent",
    "Statement",
    "StatementLink",
    "SubsidyPayment",
    "SubsidyStandard",
    "SystemCode",
    "TrainingClass",
    "User",
    "UserSession",
    "VaultKey",
    "VaultKeyWrap",
    "Verdict",
    "Webhook",
    "WebhookDelivery",
    "XapiActivity",
    "XapiAttachment",
    "XapiDocument",
]
