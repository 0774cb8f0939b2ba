"""How many accelerators a load needs, how long its answers take, and what that costs."""


class Stop(Exception):
    """Why it can't go on, and the way out, in one line for whoever asked."""
