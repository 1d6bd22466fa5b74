"""What every test needs: a private data directory, and a database whose audit trail a test may clear."""

import os
import tempfile

os.environ.setdefault("TWINWEB_DATA", tempfile.mkdtemp(prefix="twinweb-test-"))
os.environ.setdefault("TWINWEB_DEMO", "0")
os.environ.setdefault("MFA_REQUIRED_ROLES", "")

import pytest
from django.db import connection


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Transactional tests empty every table afterwards; on SQLite that is a DELETE, which the audit trigger refuses.

    The trigger is put back by the tests that are about it (tests/integration/recovery/test_audit.py).
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS audit_no_delete")


@pytest.fixture(autouse=True)
def quick_password_hashes(settings):
    """Hundreds of test people need no slow hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
