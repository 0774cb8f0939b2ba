"""The APIs that a model is asked by, each made into a chat completion and back."""
