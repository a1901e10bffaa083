"""TLS as a client of one's own sees it: connections that say exactly what they are told to, and
what a certificate says."""

import hashlib
import pathlib
import ssl
import subprocess

import raw

LISTEN = ("--https", "127.0.0.1:0")


def address_of(manager):
    host, port = manager.ready["https"].rsplit(":", 1)
    return (host, int(port))


def authority_of(manager):
    """The file of the authority's certificate."""
    return pathlib.Path(manager.data) / "keys" / "ca.crt"


def trusting(file):
    """A client that trusts this authority alone, and checks the name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    return context


class Connection(raw.Raw):
    """A TLS connection to the manager. A goodbye that is missing is an error (SSLEOFError)."""

    def __init__(self, manager, context=None, name="cpm-manager", handshake=True, timeout=20):
        super().__init__(address_of(manager), timeout)
        self.context, self.name = context or trusting(authority_of(manager)), name
        self.host = f"127.0.0.1:{address_of(manager)[1]}"
        if handshake:
            try:
                self.shake_hands()
            except BaseException:
                self.close()
                raise

    def shake_hands(self):
        self.socket = self.context.wrap_socket(self.socket, server_hostname=self.name,
                                               suppress_ragged_eofs=False)


def chain_of(manager):
    """The certificates the manager shows, in DER, its own first."""
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", "%s:%d" % address_of(manager), "-showcerts"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=20).stdout
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    blocks = shown.split("\nServer certificate")[0].split(begin)[1:]
    return [ssl.PEM_cert_to_DER_cert(begin + block.split(end)[0] + end) for block in blocks]


def fingerprint(der):
    return "sha256:" + hashlib.sha256(der).hexdigest()


def make_certificate(folder, name, *options):
    """A certificate of somebody else's making, for 127.0.0.1: (certificate, key), files in PEM."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "3", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=DNS:given.example,IP:127.0.0.1", *(options or ("-newkey", "rsa:2048")),
         "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    return certificate, key
