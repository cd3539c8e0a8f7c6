"""App Connect: OAuth 2.0 client credentials for any unmodified WordPress site."""
