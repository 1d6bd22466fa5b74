"""What a door hands to `services.ingestion`: plain, already validated and mapped; no FHIR words needed to read it.

A door (FHIR, HL7 v2, a wearable's webhook) turns what it received into a Delivery. Every item carries `index`, its
place in what was sent, so that the answer can name it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from recovery.records import record

Shape = Literal["number", "packet", "projected"]
Reference = tuple[str, str]  # type, id


@dataclass(frozen=True, slots=True)
class Stands:
    """What the door knows of references, asked by type and id.

    `elsewhere`: whether something stands there that no store of ours holds (a conclusion rendered by the door).
    `is_beyond`: whether what stands there is about people of whom the sender must not know: to them it is not here.
    """

    elsewhere: Callable[[str, str], bool]
    is_beyond: Callable[[str, str], bool] | None = None


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Identity of a Series. `template` is canonical JSON text; two messages with equal templates share a Series.

    canonical value = sent value x scale + shift, in the metric's unit. `metric` blank: kept, but no twin metric fits.
    `span_ms`: the time that one value covers, from its `at_ms` on (a SampledData period, a daily total); 0: an instant.
    `references`: what all its messages point at besides the patient, with the path of the element.
    """

    patient: str  # fhir_id of the Patient
    metric: str
    system: str
    code: str
    unit: str
    scale: float
    shift: float
    source: str
    tier: str
    shape: Shape
    template: str
    span_ms: int = 0
    references: Mapping[Reference, str] = field(default_factory=dict, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keys are looked up several times a reading, and made once a series."""
        said = (self.patient, self.metric, self.unit, self.scale, self.shift, self.source, self.shape, self.template)
        object.__setattr__(self, "_hash", hash(said))

    def __hash__(self) -> int:
        return self._hash


@record
class NumberReading:
    """One number at one time, to be stored as one narrow row. `value` is as sent, `digits` its decimals."""

    index: int
    series: SeriesKey
    at_ms: int
    value: float
    digits: int
    slots: str | None = None
    fhir_id: str | None = None


@dataclass(frozen=True, slots=True)
class PacketReading:
    """One SampledData: `data` its text as sent, `points` its numbers (at_ms, value as sent).

    `digest`: a whole number below 2**53 (so that it survives as a float in a page link) drawn from what only this
    packet has (`data`, `end_ms`, identifier), not from `issued` or an id: the same packet sent again has the same one.
    """

    index: int
    series: SeriesKey
    at_ms: int
    end_ms: int
    data: str
    digest: int
    points: tuple[tuple[int, float], ...]
    slots: str | None = None
    fhir_id: str | None = None


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One value of one search parameter (see models.DocumentIndex for which fields speak for which kind)."""

    param: str
    kind: Literal["token", "string", "reference", "date", "number", "quantity", "uri"]
    system: str = ""
    value: str = ""
    low_ms: int | None = None
    high_ms: int | None = None
    number: float | None = None
    number_high: float | None = None
    part: int = 0


@dataclass(frozen=True, slots=True)
class PatientFacts:
    record_number: str = ""
    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None
    sex: str = "unknown"
    died_at: datetime | None = None
    is_synthetic: bool = False
    origin: str = ""  # where imported data came from and its licence; shown with the data


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """From a Procedure. `procedure` is a key of twin.profile or blank; status as models.Episode.Status.

    `surgeon`: the name of who operated, as sent; `surgeon_id`: the id of their Practitioner; either may be blank.
    """

    procedure: str
    procedure_text: str
    surgery_start: datetime | None
    surgery_end: datetime | None
    status: str
    surgeon: str = ""
    surgeon_id: str = ""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    name: str = ""
    manufacturer: str = ""
    kind: str = ""
    udi: str = ""
    tier: str = "consumer"
    version: str = ""


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """From a Condition, Encounter or one-off Observation; `kind` as models.Finding.Kind."""

    kind: str
    key: str = ""
    code: str = ""
    text: str = ""
    number: float | None = None
    onset_at: datetime | None = None
    ended_at: datetime | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """From a Subscription. `is_on`: whether it is to be (or stay) in service. `watch` as models.Subscription.

    `headers`: lines as sent; a value of `MASKED` stands for the one that is held. `topic` blank: by `criteria`.
    """

    is_on: bool
    type: str
    endpoint: str
    topic: str = ""
    criteria: str = ""
    watch: Mapping[str, Any] = field(default_factory=dict)
    payload: str = ""
    content: str = "empty"
    headers: tuple[str, ...] = ()
    heartbeat_s: int | None = None
    timeout_s: int | None = None
    most_events: int = 1
    ends_at: datetime | None = None


MASKED = "(not shown)"  # in place of a header's value that is kept and never shown
Facts = PatientFacts | EpisodeFacts | DeviceFacts | FindingFacts | SubscriptionFacts


@dataclass(frozen=True, slots=True)
class ProjectedSample:
    """A number drawn from a document that does not fit the streams shelf (components, notes, ...)."""

    series: SeriesKey
    at_ms: int
    value: float
    digits: int


@dataclass(frozen=True, slots=True)
class ReplacedReading:
    """A streamed reading that a write changes or deletes: its JSON text as it read, and since when."""

    content: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DocumentWrite:
    """One resource for the documents shelf. `content` is the JSON object as sent, from `recovery.exact_json.loads`.

    method create: the server chooses the id unless `fhir_id` is given. put: create or update at `fhir_id`.
    delete: content is empty. `if_match`: the version that must be current. `criteria`: mark of the conditions under
    which nothing was found; where another writer has stored such a document since, create leaves it, put changes it.
    """

    index: int
    type: str
    method: Literal["create", "put", "delete"]
    content: Mapping[str, Any]
    fhir_id: str | None = None
    if_match: int | None = None
    criteria: str | None = None
    patient: str | None = None  # fhir_id of the patient it belongs to (compartment)
    index_entries: tuple[IndexEntry, ...] = ()
    facts: Facts | None = None
    samples: tuple[ProjectedSample, ...] = ()
    replaces: ReplacedReading | None = None
    references: Mapping[Reference, str] = field(default_factory=dict)  # what it points at -> path of the element


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A code or unit for which the twin has no metric; listed for an administrator."""

    system: str
    code: str
    unit: str
    display: str
    reason: str


# How a reading that is told again reads as a document at an id, given the text of the document that stands there (""
# when that is deleted, None when there is none); None: what stands there stays.
Retell = Callable[[NumberReading | PacketReading, str, str | None], DocumentWrite | None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything one request (or one chunk of an import) brought.

    `retell`: what becomes of readings sent again after they were taken back, or under a second id; without it they are
    answered as held. `promised`: by index, ids that other items already use to refer to items with an id of ours.
    `stands`: given, every reference must name something that is here to the sender; without it none need to.
    """

    channel: str
    readings: tuple[NumberReading, ...] = ()
    packets: tuple[PacketReading, ...] = ()
    documents: tuple[DocumentWrite, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    retell: Retell | None = None
    promised: Mapping[int, str] = field(default_factory=dict)
    stands: Stands | None = None


@record
class Outcome:
    """What became of one item. `status`: created, updated, unchanged (already held), deleted, refused."""

    index: int
    status: Literal["created", "updated", "unchanged", "deleted", "refused"]
    type: str = "Observation"
    fhir_id: str = ""
    version: int = 1
    updated_at: datetime | None = None
    reason: str = ""
    field: str = ""
    error: str = ""  # class name of the refusing error in recovery.exceptions or services.documents


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a Delivery, after commit: it is durable."""

    batch_id: int
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
