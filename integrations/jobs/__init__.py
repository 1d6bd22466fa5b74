"""Celery tasks of the integrations: thin, known elsewhere by their name alone."""
