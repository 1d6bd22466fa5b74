"""Rows: one file per noun, invariants as database constraints."""

from recovery.models.alert import Alert, AlertSight, AlertTransition, EscalationStep
from recovery.models.audit import AuditEvent
from recovery.models.backtest import Backtest
from recovery.models.breakglass import EmergencyAccess
from recovery.models.care import Team, TeamMembership
from recovery.models.caregiver_notice import CaregiverContact, CaregiverMessageNotice, CaregiverReminder
from recovery.models.cds import Card, SpentToken, TrustedEhr
from recovery.models.check_in import CheckInDraft, CheckInResponse, DraftPhoto
from recovery.models.connection import (
    Authorization,
    AuthorizedToken,
    Connection,
    EhrIdentity,
    Launch,
    SpentAssertion,
)
from recovery.models.consent import ConsentDecision, SourceChoice
from recovery.models.desk import Desk, Look, SavedView
from recovery.models.device import Device
from recovery.models.document import ConditionalKey, Document, DocumentIndex, DocumentVersion, UnmappedCode
from recovery.models.episode import Episode
from recovery.models.episode_change import EpisodeChange
from recovery.models.erasure import ErasureRequest
from recovery.models.export import Export, ExportMember
from recovery.models.finding import Finding
from recovery.models.governance import ModelChange, ModelReport, ShadowRisk, TrainingPart, TrainingRun
from recovery.models.grant import CaregiverGrant
from recovery.models.hl7 import Hl7Message, PatientMerge, PausedPipe
from recovery.models.invitation import StaffInvitation
from recovery.models.message import HelperReading, Message, Thread
from recovery.models.notification import Delivery, Notification, NotificationPreference, PushSubscription, TeamHook
from recovery.models.pathway import Pathway
from recovery.models.patient import Patient
from recovery.models.phone_code import PhoneCode
from recovery.models.portal import OwnGoal, PortalInvite, PortalPreference, PortalTry
from recovery.models.reading_mark import ReadingMark
from recovery.models.reminder import ContactChoice, MessageNotice, Reminder, SmsReceived
from recovery.models.roster import RosterShift
from recovery.models.series import AlsoSaid, Batch, FormerSample, Packet, Repeated, Sample, Series
from recovery.models.subscription import ChangeEvent, Subscription, SubscriptionEvent, ToldRisk
from recovery.models.twin import LiveEvent, ModelVersion, Snapshot, Twin
from recovery.models.user import User
from recovery.models.vendor import VendorAsk, VendorLink
from recovery.models.work import Owed

__all__ = [
    "Alert",
    "AlertSight",
    "AlertTransition",
    "AlsoSaid",
    "AuditEvent",
    "Authorization",
    "AuthorizedToken",
    "Backtest",
    "Batch",
    "Card",
    "CaregiverContact",
    "CaregiverGrant",
    "CaregiverMessageNotice",
    "CaregiverReminder",
    "ChangeEvent",
    "CheckInDraft",
    "CheckInResponse",
    "ConditionalKey",
    "Connection",
    "ConsentDecision",
    "ContactChoice",
    "Delivery",
    "Desk",
    "Device",
    "Document",
    "DocumentIndex",
    "DocumentVersion",
    "DraftPhoto",
    "EhrIdentity",
    "EmergencyAccess",
    "Episode",
    "EpisodeChange",
    "ErasureRequest",
    "EscalationStep",
    "Export",
    "ExportMember",
    "Finding",
    "FormerSample",
    "HelperReading",
    "Hl7Message",
    "Launch",
    "LiveEvent",
    "Look",
    "Message",
    "MessageNotice",
    "ModelChange",
    "ModelReport",
    "ModelVersion",
    "Notification",
    "NotificationPreference",
    "Owed",
    "OwnGoal",
    "Packet",
    "Pathway",
    "Patient",
    "PatientMerge",
    "PausedPipe",
    "PhoneCode",
    "PortalInvite",
    "PortalPreference",
    "PortalTry",
    "PushSubscription",
    "ReadingMark",
    "Reminder",
    "Repeated",
    "RosterShift",
    "Sample",
    "SavedView",
    "Series",
    "ShadowRisk",
    "SmsReceived",
    "Snapshot",
    "SourceChoice",
    "SpentAssertion",
    "SpentToken",
    "StaffInvitation",
    "Subscription",
    "SubscriptionEvent",
    "Team",
    "TeamHook",
    "TeamMembership",
    "Thread",
    "ToldRisk",
    "TrainingPart",
    "TrainingRun",
    "TrustedEhr",
    "Twin",
    "UnmappedCode",
    "User",
    "VendorAsk",
    "VendorLink",
]
