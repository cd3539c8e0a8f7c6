"""A user's roles as WordPress shows them, for texts that people read."""

from collections.abc import Iterable


def role_name(slug: str) -> str:
    """`author` is Author, the shop's `shop_manager` Shop manager; a role of the site's own is capitalized too."""
    return slug.replace("_", " ").replace("-", " ").capitalize()


def role_names(slugs: Iterable[str]) -> str:
    """Every role of a user, in one line."""
    return ", ".join(map(role_name, sorted(slugs))) or "No role"
