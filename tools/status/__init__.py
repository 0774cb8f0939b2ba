"""How a release is: what it is doing, in words, and where to look when it is stuck."""
