"""The running scorecard: coverage, skill, and the point at which a twin must step back."""

import numpy as np
import pytest

from recovery.twin import Card, Profile, Readings, advance, cold_start
from recovery.twin.filter import design, initial
from recovery.twin.params import DEVIATION, stack
from recovery.twin.scorecard import ENOUGH, scatter_of, tally


def test_an_empty_card_claims_nothing():
    card = Card()
    assert (card.coverage90, card.coverage50, card.skill) == (None, None, None)
    assert not card.is_worse_than_population


def test_the_tally_counts_inside_and_outside_and_skips_padding():
    z = np.array([0.1, 1.0, 1.7, np.nan])
    found = tally(z, 2.0 * z, 3.0 * z)
    np.testing.assert_allclose(found, [3, 2, 1, 5.6, 8.4])


def test_a_twin_is_condemned_only_after_enough_measurements():
    assert not Card(ENOUGH - 1, 0, 0, 9.0, 1.0).is_worse_than_population
    assert Card(ENOUGH, 0, 0, 9.0, 1.0).is_worse_than_population
    assert not Card(ENOUGH, 0, 0, 1.0, 9.0).is_worse_than_population


def test_skill_is_the_share_of_error_removed():
    assert Card(10, 9, 5, 2.0, 8.0).skill == pytest.approx(0.75)


def test_on_data_drawn_from_the_model_the_intervals_cover_what_they_say():
    """1,000 patients x 60 readings drawn from the prior; tolerance is 5 standard errors over patients."""
    n, steps, rng = 1000, 60, np.random.default_rng(8)
    one = cold_start().for_metric("heart_rate", Profile("colectomy"))
    params = stack([one] * n)
    at = np.broadcast_to(np.arange(float(steps)) * 2.0, (n, steps))
    states = rng.multivariate_normal(one.prior_mean, one.prior_cov, n)
    rho = np.exp(-one.deviation_rate * 2.0)
    path = [states[:, DEVIATION]]
    for _ in range(steps - 1):
        path.append(rho * path[-1] + np.sqrt(one.deviation_var * (1 - rho**2)) * rng.standard_normal(n))
    h = design(one, at[0])
    h[:, DEVIATION] = 0.0
    y = states @ h.T + np.stack(path, axis=1) + 5.0 * rng.standard_normal((n, steps))
    out = advance(initial(params), params, Readings(at, y, np.full(at.shape, 25.0)))
    cards = tally(out.surprises, out.residuals, out.population_residuals)
    for column, nominal in ((1, 0.9), (2, 0.5)):
        per_patient = cards[:, column] / steps
        assert abs(per_patient.mean() - nominal) < 5 * per_patient.std() / np.sqrt(n)
    assert cards[:, 3].sum() < 0.8 * cards[:, 4].sum()


def test_an_erratic_person_is_known_by_the_share_outside_and_one_artefact_changes_little():
    rng = np.random.default_rng(3)
    z = 2.0 * rng.standard_normal(400)
    erratic, absurd = (scatter_of(tally(one, one, one)) for one in (z, np.append(z, 1e6)))
    assert 1.7 < erratic < 2.2 and abs(absurd - erratic) < 0.02


def test_nobody_is_taken_as_steadier_than_the_population_and_a_new_twin_scatters_as_all_do():
    assert Card().scatter == Card(400, 400, 400).scatter == 1.0
    assert 1.0 < Card(5, 2, 1).scatter < Card(50, 20, 10).scatter < Card(500, 200, 100).scatter
