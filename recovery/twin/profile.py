"""Who the patient is and which operation it was: what the twin may know before the first reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from recovery.twin.errors import UnknownProcedure
from recovery.twin.transform import Floats

SNOMED = "http://snomed.info/sct"
# Code system of `PROCEDURES`: SNOMED CT does not tell all of its entries apart.
CATALOGUE = "https://twinweb.example/CodeSystem/procedure"
GENERIC = "generic"
COVARIATES = ("age_decades_over_65", "male", "bmi_units_over_28", "frailty")


@dataclass(frozen=True, slots=True)
class Procedure:
    """One kind of operation. `curve` names its recovery curve; codes are SNOMED CT (clinical reference 5)."""

    key: str
    label: str
    curve: str
    snomed: tuple[str, ...] = ()


def _procedures() -> dict[str, Procedure]:
    rows = (
        ("knee_replacement", "Total knee replacement", "609588000"),
        ("hip_replacement", "Total hip replacement", "52734007"),
        ("colectomy", "Colectomy, approach not stated", "23968004", "43075005"),
        ("colectomy_laparoscopic", "Colectomy, laparoscopic"),
        ("colectomy_open", "Colectomy, open"),
        ("cholecystectomy", "Laparoscopic cholecystectomy", "45595009"),
        ("cardiac", "Coronary artery bypass or heart valve surgery", "232717009", "34068001"),
        ("hip_fracture", "Hip fracture repair", "73156009"),
        ("lobectomy", "Lobectomy of lung, approach not stated", "173171007", "359615001"),
        ("lobectomy_vats", "Lobectomy of lung, thoracoscopic"),
        ("lobectomy_open", "Lobectomy of lung, open"),
        ("sleeve_gastrectomy", "Sleeve gastrectomy"),
        ("hysterectomy", "Hysterectomy, approach not stated", "236886002"),
        ("hysterectomy_minimal", "Hysterectomy, minimally invasive"),
        ("hysterectomy_open", "Hysterectomy, open"),
        ("spinal_fusion", "Spinal fusion", "55705006"),
    )
    return {key: Procedure(key, label, key, tuple(codes)) for key, label, *codes in rows}


PROCEDURES: Mapping[str, Procedure] = MappingProxyType(_procedures())
_BY_SNOMED = {code: p for p in PROCEDURES.values() for code in p.snomed}


@dataclass(frozen=True, slots=True)
class Profile:
    """One patient before one operation.

    surgery_end_hour_of_day: local clock hour [0, 24) at which surgery ended; it turns hours after surgery into
    time of day. procedure None, or one not in the catalogue, means the generic curve with a wider prior.
    frailty: Clinical Frailty Scale 1 to 9, when someone has scored it. skin_tone: Fitzpatrick type 1 to 6, when someone
    has recorded it; never guessed from anything else.
    """

    procedure: str | None = None
    age_years: float | None = None
    sex: Literal["female", "male", "other"] | None = None
    bmi: float | None = None
    surgery_end_hour_of_day: float = 12.0
    frailty: float | None = None
    skin_tone: float | None = None

    @property
    def curve(self) -> str:
        """Key of the recovery curve in use; `GENERIC` when the procedure has none."""
        known = PROCEDURES.get(self.procedure or "")
        return known.curve if known else GENERIC

    @property
    def curve_is_generic(self) -> bool:
        """True when forecasts must be labelled as not specific to the operation."""
        return self.curve == GENERIC

    def covariates(self) -> Floats:
        """(4,) centred covariates in the order of `COVARIATES`; unknown is 0, the population mean."""
        return np.array(
            [
                0.0 if self.age_years is None else (self.age_years - 65.0) / 10.0,
                {"male": 0.5, "female": -0.5}.get(self.sex or "", 0.0),
                0.0 if self.bmi is None else self.bmi - 28.0,
                0.0 if self.frailty is None else self.frailty - 4.0,
            ]
        )

    def to_plain(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def procedure(key: str) -> Procedure:
    """The catalogue entry of `key`; raises `UnknownProcedure`."""
    try:
        return PROCEDURES[key]
    except KeyError:
        raise UnknownProcedure(f"no procedure is called {key!r}") from None


def procedure_for_snomed(code: str) -> Procedure | None:
    """The procedure filed under this SNOMED CT code, or None."""
    return _BY_SNOMED.get(code)
