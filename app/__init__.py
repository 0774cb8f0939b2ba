"""The Serve application: what configuration can't say, and nothing more."""
