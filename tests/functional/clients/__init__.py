"""Published FHIR and SMART clients of others against this product: `python -m tests.functional.clients`."""
