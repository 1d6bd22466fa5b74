"""What every test needs: a private data directory, and a database whose audit trail a test may clear."""

import os
import tempfile
from uuid import uuid4

os.environ.setdefault("TWINWEB_DATA", tempfile.mkdtemp(prefix="twinweb-test-"))
os.environ.setdefault("TWINWEB_DEMO", "0")

import pytest
from django.conf import settings as product
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings

from tests import template_database

# A busy machine makes examples slowly: no test fails for the time that something took.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Files of few, long tests are begun first: last, they would keep one worker busy while the other has nothing left.
LONG_FIRST = ("tests/functional/", "tests/faults/", "tests/integration/twinweb/", "tests/unit/integrations/backtest/")
QUICK_HASHES = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TEMPLATE = template_database.path()
MIGRATION_MODULES = product.MIGRATION_MODULES


def pytest_collection_modifyitems(items):
    def turn(item) -> int:
        return next((place for place, name in enumerate(LONG_FIRST) if item.nodeid.startswith(name)), len(LONG_FIRST))

    items.sort(key=turn)


@pytest.fixture(scope="session")
def django_db_use_migrations():
    """Without migrations where a migrated template will take the place of what is made."""
    return TEMPLATE is None or not TEMPLATE.exists()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_use_migrations, django_db_blocker):
    """Transactional tests empty every table afterwards; on SQLite that is a DELETE, which the audit trigger refuses.

    The trigger is put back by the tests that are about it (tests/integration/recovery/test_audit.py).
    """
    product.MIGRATION_MODULES = MIGRATION_MODULES
    with django_db_blocker.unblock():
        if TEMPLATE is not None and not django_db_use_migrations:
            template_database.load(TEMPLATE, connection)
        elif TEMPLATE is not None:
            template_database.keep(TEMPLATE, connection)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS audit_no_delete")


@pytest.fixture(scope="module")
def rows_of_file(django_db_setup, django_db_blocker):
    """For rows that every test of a file begins with: made in a fixture of the file, inside the blocker's `unblock()`.

    What a test does to them is rolled back with the test, and they with the file. No test of the file may be
    transactional: that one would empty the tables.
    """
    whole = transaction.atomic()
    with override_settings(PASSWORD_HASHERS=QUICK_HASHES, CACHES=own_caches()):
        with django_db_blocker.unblock():
            whole.__enter__()
        yield django_db_blocker
        with django_db_blocker.unblock():
            transaction.set_rollback(True)
            whole.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def quick_password_hashes(settings):
    """Hundreds of test people need no slow hash."""
    settings.PASSWORD_HASHERS = QUICK_HASHES


@pytest.fixture(autouse=True)
def a_cache_of_its_own(settings):
    """A rolled back database gives its ids out again: what is counted by person must not be found by the next test."""
    settings.CACHES = own_caches()


def own_caches():
    return {
        name: {**cache, "KEY_PREFIX": f"{cache.get('KEY_PREFIX', '')}{uuid4().hex}"}
        for name, cache in product.CACHES.items()
    }


@pytest.fixture(autouse=True)
def one_factor_is_enough(settings):
    """Also where settings are read before this file (production, one process). Tests of second factors ask for two."""
    settings.MFA_REQUIRED_ROLES = []
