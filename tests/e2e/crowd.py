"""A crowd of clients nobody wants, in a process of its own: run as `crowd.py HOST PORT COUNT KIND`,
it keeps COUNT connections open, comes back when one is closed, says "there" once all are there, and
ends with its standard input.

  trickle  a byte of a head or of a body each second, never a whole one
  flood    whole requests as fast as they go; of the answers it reads nothing
  greedy   the same, for a long list, with the API token in CPM_TOKEN
  endless  heads and bodies without an end, as fast as they go
"""

import errno
import itertools
import os
import resource
import selectors
import socket
import subprocess
import sys
import time

KINDS = {
    "trickle": itertools.cycle([
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"GET /healt",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 4096\r\n\r\n{",
    ]),
    "flood": itertools.cycle([b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100]),
    "greedy": itertools.cycle([(
        "GET /api/v1/events?limit=1000 HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {os.environ.get('CPM_TOKEN')}\r\n\r\n" * 20).encode()]),
    "endless": itertools.cycle([
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-More: more\r\n" * 2000,
        b"GET /" + b"a" * 30000,
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 4096\r\n\r\n" + b" " * 4000,
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1;" + b"x" * 30000,
        b"\r\n" * 15000,
    ]),
}


class Crowd:
    """Starts the crowd against a manager; ends it as a context."""

    def __init__(self, address, count, kind, token=""):
        self.process = subprocess.Popen(
            [sys.executable, "-B", __file__, *map(str, address), str(count), kind],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "CPM_TOKEN": token})
        assert self.process.stdout.readline() == b"there\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=30)


class Client:
    def __init__(self, selector, address, kind):
        self.selector, self.address, self.kind = selector, address, kind
        self.open()

    def open(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # What the peer may send before it has to wait for this reader.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        error = self.socket.connect_ex(self.address)
        assert error in (0, errno.EINPROGRESS), error
        self.left = next(KINDS[self.kind])
        events = selectors.EVENT_WRITE if self.kind != "trickle" else selectors.EVENT_READ
        self.selector.register(self.socket, events, self)

    def again(self):
        self.selector.unregister(self.socket)
        self.socket.close()
        self.open()

    def say(self, size=16384):
        """Sends some of what it has to say, which has no end."""
        try:
            sent = self.socket.send(self.left[:size])
            more = b" " if self.kind == "trickle" else next(KINDS[self.kind])
            self.left = self.left[sent:] or more
        except BlockingIOError:
            pass
        except OSError:
            self.again()

    def hear(self):
        """Whether the peer is done with it."""
        try:
            if self.socket.recv(4096) == b"":
                self.again()
        except BlockingIOError:
            pass
        except OSError:
            self.again()


def main(host, port, count, kind):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    clients = [Client(selector, (host, int(port)), kind) for _ in range(int(count))]
    turn = itertools.cycle(clients)
    told, rest = False, 0.0
    while True:
        begin = time.monotonic()
        for key, events in selector.select(0.02):
            if key.data is None:
                return  # whoever started it has had enough
            if events & selectors.EVENT_READ:
                key.data.hear()
            else:
                key.data.say()
        if not told:
            print("there", flush=True)
            told = True
        if kind == "trickle":  # each of them says a byte a second
            rest += (time.monotonic() - begin) * len(clients)
            while rest >= 1:
                next(turn).say()
                rest -= 1


if __name__ == "__main__":
    main(*sys.argv[1:])
