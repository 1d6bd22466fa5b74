"""Observations over HTTP: the product beside its bare floor, interleaved, so that a busy machine harms both alike.

    python -m bench.ingest batch100|batch1000|single|sampled60|sampled1440 [--sqlite] [--rounds 3] [--server gthread]

Starts a temporary PostgreSQL and Redis (or the embedded SQLite), the product's two WSGI workers and the floor's, and
drives them in turns with the shared load generator (../shared/tools/ingest_load.py). Every patient has had an
operation, so every request owes twins their refresh. Beside the wall clock it quotes what the web workers and the
database used of the processor: Observations a processor second are what a busy machine changes least.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import stack
from bench.stack import Product, Web

LOAD = stack.ROOT.parent / "shared" / "tools" / "ingest_load.py"
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
CLIENTS = 8


@dataclass(frozen=True)
class Goal:
    """One row of the bench. `unit` obs or samples; `wanted` a second; `of_floor` the least ratio to the floor."""

    words: str
    total: int
    unit: str
    wanted: int
    of_floor: float | None = None


GOALS = {
    "batch100": Goal("--shape batch --bundle-size 100", 30_000, "obs", 8_000, 0.4),
    "batch1000": Goal("--shape batch --bundle-size 1000", 60_000, "obs", 10_000),
    "single": Goal("--shape single", 1_500, "obs", 250),
    "sampled60": Goal("--shape sampled --bundle-size 1 --samples-per 60", 1_500, "samples", 22_000),
    "sampled1440": Goal("--shape sampled --bundle-size 1 --samples-per 1440 --concurrency 1", 150, "samples", 55_000),
}


@dataclass(frozen=True)
class Round:
    """One measured run: what the generator says, and processor seconds of the web workers and the database."""

    said: dict[str, Any]
    web: float
    database: float

    def rate(self, unit: str) -> float:
        return float(self.said["median"]["obs_per_s" if unit == "obs" else "samples_per_s"])

    def stored(self, unit: str) -> float:
        """How many were stored while the processor seconds were counted, those of the warm-up included."""
        return float(self.said["counted"]) * (self.rate(unit) / max(self.rate("obs"), 1e-9))


def load(base: str, token: str, goal: Goal, day: int, total: int, seed: int) -> dict[str, Any]:
    """One run of the load generator, beginning `day` days after the first, so that nothing repeats."""
    warm = total // 10 // 100 * 100 or total // 10
    start = (FIRST_DAY + timedelta(days=day)).isoformat()
    words = [sys.executable, str(LOAD), "--base-url", f"{base}/fhir", "--json", "--repeat", "1", "--start", start]
    words += ["--concurrency", str(CLIENTS), *goal.words.split(), "--total", str(total), "--warmup", str(warm)]
    words += ["--seed", str(seed), *([f"--token={token}"] if token else ["--trust-status"])]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    said = dict(json.loads(done.stdout))
    return {**said, "counted": total + warm}


def measured(web: Web, database_url: str, **asked: Any) -> Round:
    before = web.cpu(), stack.database_cpu(database_url) if database_url else 0.0
    said = load(web.base, **asked)
    after = web.cpu(), stack.database_cpu(database_url) if database_url else 0.0
    return Round(said, after[0] - before[0], after[1] - before[1])


def run(made: Product, goal: Goal, rounds: int, total: int, server: str, with_floor: bool) -> dict[str, list[Round]]:
    url = made.environment.get("DATABASE_URL", "")
    found: dict[str, list[Round]] = {}
    with ExitStack() as held:
        doors: dict[str, tuple[Web, str]] = {}
        if with_floor:
            doors["floor"] = held.enter_context(stack.floor(made)), ""
        token = made.token()
        names = server.split(",")
        for place, name in enumerate(names):
            called = "product" if place == 0 else name
            doors[called] = held.enter_context(stack.web(made, server=name)), token
        stack.admit_patients(doors["product"][0].base, token)
        for number in range(rounds):
            for place, (name, (web, its_token)) in enumerate(doors.items()):
                day = 20 * (number * len(doors) + place)  # nothing is sent twice
                asked = {"token": its_token, "goal": goal, "day": day, "total": total, "seed": number}
                found.setdefault(name, []).append(measured(web, url, **asked))
                tell(f"round {number + 1}", name, found[name][-1:], goal)
    return found


def tell(title: str, name: str, rounds: list[Round], goal: Goal) -> None:
    rate = statistics.median(one.rate(goal.unit) for one in rounds)
    p95 = statistics.median(one.said["median"]["p95_ms"] for one in rounds)
    stored = sum(one.stored(goal.unit) for one in rounds)
    web, database = sum(one.web for one in rounds), sum(one.database for one in rounds)
    said = f"{title}: {name:8} {rate:9,.0f} {goal.unit}/s, p95 {p95:6.1f} ms"
    said += f" | a processor second of the web workers: {stored / max(web, 0.01):8,.0f}"
    said += f", of the database: {stored / max(database, 0.01):8,.0f}" if database else ""
    print(said, rounds[-1].said["statuses"], rounds[-1].said.get("first_failure", ""), flush=True)


def verdict(name: str, goal: Goal, found: dict[str, list[Round]]) -> None:
    rates = {door: statistics.median(one.rate(goal.unit) for one in rounds) for door, rounds in found.items()}
    said = f"{name}: {rates['product']:,.0f} {goal.unit}/s (goal {goal.wanted:,})"
    if "floor" in rates:
        pairs = zip(found["product"], found["floor"], strict=True)
        ratio = statistics.median(one.rate(goal.unit) / other.rate(goal.unit) for one, other in pairs)
        said += f", {ratio:.2f} of the floor's {rates['floor']:,.0f}"
        said += f" (goal {goal.of_floor})" if goal.of_floor else ""
    print(f"{said}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("goals", nargs="+", choices=[*GOALS, "all"])
    parser.add_argument("--sqlite", action="store_true", help="the embedded store, without a floor")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--total", type=int, default=0, help="Observations a round")
    parser.add_argument("--server", default="", help="web servers to compare: gthread:2,sync,granian")
    asked = parser.parse_args()
    if not Path(LOAD).is_file():
        sys.exit("left out: the load generator is not beside this checkout (../shared/tools/ingest_load.py)")
    for name in GOALS if "all" in asked.goals else asked.goals:
        goal = GOALS[name]
        with stack.product("sqlite" if asked.sqlite else "postgresql") as made:
            total = asked.total or goal.total
            found = run(made, goal, asked.rounds, total, asked.server, with_floor=not asked.sqlite)
            for door, rounds in found.items():
                tell("median", door, rounds, goal)
            verdict(name, goal, found)


if __name__ == "__main__":
    main()
