"""Carries connections of the host's loopback to the API server, in the node's network.

    forward.py LISTENER PORT

LISTENER is the number of an open, listening socket. It was made on the host, and stays in the
host's network wherever it goes; this process runs in the node's, so the sockets that it makes are
there. Between the two there is no other way.
"""

import asyncio
import socket
import sys


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()  # the other direction may go on
    except OSError:
        writer.close()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    except OSError:  # not up yet, or no more
        writer.close()
        return
    await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))
    for each in (writer, server_writer):
        each.close()


async def main() -> None:
    server = await asyncio.start_server(carry, sock=socket.socket(fileno=int(sys.argv[1])))
    await server.serve_forever()


asyncio.run(main())
