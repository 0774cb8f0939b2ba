"""A chat template's prompts, rendered in the sandbox of transformers, as vLLM does."""

MESSAGES = [{"role": "user", "content": "Why is the sky blue?"}]
_TOKENS = {"bos_token": "", "eos_token": "", "pad_token": "", "unk_token": ""}


class Prompts:
    """A template's prompts for one question, by the arguments that it is told by."""

    def __init__(self, template: str, tags: tuple[str, ...]) -> None:
        self._template = template
        self._tags = tags
        self.seen: dict[str, str] = {}
        self.plain = self.see("nothing said")

    def __call__(self, **arguments: object) -> str | None:
        """Return the prompt; None where the template refuses an argument's value."""
        import jinja2

        try:
            return self._rendered(**arguments)
        except jinja2.TemplateError:
            return None

    def _rendered(self, **arguments: object) -> str:
        from transformers.utils.chat_template_utils import render_jinja_template

        rendered, _ = render_jinja_template(
            [MESSAGES],
            chat_template=self._template,
            add_generation_prompt=True,
            **_TOKENS,
            **arguments,
        )
        return str(rendered[0])

    def see(self, said: str, **arguments: object) -> str:
        """Return the prompt, and keep it for whoever reads the draft."""
        self.seen[said] = self._rendered(**arguments)
        return self.seen[said]

    def thinks(self, **arguments: object) -> bool | None:
        """Say whether the prompt has begun the thinking or closed it; None if neither."""
        prompt = self(**arguments)
        if not self._tags or prompt is None:
            return None
        answer = prompt[prompt.rfind(MESSAGES[0]["content"]) :]
        begun, closed = answer.rfind(self._tags[0]), answer.rfind(self._tags[1])
        return None if begun == closed else begun > closed

    def shown(self) -> list[str]:
        """Return what was rendered, and how it ended or where it was another one."""
        return [f"{said}: {self._how(prompt)}" for said, prompt in self.seen.items()]

    def _how(self, prompt: str) -> str:
        if prompt == self.plain:
            return f"ends in {prompt[-32:]!r}"
        if prompt[-32:] != self.plain[-32:]:
            return f"ends in {prompt[-32:]!r}"
        start = next(
            (
                at
                for at, (one, other) in enumerate(zip(prompt, self.plain, strict=False))
                if one != other
            ),
            min(len(prompt), len(self.plain)),
        )
        return f"the same end, and earlier {prompt[max(0, start - 16) : start + 24]!r}"
