"""Text as a program without a text shaper has to draw it: right-to-left runs reversed, Arabic letters joined.

Covers names and plain sentences: runs of one direction, numbers inside them, and the joining forms that Unicode lists
(Arabic Presentation Forms-B). It is not the whole bidirectional algorithm: nested quotations are beyond it.
"""

import unicodedata
from functools import cache
from itertools import groupby

# Order of the four forms: alone, at the end, at the beginning, in the middle.
_FORMS = {"<isolated>": 0, "<final>": 1, "<initial>": 2, "<medial>": 3}
_LAM, _FIRST, _LAST = "\u0644", 0xFE70, 0xFEFC
_STRONG_RIGHT = ("R", "AL")


@cache
def _table() -> dict[str, list[str]]:
    """Letter (or lam with alef) -> its four forms; a form that does not exist is blank."""
    table: dict[str, list[str]] = {}
    for code in range(_FIRST, _LAST + 1):
        kind, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        if kind in _FORMS:
            base = "".join(chr(int(one, 16)) for one in letters)
            if not base.startswith(" "):
                table.setdefault(base, ["", "", "", ""])[_FORMS[kind]] = chr(code)
    return table


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) == "Mn"


def joined(text: str) -> str:
    """Arabic letters in the form that their neighbours ask for; everything else as it is."""
    units = _with_ligatures([letter for letter in text if not (_is_mark(letter) and letter >= "\u064b")])
    return "".join(_form(units, place) for place in range(len(units)))


def _with_ligatures(letters: list[str]) -> list[str]:
    """Lam and alef are one sign."""
    units: list[str] = []
    for letter in letters:
        if units and units[-1] == _LAM and _LAM + letter in _table():
            units[-1] += letter
        else:
            units.append(letter)
    return units


def _form(units: list[str], place: int) -> str:
    forms = _table().get(units[place])
    if forms is None:
        return units[place]
    before = place > 0 and _joins_on(units[place - 1])
    after = place + 1 < len(units) and _joins_on(units[place]) and _joins_back(units[place + 1])
    return forms[(1 if before else 0) + (2 if after else 0)] or forms[1 if before else 0] or forms[0]


def _joins_on(unit: str) -> bool:
    """Whether it joins with the letter after it."""
    return bool(_table().get(unit, ["", "", "", ""])[2])


def _joins_back(unit: str) -> bool:
    return bool(_table().get(unit, ["", "", "", ""])[1])


def in_drawing_order(text: str) -> str:
    """The text as its signs stand from left to right on paper. Text without a right-to-left letter is unchanged."""
    if not any(unicodedata.bidirectional(letter) in _STRONG_RIGHT for letter in text):
        return text
    directed = groupby(_directed(joined(text)), key=lambda one: one[0])
    runs = [(right, "".join(letter for _, letter in letters)) for right, letters in directed]
    starts_right = next((right for right, run in runs if run.strip()), True)
    drawn = [run[::-1] if right else run for right, run in runs]
    return "".join(reversed(drawn) if starts_right else drawn)


def _directed(text: str) -> list[tuple[bool, str]]:
    """(to the left?, letter): neutral signs go with the strong ones on both sides, else with the whole."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    strong = [True if kind in _STRONG_RIGHT else False if kind in ("L", "EN", "AN") else None for kind in kinds]
    base = next((one for one in strong if one is not None), True)
    found: list[tuple[bool, str]] = []
    for place, letter in enumerate(text):
        own = strong[place]
        if own is None:
            before = next((one for one in reversed(strong[:place]) if one is not None), base)
            after = next((one for one in strong[place + 1 :] if one is not None), base)
            own = before if before == after else base
        found.append((own, letter))
    return found
