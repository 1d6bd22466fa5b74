"""Checks the twin's forecasts on the synthetic cohort: coverage, CRPS and error against carry-forward.

    python -m bench.twin_cohort [COHORT]

Forecasts are made 3, 7 and 14 days after surgery from what had arrived by then, and scored by the scorer that
comes with the cohort. The cohort is synthetic: a test bench, not evidence about patients.
"""

import sys
import time
from pathlib import Path

import numpy as np

from recovery.twin import METRICS, Profile, Request, Samples, cold_start, fold_many, forecast_days, load
from recovery.twin.profile import procedure_for_snomed

SHARED = Path(__file__).resolve().parents[2] / "shared"
CHANNELS = {
    "hr": ("heart_rate", "8867-4"),
    "rr": ("respiratory_rate", "9279-1"),
    "spo2": ("spo2", "59408-5"),
    "temp": ("temperature", "8310-5"),
    "steps": ("steps", "55423-8"),
    "pain": ("pain", "72514-3"),
}
MADE_ON, AHEAD, CHUNK = (3, 7, 14), (1, 7, 14), 200


def profile_of(case):
    found = procedure_for_snomed(case.op_code)
    return Profile(
        found.key if found else None,
        case.age(),
        "male" if case.male else "female",
        surgery_end_hour_of_day=(case.op / 3600.0) % 24.0,
    )


def loaded(case, until):
    """The samples that had arrived by hour `until`."""
    samples = {}
    for channel, (key, _) in CHANNELS.items():
        rows = [
            ((t - case.op) / 3600.0, v)
            for t, (v, arrived) in case.series.get(channel, {}).items()
            if (arrived - case.op) / 3600.0 <= until
        ]
        if rows:
            hours, values = np.array(rows).T
            # Reports at a whole hour, hourly readings in the middle of their hour.
            samples[key] = Samples.of(hours + (0.5 if METRICS[key].grain != "report" else 0.0), values)
    return load(samples, until)


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def rows_of(case, made, state, params):
    profile, days = profile_of(case), [made + ahead - 1 for ahead in AHEAD]
    for key, code in CHANNELS.values():
        band = forecast_days(state, params, profile, key, days).quantiles
        for day, q in zip(days, band, strict=True):
            yield dict(
                patient=case.id,
                made_at=iso(case.op + 86400 * made),
                code=code,
                day=day,
                **dict(zip(("q05", "q25", "q50", "q75", "q95"), map(float, q), strict=True)),
            )


def carried(cases, daily):
    """Mean of the last three day values carried forward, with quantiles of its own residuals by lead.

    The rival is given two advantages: its residuals are those of this very cohort, and it sees late samples.
    """
    for channel, (_, code) in CHANNELS.items():
        held, misses = [], {ahead: [] for ahead in AHEAD}
        for case in cases:
            values = daily(case, channel)
            for made in MADE_ON:
                past = [values[d] for d in range(made - 3, made) if d in values]
                if past:
                    held.append((case, made, float(np.mean(past))))
                    for ahead in AHEAD:
                        if made + ahead - 1 in values:
                            misses[ahead].append(values[made + ahead - 1] - held[-1][2])
        spread = {ahead: np.quantile(m, (0.05, 0.25, 0.5, 0.75, 0.95)) for ahead, m in misses.items() if m}
        for case, made, level in held:
            for ahead, q in spread.items():
                yield dict(
                    patient=case.id,
                    made_at=iso(case.op + 86400 * made),
                    code=code,
                    day=made + ahead - 1,
                    **dict(zip(("q05", "q25", "q50", "q75", "q95"), map(float, level + q), strict=True)),
                )


def main(root):
    if not root.exists():
        print(f"skipped: {root} is not here")
        return
    sys.path.insert(0, str(SHARED / "tools"))
    from cohort import daily
    from cohort import load as read
    from score import forecast as score

    cases, params = read(str(root)), cold_start()
    own, started = [], time.perf_counter()
    everyone = list(cases.values())
    for made in MADE_ON:
        for at in range(0, len(everyone), CHUNK):
            some = everyone[at : at + CHUNK]
            requests = [Request(None, profile_of(c), loaded(c, 24.0 * made)) for c in some]
            for case, done in zip(some, fold_many(requests, params), strict=True):
                own += rows_of(case, made, done.state, params)
    print(f"{len(cases)} patients, {len(own)} forecasts in {time.perf_counter() - started:.0f} s, {params.version}")
    mine, theirs = score(cases, own), score(cases, list(carried(everyone, daily)))
    for key, found in mine.items():
        print(f"{key:10s} twin {found}\n{'':10s} carry {theirs.get(key)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "data" / "cohort-a")
