"""Domain errors of the twin: each refusal is raised once, with a sentence that says why."""


class TwinError(ValueError):
    """A question the twin cannot answer, or an input it cannot accept."""


class UnknownMetric(TwinError):
    """A key that the metric registry does not hold."""


class UnknownProcedure(TwinError):
    """A procedure key or code that the procedure catalogue does not hold."""


class OutsideDomain(TwinError):
    """The model was asked beyond the hours its sources speak about."""


class BackwardsInTime(TwinError):
    """A belief was asked to move to an earlier hour; rewind to a checkpoint instead."""


class MalformedSamples(TwinError):
    """Sample arrays disagree in length, or hold an hour that is not a number."""


class MalformedState(TwinError):
    """A stored state, or stored parameters, could not be read back."""


class ModelMismatch(TwinError):
    """A state made by one model version was given to another."""


class NotEnoughData(TwinError):
    """A cohort is too small to learn from."""
