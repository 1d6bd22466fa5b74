"""Domain errors of the twin: each refusal is raised once, with a sentence that says why."""


class TwinError(ValueError):
    """A question the twin cannot answer, or an input it cannot accept."""
