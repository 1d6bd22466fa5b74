"""A probability and its interval as a person hears them: whole numbers of a hundred, never certain (ux section 2)."""

LEAST, MOST = "fewer than 1", "more than 99"


def out_of_100(share: float) -> str:
    """ "12"; below 0.01 and above 0.99 "fewer than 1" and "more than 99": 0 and 100 would sound certain."""
    if share < 0.01:
        return LEAST
    return MOST if share > 0.99 else f"{100 * share:.0f}"


def interval_words(low: float | None, high: float | None) -> str:
    """ "between 7 and 19"; an end beyond the scale is left out ("at most 3", "at least 97"), ends that are told alike
    are one ("about 12"); blank without an end."""
    if low is None or high is None:
        return ""
    first, last = out_of_100(low), out_of_100(high)
    if first == last:
        return first if first in (LEAST, MOST) else f"about {first}"
    if first == LEAST:
        return f"at most {last}"
    return f"at least {first}" if last == MOST else f"between {first} and {last}"


def brackets(low: float | None, high: float | None) -> str:
    """The interval behind its number: " (7 to 19)"; blank where it would only say the number again."""
    words = interval_words(low, high)
    if not words or words in (LEAST, MOST):
        return ""
    return f" ({words.removeprefix('between ').replace(' and ', ' to ')})"
