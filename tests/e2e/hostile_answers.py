"""What no manager answers: forged, altered, replayed, misaddressed, truncated and wrong answers to
an agent, each with the words its journal says of it."""

import base64
import json
import pathlib
import subprocess
import tempfile
import urllib.parse

HEAD = {"epoch": 1, "sequence": 5, "hash": "ab", "mac": "cd"}


class SigningKey:
    """An Ed25519 key of openssl's, which shares no code with the agent."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cpm-key-")
        self.file = pathlib.Path(self.folder.name) / "key.pem"
        self.openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        public = self.openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")
        self.public = base64.b64encode(public[-32:]).decode()

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout

    def sign(self, order):
        lines = ["cpm-order-v1", *(order[name] for name in (
            "server_id", "boot_id", "resume_count", "nonce", "sequence", "method"))]
        with tempfile.NamedTemporaryFile(dir=self.folder.name) as text:
            text.write("".join(f"{line}\n" for line in lines).encode())
            text.flush()
            signature = self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file,
                                     "-in", text.name)
        return base64.b64encode(signature).decode()


MANAGER, SOMEBODY = SigningKey(), SigningKey()


def manifest(power="ON", **fields):
    return {"power_status": power, "heartbeat_interval_seconds": 1,
            "manifest_version": f"{power}.1", "head": HEAD, **fields}


def answer(body, status="200 OK", headers=()):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json",
             f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def order_for(request, key=MANAGER, **fields):
    """A genuine order for what was asked, but for `fields`; signed as it stands."""
    head, body = request
    if not body:  # a manifest call
        query = urllib.parse.parse_qs(head.split()[1].split("?")[1])
        body = {name: values[0] for name, values in query.items()}
    order = {"method": "poweroff", "server_id": "srv_x", "boot_id": body["boot_id"],
             "resume_count": int(body["resume_count"]), "nonce": body["nonce"], "sequence": 4,
             **fields}
    return {**order, "signature": key.sign(order)}


def off(order, **fields):
    return answer(manifest("OFF", order=order, **fields))


def altered(request, **fields):
    """A genuine order that was changed after it had been signed."""
    return off({**order_for(request), **fields})


def without(request, name):
    order = order_for(request)
    del order[name]
    return off(order)


def with_signature(request, change):
    order = order_for(request)
    return off({**order, "signature": change(order["signature"])})


NOT_THE_MANAGERS = "its signature is not the manager's"
NO_WHOLE_ANSWER = "no whole answer"

# Genuinely signed, and for something else.
MISADDRESSED = {
    "another server": (lambda r: off(order_for(r, server_id="srv_y")), "another server"),
    "no server": (lambda r: off(order_for(r, server_id="")), "another server"),
    "another boot": (lambda r: off(order_for(r, boot_id="0" * 36)), "another boot"),
    "this boot in capitals": (
        lambda r: off(order_for(r, boot_id=order_for(r)["boot_id"].upper() + "A")), "another boot"),
    "a later resume": (lambda r: off(order_for(r, resume_count=1)), "side of a suspend"),
    "a far resume": (lambda r: off(order_for(r, resume_count=2**40)), "side of a suspend"),
    "another question": (lambda r: off(order_for(r, nonce="A" * 32)), "a replay"),
    "half this question": (
        lambda r: off(order_for(r, nonce=order_for(r)["nonce"][:16])), "a replay"),
    "no question": (lambda r: off(order_for(r, nonce="")), "a replay"),
}
# Genuine until somebody changed a field, a byte, or the signature.
ALTERED = {
    "another method": (lambda r: altered(r, method="suspend"), NOT_THE_MANAGERS),
    "another request": (lambda r: altered(r, sequence=5), NOT_THE_MANAGERS),
    "signed by another key": (lambda r: off(order_for(r, SOMEBODY)), NOT_THE_MANAGERS),
    "zeros for a signature": (
        lambda r: altered(r, signature=base64.b64encode(bytes(64)).decode()), NOT_THE_MANAGERS),
    "no signature": (lambda r: altered(r, signature=""), NOT_THE_MANAGERS),
    "half a signature": (lambda r: with_signature(r, lambda s: s[:44]), NOT_THE_MANAGERS),
    "a signature and more": (lambda r: with_signature(r, lambda s: s + "AAAA"), NOT_THE_MANAGERS),
    "a signature twice": (lambda r: with_signature(r, lambda s: s + s), NOT_THE_MANAGERS),
    "a signature in base64url": (
        lambda r: altered(r, signature="-_" * 43 + "=="), NOT_THE_MANAGERS),
    "an unknown method": (lambda r: altered(r, method="sh"), "order.method"),
    "a method in capitals": (lambda r: altered(r, method="POWEROFF"), "order.method"),
    "a request as text": (lambda r: altered(r, sequence="4"), "order.sequence"),
    "request 0": (lambda r: altered(r, sequence=0), "order.sequence"),
    "request -4": (lambda r: altered(r, sequence=-4), "order.sequence"),
    "request 4.5": (lambda r: altered(r, sequence=4.5), "order.sequence"),
    "a resume below 0": (lambda r: altered(r, resume_count=-1), "order.resume_count"),
    "a signature as a number": (lambda r: altered(r, signature=7), "order.signature"),
    **{f"an order without {name}": (
        lambda r, name=name: without(r, name), f"order.{name}")
       for name in ("method", "server_id", "boot_id", "resume_count", "nonce", "sequence",
                    "signature")},
    "no order": (lambda r: answer(manifest("OFF")), "without a signed order"),
    "an order in text": (lambda r: off("poweroff"), "order: must be an object"),
    "a list of orders": (lambda r: off([order_for(r)]), "order: must be an object"),
}
# An order inside what is no answer.
WRONG_ANSWERS = {
    "no head": (lambda r: answer({**manifest("OFF", order=order_for(r)), "head": None}), "head"),
    "a head below 0": (
        lambda r: off(order_for(r), head={**HEAD, "epoch": -1}), "head.epoch"),
    "a strange interval": (
        lambda r: off(order_for(r), heartbeat_interval_seconds=0), "heartbeat_interval_seconds"),
    "a header in the version": (
        lambda r: off(order_for(r), manifest_version="a\"\r\nX: y"), "manifest_version"),
    "a wrong type": (lambda r: off(order_for(r), power_status=False), "power_status"),
    "off in small letters": (lambda r: off(order_for(r), power_status="off"), "power_status"),
    "half an answer": (lambda r: off(order_for(r))[:-40], NO_WHOLE_ANSWER),
    "half a JSON": (lambda r: answer(json.dumps(manifest()).encode()[:-3]), "not a JSON object"),
    "a list": (lambda r: answer([manifest("OFF", order=order_for(r))]), "not a JSON object"),
    "two answers in one": (
        lambda r: answer(json.dumps(manifest("OFF", order=order_for(r))).encode() * 2),
        "not a JSON object"),
    "no JSON": (lambda r: answer(b"<html>OFF</html>"), "not a JSON object"),
    "nothing": (lambda r: answer(b""), "not a JSON object"),
    "no HTTP": (lambda r: b"OFF\r\n\r\n", NO_WHOLE_ANSWER),
    "too much": (lambda r: answer(b"[" * 100_000), NO_WHOLE_ANSWER),
    "an endless head": (
        lambda r: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000, NO_WHOLE_ANSWER),
    "the end of the connection": (lambda r: b"", NO_WHOLE_ANSWER),
}
# Other statuses, each with a genuine order.
STATUSES = {
    "a redirect": ("302 Found", ["Location: http://127.0.0.1:1/"]),
    "a permanent redirect": ("308 Permanent Redirect", ["Location: https://evil/"]),
    "a redirect to plain text": ("307 Temporary Redirect", ["Location: http://evil/"]),
    "a part": ("206 Partial Content", ["Content-Range: bytes 0-1/2"]),
    "accepted": ("202 Accepted", []),
    "401": ("401 Unauthorized", []),
    "410": ("410 Gone", []),
    "422": ("422 Wrong", []),
    "500": ("500 Oops", []),
    "503": ("503 Later", ["Retry-After: 0"]),
}
BODILESS = {
    "no content": (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "answered 204"),
    "unchanged": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n", "answered 304"),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n", "answered 100"),
}

# name: (the bytes answered to a request, what the journal says of it)
REPLIES = {
    **MISADDRESSED, **ALTERED, **WRONG_ANSWERS,
    **{name: (lambda r, status=status, headers=headers:
              answer(manifest("OFF", order=order_for(r)), status, headers),
              f"answered {status[:3]}")
       for name, (status, headers) in STATUSES.items()},
    **{name: (lambda r, text=text: text, said) for name, (text, said) in BODILESS.items()},
}
