"""A receiver of webhooks, as anybody could write one from Standard Webhooks 1.0."""

import base64
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time


class Message:
    def __init__(self, path, headers, body):
        self.at, self.path, self.headers, self.body = time.monotonic(), path, headers, body
        self.id = headers["webhook-id"]

    @property
    def json(self):
        return json.loads(self.body)

    def is_signed_with(self, secret):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(self.headers["webhook-timestamp"])) < 300
        return fresh and f"v1,{mac}" in self.headers["webhook-signature"].split(" ")


class Receiver:
    """Answers `status`, a number or a function of the message; None: not at all, until it ends."""

    def __init__(self, status=204, certificate=None, headers=()):
        self.status, self.headers, self.messages = status, dict(headers), []
        self.ended = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = Message(self.path, self.headers, body)
                receiver.messages.append(message)
                status = receiver.status
                status = status(message) if callable(status) else status
                if status is None:
                    receiver.ended.wait()
                    return
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # who does not trust it hangs up
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.url = f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}/hook?token=hidden"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
