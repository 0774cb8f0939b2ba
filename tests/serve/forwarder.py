"""A way to a server that can be held up and cut: one that is gone, without ending it."""

import contextlib
import select
import socket
import threading

from .conftest import free_port


class Forwarder:
    """Carries connections from a port of its own to another.

    Attributes:
        port: of 127.0.0.1, the same after `cut` and `open`.
        hold_after: bytes of answers after which an answer goes no further; None: all goes through.
        held: answers that go no further, and that the client still waits for.
    """

    hold_after: int | None = None
    held = 0

    def __init__(self, target: int) -> None:
        """Forward to a port of 127.0.0.1, from now on."""
        self.port = free_port()
        self._target = target
        self.open()

    def open(self) -> None:
        """Listen, again after `cut`."""
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection, and listen no more."""
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), client, server:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    if not (data := client.recv(65536)):
                        return
                    server.sendall(data)
                if server in ready:
                    if self.hold_after == 0:
                        self._hold(client)
                        return
                    if not (data := server.recv(self.hold_after or 65536)):
                        return
                    client.sendall(data)
                    if self.hold_after is not None:
                        self.hold_after -= len(data)

    def _hold(self, client: socket.socket) -> None:
        """Wait until the client goes."""
        self.held += 1
        try:
            while client.recv(65536):
                pass
        finally:
            self.held -= 1
