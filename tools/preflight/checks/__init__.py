"""The checks. Each file is one: its `check(release, cluster)` yields findings."""
