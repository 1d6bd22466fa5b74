"""How soon a what-if is answered (1 s wanted, p95), over HTTP from the embedded web server on a synthetic ward.

    python -m bench.what_if [--rounds 10]

Asks every lever of every patient of the tests' ward; a refusal is an answer too, so both are counted apart.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from recovery.twin.what_if import LEVERS  # noqa: E402
from tests.functional.ward import PASSWORD, Ward, open_ward  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-what-if-") as data, open_ward(Path(data)) as ward:
        answered, refused = _ask_all(ward, rounds)
    print(f"load {os.getloadavg()[0]:.0f}")
    for name, seconds in (("answered", answered), ("refused", refused)):
        if len(seconds) > 1:
            p95 = statistics.quantiles(seconds, n=20)[18]
            print(f"{name}: n {len(seconds)}, median {statistics.median(seconds):.3f} s, p95 {p95:.3f} s")


def _ask_all(ward: Ward, rounds: int) -> tuple[list[float], list[float]]:
    answered: list[float] = []
    refused: list[float] = []
    with httpx.Client(base_url=ward.url, timeout=60, follow_redirects=True) as client:
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', client.get("/login/").text)
        assert token is not None, "no form to sign in with"
        form = {"username": "nurse", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        board = client.post("/login/", data=form, headers={"Referer": f"{ward.url}/login/"}).text
        patients = dict.fromkeys(re.findall(r'data-href="(/patients/[0-9a-f-]{36}/)"', board))
        assert patients, "the ward is empty"
        for _ in range(rounds):
            for path in patients:
                for lever in LEVERS:
                    begun = time.perf_counter()
                    text = client.get(f"{path}what-if/", params={"lever": lever}).raise_for_status().text
                    (refused if "No answer." in text else answered).append(time.perf_counter() - begun)
    return answered, refused


if __name__ == "__main__":
    main()
