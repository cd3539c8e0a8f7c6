"""Store over SQL: schema, migrations, encryption, and the feed that makes a change a new snapshot."""
