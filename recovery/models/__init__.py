"""Rows: one file per noun, invariants as database constraints."""

from recovery.models.alert import Alert, AlertTransition
from recovery.models.audit import AuditEvent
from recovery.models.backtest import Backtest
from recovery.models.breakglass import EmergencyAccess
from recovery.models.care import Team, TeamMembership
from recovery.models.connection import Connection
from recovery.models.device import Device
from recovery.models.document import ConditionalKey, Document, DocumentIndex, DocumentVersion, UnmappedCode
from recovery.models.episode import Episode
from recovery.models.episode_change import EpisodeChange
from recovery.models.finding import Finding
from recovery.models.governance import ModelChange, ModelReport, ShadowRisk, TrainingPart, TrainingRun
from recovery.models.invitation import StaffInvitation
from recovery.models.pathway import Pathway
from recovery.models.patient import Patient
from recovery.models.series import AlsoSaid, Batch, FormerSample, Packet, Sample, Series
from recovery.models.twin import LiveEvent, ModelVersion, Snapshot, Twin
from recovery.models.user import User
from recovery.models.work import Owed

__all__ = [
    "Alert",
    "AlertTransition",
    "AlsoSaid",
    "AuditEvent",
    "Backtest",
    "Batch",
    "ConditionalKey",
    "Connection",
    "Device",
    "Document",
    "DocumentIndex",
    "DocumentVersion",
    "EmergencyAccess",
    "Episode",
    "EpisodeChange",
    "Finding",
    "FormerSample",
    "LiveEvent",
    "ModelChange",
    "ModelReport",
    "ModelVersion",
    "Owed",
    "Packet",
    "Pathway",
    "Patient",
    "Sample",
    "Series",
    "ShadowRisk",
    "Snapshot",
    "StaffInvitation",
    "Team",
    "TeamMembership",
    "TrainingPart",
    "TrainingRun",
    "Twin",
    "UnmappedCode",
    "User",
]
