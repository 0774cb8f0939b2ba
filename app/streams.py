"""One pass over each chunk of a stream, whatever the number of layers that it goes through.

A middleware changes a response by giving the application behind it a `send` of its own. A stream of
thousands of chunks would go through all of them, each a coroutine, also where most have nothing to
do once it has begun. At full load the process that writes the chunks is what limits a model's
throughput, so here each layer says once a stream what it does with its chunks, as a function of
bytes, and the innermost applies them one after another and sends once.
"""

from collections.abc import Callable

from app.asgi import Message, Send

Edit = Callable[[bytes], bytes]  # what is sent in place of some bytes; b"" sends nothing for now


class SendWrapper:
    """The `send` of one response in one layer, between the application and the server."""

    def __init__(self, send: Send) -> None:
        """Take the next `send`, towards the server."""
        self.send = send

    async def __call__(self, message: Message) -> None:
        """Take a message; of a stream that has been flattened, only those that are no chunk."""
        raise NotImplementedError

    def edit(self) -> Edit | None:
        """Return what the layer does with each further chunk of a stream that has begun.

        None is for a layer that has nothing to do with any of them.
        """
        raise NotImplementedError


def flatten(send: Send) -> Send:
    """Return one `send` for the rest of a stream whose start has gone through `send`.

    Chunks go straight to the first `send` that is no `SendWrapper`, through the edits of all
    wrappers before it. The message that ends the response goes through the wrappers themselves.
    """
    edits: list[Edit] = []
    last = send
    while isinstance(last, SendWrapper):
        if (edit := last.edit()) is not None:
            edits.append(edit)
        last = last.send
    if last is send:
        return send

    async def flattened(message: Message) -> None:
        if not message.get("more_body", False) or message["type"] != "http.response.body":
            return await send(message)
        body = message.get("body", b"")
        for edit in edits:
            body = edit(body)
        if body:
            await last({"type": "http.response.body", "body": body, "more_body": True})

    return flattened
