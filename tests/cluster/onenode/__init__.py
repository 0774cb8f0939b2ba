"""A Kubernetes of one node without Docker: `cluster` is the way in, README.md explains."""
