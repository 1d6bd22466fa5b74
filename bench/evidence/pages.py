"""Evidence as JSON for machines and a page for people. Nothing but aggregate figures is written."""

import json
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs" / "evidence"
PROTOCOL = (
    "Protocol: predictions out of five folds that never split a patient, repeated over seeds of the folds; every choice"
    " inside a model is made inside its training folds; inputs that know the outcome are refused before any fit, by"
    " name and by content. Figures are means over seeds. Intervals are 95 % bootstraps over patients (300 draws)."
)


def write(name, title, told, found, seeds):
    DOCS.mkdir(parents=True, exist_ok=True)
    whole = {"title": title, "about": told, "protocol": PROTOCOL, "seeds": list(seeds), "results": found}
    (DOCS / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (DOCS / f"{name}.md").write_text("\n".join(page(name, title, told, found, seeds)) + "\n", encoding="utf-8")


def page(name, title, told, found, seeds):
    yield f"# {title}\n"
    yield f"{told}\n"
    yield f"{PROTOCOL}\n\nSeeds: {', '.join(map(str, seeds))}. Made by `make evidence`; figures in `{name}.json`.\n"
    for outcome, row in found.items():
        yield from section(outcome, row)


def section(outcome, row):
    if not isinstance(row, dict):
        yield f"**{outcome}**: {plain(row)}\n"
        return
    yield f"## {outcome}\n"
    if "reached" in row:
        goal = f"Goal: {row['goal']}. " if "goal" in row else ""
        yield f"{goal}**{'Reached' if row['reached'] else 'Not reached'}.**\n"
    models = row.get("models")
    flat = {key: value for key, value in row.items() if key not in ("models", "goal", "reached")}
    yield from ([f"- {key.replace('_', ' ')}: {plain(value)}" for key, value in flat.items()] + [""] if flat else [])
    if models:
        yield from table(models)


def table(models):
    keys = list(next(iter(models.values())))
    yield "| model | " + " | ".join(key.replace("_", " ") for key in keys) + " |"
    yield "|---" * (len(keys) + 1) + "|"
    for name, row in models.items():
        yield f"| {name} | " + " | ".join(plain(row[key]) for key in keys) + " |"
    yield ""


def plain(value):
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        interval = len(value) == 2 and not isinstance(value[0], str)
        return (" to " if interval else "; ").join(map(plain, value))
    return str(value)
