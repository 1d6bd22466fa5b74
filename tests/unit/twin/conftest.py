"""Property tests: the same examples on every machine, and no failure because a machine is busy."""

from hypothesis import settings

settings.register_profile("pure", settings.get_profile("untimed"), derandomize=True)
settings.load_profile("pure")
