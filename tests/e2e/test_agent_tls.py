"""The agent over TLS: it believes the CA that was pinned when it joined, and nobody else."""

import pathlib
import shlex
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import warnings

import support
import tls
from machine import Machine, wait_for_status
from support import let_pass, wait_until

FAST = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 3, "standby_time_seconds": 30}


class Impostor:
    """Listens with this certificate, or in the clear, and counts what it is asked."""

    def __init__(self, port, certificate=None, key=None, version=None):
        self.asked, self.refused, self.context = [], 0, None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        if version:
            with warnings.catch_warnings(action="ignore"):
                self.context.minimum_version = ssl.TLSVersion.TLSv1
                self.context.maximum_version = version
            self.context.set_ciphers("ALL:@SECLEVEL=0")
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
                connection.settimeout(5)
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                    self.asked.append(connection.recv(4096))
                else:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")
                    self.refused += 1
                connection.close()
            except ssl.SSLError:
                self.refused += 1
            except OSError:
                if self.socket.fileno() < 0:
                    return
                self.refused += 1

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def make_leaf(folder, authority, name, days):
    """A certificate by this manager's own authority, in its keys folder, as no manager makes it."""
    leaf = folder / f"{name}.{days}"
    files = {part: leaf.with_suffix(f".{days}.{part}") for part in ("key", "csr", "crt", "ext")}
    files["ext"].write_text(f"subjectAltName=DNS:{name}\n")
    subprocess.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                    "-keyout", files["key"], "-out", files["csr"]], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", files["csr"], "-CA", authority / "ca.crt",
                    "-CAkey", authority / "ca.key", "-CAcreateserial", "-days", str(days),
                    "-extfile", files["ext"], "-out", files["crt"]],
                   check=True, capture_output=True)
    return files["crt"], files["key"]


class OverTls(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager(args=tls.LISTEN).set_up()
        self.addCleanup(self.manager.close)
        self.machine = Machine()
        self.addCleanup(self.machine.close)

    def join_line(self):
        self.server = self.manager.add_server("node", mac_addresses=[self.machine.mac],
                                              **FAST)["id"]
        made = self.manager.api("POST", f"/servers/{self.server}/join-token", {})
        words = shlex.split(made["command"])
        host, port = tls.address_of(self.manager)
        words[2] = f"https://{host}:{port}"  # it names the LAN address; this one is on loopback
        return [*words[1:], "--mac", self.machine.mac]

    def join(self):
        status, text = self.machine.call(*self.join_line(), "--no-start")
        self.assertEqual(status, 0, text)

    def test_the_join_line_pins_the_authority_and_it_comes_on_and_goes_off(self):
        self.join()
        self.machine.start()
        wait_for_status(self.manager, self.server, "ON")
        status, text = self.machine.call("status")
        self.assertIn("its own CA, pinned when this machine joined", text)
        let_pass(3)
        print(f"\nthe agent over TLS, alone: {self.machine.pss_kib()} KiB PSS")
        self.assertLess(self.machine.pss_kib(), 8 * 1024)
        self.assertEqual(self.manager.power(self.server, "OFF").status, 202)
        wait_until("the act", self.machine.acted, 20)

    def test_a_wrong_pin_joins_nothing_and_spends_no_token(self):
        line = self.join_line()
        pin = line.index("--ca-pin") + 1
        wrong = [*line[:pin], "sha256:" + "0" * 64, *line[pin + 1:]]
        status, text = self.machine.call(*wrong, "--no-start")
        self.assertEqual(status, 1)
        self.assertIn("--ca-pin", text)
        without = [*line[:pin - 1], *line[pin + 1:]]  # nor is it believed without a pin
        status, text = self.machine.call(*without, "--no-start")
        self.assertEqual(status, 1)
        self.assertIn("does not prove to be the manager", text)
        status, text = self.machine.call(*line, "--no-start")
        self.assertEqual(status, 0, text)

    def test_nobody_else_in_its_place_is_believed_or_told_anything(self):
        self.join()
        self.machine.start()
        wait_for_status(self.manager, self.server, "ON")
        port = tls.address_of(self.manager)[1]
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder, keys = pathlib.Path(scratch.name), pathlib.Path(self.manager.data) / "keys"
        genuine = make_leaf(folder, keys, "cpm-manager", 3)
        cases = {
            "another authority": tls.make_certificate(folder, "cpm-manager"),
            "another name": make_leaf(folder, keys, "someone", 3),
            "an expired certificate": make_leaf(folder, keys, "cpm-manager", -1),
            "a downgrade": (*genuine, ssl.TLSVersion.TLSv1_1),
            "plain text": (),
        }
        self.assertEqual(self.manager.stop(), 0)
        for name, arguments in cases.items():
            impostor = Impostor(port, *arguments)
            wait_until(f"a refusal of {name}", lambda: impostor.refused, 30)
            self.assertEqual(impostor.asked, [], name)
            impostor.close()
            self.machine.kill()  # so that the pauses do not add up
            self.machine.start()
        self.assertEqual(self.machine.acted(), [])
        self.assertIn("does not prove to be the manager", self.machine.said())
        self.manager.args = ["--https", f"127.0.0.1:{port}"]
        self.manager.start()
        self.machine.kill()
        self.machine.start()
        wait_for_status(self.manager, self.server, "ON")


if __name__ == "__main__":
    support.need_root("a configuration that belongs to root")
    support.need_program("openssl")
    support.main()
