"""Tiny models of real architectures that write what a script says: made, and served by vLLM."""
