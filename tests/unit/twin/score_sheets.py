"""A second way to every score: reads the printed cells of tests/reference, knows nothing of the implementations."""

import json
from pathlib import Path

from hypothesis import strategies as st

TABLES = json.loads((Path(__file__).parents[2] / "reference" / "score_tables.json").read_text())


def read_cell(row, value):
    if isinstance(row, dict):
        return row[str(value).lower() if isinstance(value, bool) else value]
    cells = [c for c in row if (c[0] is None or value >= c[0]) and (c[1] is None or value <= c[1])]
    assert len(cells) == 1, f"{value} falls in {len(cells)} cells"
    return cells[0][2]


def read_sheet(sheet, inputs):
    return {key: read_cell(sheet[key], value) for key, value in inputs.items()}


def edges(sheet):
    """(field, value, points) of both ends of every cell, and of every word."""
    for field, row in sheet.items():
        if isinstance(row, dict):
            yield from ((field, {"true": True, "false": False}.get(word, word), p) for word, p in row.items())
        else:
            yield from ((field, edge, p) for low, high, p in row for edge in (low, high) if edge is not None)


def inputs_of(sheet, ranges):
    """Any complete set of inputs: words from the sheet, numbers on the grid [low, high] / scale."""
    fields = {}
    for field, row in sheet.items():
        if isinstance(row, dict):
            words = [{"true": True, "false": False}.get(word, word) for word in row]
            fields[field] = st.sampled_from(words)
        else:
            low, high, scale = ranges[field]
            fields[field] = st.integers(low, high).map(lambda n, scale=scale: n / scale if scale > 1 else n)
    return st.fixed_dictionaries(fields)
