"""A reverse proxy over TLS before a manager, as people put one there: it passes requests on over
plain HTTP, and says for whom. The address it takes its caller to have is the story's to choose."""

import http.client
import http.server
import threading

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class Proxy:
    """`backend`: the manager's address. `caller`: who calls. `scheme`: what X-Forwarded-Proto says,
    None: nothing. `keeps_host`: whether the manager is told the Host that was asked for."""

    def __init__(self, backend, context=None, caller="198.51.100.1", scheme="https",
                 keeps_host=True):
        self.backend, self.caller = backend, caller
        self.scheme, self.keeps_host = scheme, keeps_host
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = self.server.server_address
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def handler(proxy):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, fields, text = proxy.ask(
                    self.command, self.path, self.headers.items(), body)
                self.send_response_only(status)
                for name, value in fields:
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        return Handler

    def ask(self, method, path, fields, body):
        """The request as the manager sees it: what the caller says of itself stands before what
        the proxy knows."""
        said = [value for name, value in fields if name.lower() == "x-forwarded-for"]
        told = [(name, value) for name, value in fields
                if name.lower() not in HOP_BY_HOP | {"host", "x-forwarded-for",
                                                     "x-forwarded-proto"}]
        told.append(("X-Forwarded-For", ", ".join([*said, self.caller])))
        if self.scheme:
            told.append(("X-Forwarded-Proto", self.scheme))
        host = next(value for name, value in fields if name.lower() == "host")
        told.append(("Host", host if self.keeps_host else "%s:%s" % self.backend))
        connection = http.client.HTTPConnection(*self.backend, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in told:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        told = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return told
