"""The Kubernetes scheduler's arithmetic: which pods find a node, whatever the scheduler prefers."""
