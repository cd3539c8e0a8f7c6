"""Everything that an administrator's program can do, declared once for the admin API, its document and the CLI."""
