"""What is asked of a release."""

from dataclasses import dataclass

from . import Stop


@dataclass(frozen=True)
class Load:
    """Requests, and how long they are in the mean.

    Args:
        requests: a second, in the busiest hour.
        prompt: tokens of a prompt.
        thinking: tokens of thinking, of a request that thinks.
        answer: tokens of an answer.
        share: of the requests that think, 0 to 1.
        variation: standard deviation of thinking and answers, as a part of their mean.

    Raises:
        Stop: a number that can't be.
    """

    requests: float
    prompt: float
    thinking: float
    answer: float
    share: float
    variation: float = 0.5

    def __post_init__(self) -> None:
        whole = {"prompt": self.prompt, "answer": self.answer}
        if self.share:
            whole["thinking"] = self.thinking
        for name, tokens in whole.items():
            if not 1 <= tokens < 1e7:
                raise Stop(f"--{name} {tokens:g}: it is a number of tokens; give at least 1")
        if not 0 < self.requests < 1e6:
            raise Stop(
                f"--requests {self.requests:g}: nothing to plan for; give more than 0 a second"
            )
        if not 0 <= self.share <= 1:
            raise Stop(f"--share {self.share:g}: it is a part of all requests; give 0 to 1, as 0.4")
        if not 0 <= self.variation <= 2:
            raise Stop(f"--variation {self.variation:g}: give 0 (all of one length) to 2")

    @property
    def classes(self) -> list[tuple[float, float]]:
        """Of each kind of request: its share, and the tokens that it generates."""
        both = [(1 - self.share, self.answer), (self.share, self.thinking + self.answer)]
        return [(share, tokens) for share, tokens in both if share]

    @property
    def generated(self) -> float:
        """Tokens that a request generates, in the mean."""
        return sum(share * tokens for share, tokens in self.classes)

    def over_time(self, of: float) -> float:
        """Return the tokens that a running request has, in the mean over time.

        Args:
            of: the part of its generated tokens that count: 0.5 for those that are there so far,
                1 for all that it will have.
        """
        weights = [(share * tokens, self.prompt + of * tokens) for share, tokens in self.classes]
        return sum(w * tokens for w, tokens in weights) / sum(w for w, _ in weights)
