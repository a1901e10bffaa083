"""The cable between a machine and its manager: what runs over it can be held back, lead elsewhere,
be altered, or be answered by somebody else. It carries bytes and knows no HTTP or TLS."""

import contextlib
import socket
import threading


class Cable:
    """Leads to the address `to`, (host, port); None: whoever connects is hung up on."""

    def __init__(self, to):
        self.to, self.open, self.last_chunk = to, [], b""
        self.alter = self.forge = None
        self.changed = threading.Condition()
        self.passes, self.chunks, self.passed = True, 0, 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = self.socket.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    # --- what is done to it ---

    def hold_answers(self):
        """From now on questions pass, and answers wait."""
        with self.changed:
            self.passes = False

    def let_held_answers_pass(self):
        """Those that wait now, and none after them."""
        with self.changed:
            self.passed = self.chunks
            self.changed.notify_all()

    def release_answers(self):
        with self.changed:
            self.passes, self.passed = True, self.chunks
            self.changed.notify_all()

    def lead_to(self, to):
        """New connections lead there; those that are open are cut."""
        self.to = to
        self.cut()

    def cut(self):
        with self.changed:
            ends, self.open = self.open, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def wait_for_held_answer(self, seconds=15):
        """The last bytes that wait, as soon as there are some."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.chunks > self.passed, seconds), "no answer"
            return self.last_chunk

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.cut()
        self.release_answers()

    # --- what it does ---

    def accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(near,), daemon=True).start()

    def connect(self, near):
        with near:
            try:
                far = socket.create_connection(self.to, timeout=10) if self.to else None
            except OSError:
                return
            if far is None:
                return
            with far:
                far.settimeout(None)
                with self.changed:
                    self.open += [near, far]
                back = threading.Thread(target=self.carry_back, args=(far, near), daemon=True)
                back.start()
                self.carry_forth(near, far)
                back.join()

    def carry_forth(self, near, far):
        """Questions."""
        with contextlib.suppress(OSError):
            while chunk := near.recv(65536):
                if self.forge:
                    near.sendall(self.forge(chunk))
                else:
                    far.sendall(self.alter(chunk) if self.alter else chunk)
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)

    def carry_back(self, far, near):
        """Answers."""
        with contextlib.suppress(OSError):
            while chunk := far.recv(65536):
                with self.changed:
                    self.chunks += 1
                    number, self.last_chunk = self.chunks, chunk
                    if self.passes:
                        self.passed = number
                    self.changed.notify_all()
                    self.changed.wait_for(lambda: self.passes or self.passed >= number)
                near.sendall(chunk)
        with contextlib.suppress(OSError):
            near.shutdown(socket.SHUT_RDWR)
