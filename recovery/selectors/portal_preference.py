"""How a person likes to read their pages."""

from recovery.models import PortalPreference


def preference_of(user_id: int) -> tuple[str, int] | None:
    """(language, text size); None when they have not chosen."""
    return PortalPreference.objects.filter(user_id=user_id).values_list("language", "text_size").first()
