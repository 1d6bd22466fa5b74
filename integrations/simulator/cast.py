"""Who is on the demo ward. Every person here is made up; no name, date or course belongs to anybody.

Days are postoperative days at the moment of seeding. The table is written to show each kind of page: ordinary
recoveries after different operations, three complications, a silent patient and one who moves too little.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypedDict, Unpack

WARD_B, WARD_C = "ward-b", "ward-c"
Sex = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is written into the Procedure. `snomed` blank: sent as text only, as small sites do.

    hours: skin to skin; blood_loss_ml: estimated; home_after_h: hours until discharge; surgeon: made up, as everybody.
    """

    text: str
    snomed: str
    hours: float
    blood_loss_ml: int
    home_after_h: int
    surgeon: str


# Durations, losses and stays are ordinary for the operation (general knowledge) and only colour the demo.
OPERATIONS: dict[str, Operation] = {
    "knee": Operation("Total replacement of knee joint", "609588000", 1.4, 250, 60, "Dr. Olive Tanner"),
    "hip": Operation("Total replacement of hip joint", "52734007", 1.5, 300, 54, "Dr. Olive Tanner"),
    "colon": Operation("Colectomy", "23968004", 3.1, 200, 120, "Dr. Ivo Marek"),
    "gallbladder": Operation("Laparoscopic cholecystectomy", "45595009", 1.0, 30, 20, "Dr. Ivo Marek"),
    "bypass": Operation("Coronary artery bypass graft", "232717009", 4.0, 600, 168, "Dr. Senta Vogel"),
    "hip_fracture": Operation(
        "Open reduction and internal fixation of hip fracture", "73156009", 1.3, 300, 200, "Dr. Pia Quist"
    ),
    "lung": Operation("Lobectomy of lung", "173171007", 3.0, 180, 120, "Dr. Senta Vogel"),
    "uterus": Operation("Hysterectomy", "236886002", 1.8, 120, 36, "Dr. Nadia Roth"),
    "spine": Operation("Spinal fusion", "55705006", 3.5, 450, 84, "Dr. Pia Quist"),
    "hernia": Operation("Repair of inguinal hernia", "", 1.0, 20, 8, "Dr. Ivo Marek"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A complication that began `hours_ago` before seeding; `kind` has a signature in `recovery.twin.simulate`.

    severity: times the signature's sizes; 1 is its ordinary case. diagnosed_hours_ago: when somebody wrote it into
    the record; None: nobody has yet.
    """

    kind: Literal["pneumonia", "ssi", "leak"]
    hours_ago: float
    severity: float = 1.0
    diagnosed_hours_ago: float | None = None


@dataclass(frozen=True, slots=True)
class Slow:
    """Steps fall to `share` of the course `hours_ago` before seeding: someone who gives up walking."""

    share: float
    hours_ago: float


@dataclass(frozen=True, slots=True)
class Member:
    """One made-up patient.

    ended_at: local clock hour and minute at which surgery ended. baseline: wore the watch for a week before.
    stopped_hours_ago: the watch has been silent since.
    """

    key: str
    given: str
    family: str
    sex: Sex
    born: date
    operation: str
    day: int
    ended_at: tuple[int, int]
    bmi: float = 26.0
    asa: int = 2
    history: tuple[str, ...] = ()
    smoker: bool = False
    trouble: Trouble | None = None
    stopped_hours_ago: float | None = None
    slow: Slow | None = None
    baseline: bool = True
    team: str = WARD_B

    @property
    def has_smart_knee(self) -> bool:
        return self.operation == "knee"


class _More(TypedDict, total=False):
    bmi: float
    asa: int
    history: tuple[str, ...]
    smoker: bool
    trouble: Trouble
    stopped_hours_ago: float
    slow: Slow
    baseline: bool
    team: str


def _member(
    number: int, name: str, sex: Sex, born: str, operation: str, day: int, ended: str, **more: Unpack[_More]
) -> Member:
    given, family = name.split(" ", 1)
    hour, minute = ended.split(":")
    return Member(
        key=f"demo-{number:02d}",
        given=given,
        family=family,
        sex=sex,
        born=date.fromisoformat(born),
        operation=operation,
        day=day,
        ended_at=(int(hour), int(minute)),
        **more,
    )


CAST: tuple[Member, ...] = (
    _member(1, "Amara Okafor", "female", "1958-03-14", "knee", 6, "11:20", bmi=31.2, history=("diabetes",)),
    _member(2, "Henrik Lindqvist", "male", "1949-11-02", "colon", 5, "14:45", asa=3,
            trouble=Trouble("leak", 50.0, 1.35), history=("hypertension",)),
    _member(3, "Rosa Delgado", "female", "1944-07-29", "hip_fracture", 5, "16:10", asa=3, bmi=22.4, baseline=False,
            history=("heart_failure",), trouble=Trouble("pneumonia", 54.0, 1.35)),
    _member(4, "Wei Zhang", "male", "1961-01-18", "bypass", 8, "15:30", asa=3, bmi=28.9, history=("diabetes",)),
    _member(5, "Fatima al-Sayed", "female", "1972-09-05", "uterus", 3, "10:40", bmi=27.1, history=("reflux",)),
    _member(6, "Tomasz Wójcik", "male", "1955-05-23", "lung", 7, "13:15", asa=3, smoker=True, history=("copd",)),
    _member(7, "Ingrid Haugen", "female", "1951-12-11", "hip", 11, "09:50", bmi=29.4, slow=Slow(0.08, 144.0),
            history=("osteoarthritis", "hypertension")),
    _member(8, "Samuel Mensah", "male", "1966-08-30", "spine", 9, "15:05", bmi=30.3, history=("hypertension",)),
    _member(9, "Priya Raghunathan", "female", "1980-02-17", "gallbladder", 2, "11:05", bmi=28.0, asa=1,
            history=("reflux",)),
    _member(10, "Jean-Luc Moreau", "male", "1947-10-08", "knee", 13, "12:30", bmi=33.0, asa=3,
            trouble=Trouble("ssi", 96.0, 1.4, 20.0), history=("diabetes",)),
    _member(11, "Noor van der Berg", "female", "1963-06-21", "colon", 9, "14:00", bmi=24.8,
            history=("hypothyroidism",)),
    _member(12, "Keoni Kahale", "male", "1959-04-03", "hip", 4, "10:15", bmi=27.7, history=("osteoarthritis",)),
    _member(13, "Yuki Tanaka", "female", "1953-09-27", "knee", 8, "13:40", bmi=25.3, stopped_hours_ago=31.0,
            history=("osteoarthritis", "hypothyroidism")),
    _member(14, "Mohammed Haddad", "male", "1969-12-19", "bypass", 12, "16:20", asa=3,
            history=("atrial_fibrillation",)),
    _member(15, "Grace O'Sullivan", "female", "1942-01-30", "hip_fracture", 10, "17:25", asa=3, bmi=21.0,
            baseline=False,
            history=("kidney_disease",)),
    _member(16, "Luka Horvat", "male", "1974-07-12", "colon", 3, "15:50", bmi=26.6, smoker=True, history=("reflux",)),
    _member(17, "Aaliyah Johnson", "female", "1978-03-08", "uterus", 10, "09:35", bmi=30.8,
            history=("hypertension",)),
    _member(18, "Dmitri Volkov", "male", "1957-11-25", "lung", 4, "12:10", asa=3, smoker=True, history=("copd",),
            trouble=Trouble("pneumonia", 54.0, 1.15)),
    _member(19, "Siobhan MacLeod", "female", "1964-05-16", "spine", 16, "14:35", bmi=28.4,
            history=("hypothyroidism",)),
    _member(20, "Rahul Deshmukh", "male", "1983-08-04", "hernia", 2, "10:20", bmi=24.1, asa=1, baseline=False),
    _member(21, "Helga Brandt", "female", "1950-02-22", "knee", 20, "11:55", bmi=29.9,
            history=("osteoarthritis", "hypertension")),
    _member(22, "Carlos Figueroa", "male", "1968-10-13", "gallbladder", 1, "13:20", bmi=27.5),
    _member(23, "Thandiwe Nkosi", "female", "1960-06-02", "hip", 17, "12:45", bmi=26.2, history=("osteoarthritis",)),
    _member(24, "Olivier Tremblay", "male", "1956-09-09", "colon", 14, "15:15", bmi=27.9, history=("diabetes",)),
    _member(25, "Elena Petrova", "female", "1967-04-28", "hip", 6, "11:30", team=WARD_C, history=("osteoarthritis",)),
    _member(26, "Isaac Abebe", "male", "1971-01-07", "colon", 8, "14:25", team=WARD_C, history=("hypertension",)),
    _member(27, "Mei-Ling Chen", "female", "1954-12-03", "knee", 3, "10:55", team=WARD_C,
            history=("osteoarthritis",)),
)  # fmt: skip

# The demo patient who can sign in, and so sees her own recovery.
PATIENT_WHO_SIGNS_IN = "demo-01"
