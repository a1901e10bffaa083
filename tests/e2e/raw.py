"""Bytes on a socket, for what no HTTP client would send, and answers read by nobody's rules but the
message format's own."""

import json
import re
import socket
import time


class Closed(Exception):
    """The peer closed where an answer was expected."""


class Raw:
    """A connection that sends exactly what it is told to."""

    def __init__(self, address, timeout=20):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.host = f"{address[0]}:{address[1]}"
        self.buffer = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def request(self, line="GET /healthz HTTP/1.1", *fields, body="", host=None):
        """A request with a Host of its own and whatever fields the test wants, in order."""
        host = self.host if host is None else host
        head = [line, *([f"Host: {host}"] if host else []), *fields]
        self.send("\r\n".join(head) + "\r\n\r\n" + body)

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def answer(self, head_only=False):
        """The next answer: (status, {field: value}, body)."""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", first)[1])
        fields = {}
        for line in lines:
            name, value = line.split(": ", 1)
            assert name.lower() not in fields, f"the field {name} stands twice"
            fields[name.lower()] = value
        length = 0 if head_only else int(fields.get("content-length", 0))
        while len(self.buffer) < length:
            self.fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, fields, body

    def is_closed(self):
        """Whether the peer ends the connection without another byte."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def events(self, until, patience=15):
        """The event stream's messages [(event, data, id)] up to the first that `until` accepts."""
        end = time.monotonic() + patience
        found = []
        while True:
            while b"\n\n" not in self.buffer:
                self.socket.settimeout(max(0.01, end - time.monotonic()))
                self.fill()
            text, self.buffer = self.buffer.split(b"\n\n", 1)
            message = {}
            for line in text.decode().split("\n"):
                name, _, value = line.partition(": ")
                message[name] = value
            if "event" not in message:
                continue
            found.append((message["event"], json.loads(message["data"]), message.get("id")))
            if until(found[-1]):
                return found
