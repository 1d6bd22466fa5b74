"""The addresses that stand first take nothing from those that stand after them."""

import pytest
from django.urls import Resolver404, get_resolver, resolve

from integrations.fhir import urls_data

HOT = ("/fhir", "/fhir/", "/fhir/Observation", "/fhir/Patient/p1")
OTHERS = ("metadata", "$export", "Patient/$export", "Subscription/$status", "Observation/$lastn", "codes/map/")


@pytest.mark.parametrize("address", HOT)
def test_what_systems_ask_for_all_day_is_found_among_the_first_addresses(address: str) -> None:
    first = get_resolver().url_patterns[0]
    assert first.urlconf_name is urls_data  # type: ignore[union-attr]
    assert resolve(address).func is first.resolve(address.removeprefix("/")).func  # type: ignore[union-attr]


@pytest.mark.parametrize("rest", OTHERS)
def test_no_other_address_is_taken_by_them(rest: str) -> None:
    with pytest.raises(Resolver404):
        get_resolver().url_patterns[0].resolve(f"fhir/{rest}")
    assert resolve(f"/fhir/{rest}").func is not None
