"""Lets a browser into the demo's network: a port of this machine's own loopback, and behind it the
same port of the network that isolation.py made. Only connections come in; nothing gets out."""

import contextlib
import socket
import threading


def listen(port):
    """To be called before isolation.enter(): a socket stays in the network it was made in. Another
    port when this one is taken."""
    for candidate in (port, 0):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", candidate), backlog=64)
    raise OSError("no port of 127.0.0.1 is free")


def serve(listener):
    port = listener.getsockname()[1]

    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def carry(outside):
        with outside, contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", port)) as inside:
                back = threading.Thread(target=pump, args=(inside, outside), daemon=True)
                back.start()
                pump(outside, inside)
                back.join()

    def accept():
        while True:
            outside, _ = listener.accept()
            threading.Thread(target=carry, args=(outside,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
