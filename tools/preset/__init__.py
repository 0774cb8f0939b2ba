"""A preset's draft out of what a model publishes: its config.json, chat template and file sizes."""


class Stop(Exception):
    """Why it can't go on, and the way out, in one line for whoever asked."""
