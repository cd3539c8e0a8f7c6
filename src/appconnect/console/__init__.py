"""Pages for the administrator's browser."""
