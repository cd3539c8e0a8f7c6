"""The authorization server's endpoints: token, revocation, introspection, keys and metadata."""
