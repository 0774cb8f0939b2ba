"""`make calibrate`: which threshold of adaptive thinking fits a model and a kind of question."""


class Stop(Exception):
    """Why it can't go on, and the way out, for people."""
