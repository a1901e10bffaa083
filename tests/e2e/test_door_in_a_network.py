"""The door seen from another machine of the network: plain HTTP for agents, the address it was
called by, and how many connections one address may have."""

import json
import unittest

import network
import raw
import support


class Network(unittest.TestCase):
    def setUp(self):
        self.machine = segment.add_machine()
        self.manager = support.Manager(listen="0.0.0.0:0")
        self.addCleanup(self.manager.close)
        self.port = self.manager.address[1]
        self.manager.address = ("127.0.0.1", self.port)
        self.manager.set_up()
        self.server = self.manager.add_server("far", mac_addresses=[self.machine.mac])["id"]

    def connect(self):
        """A connection from the other machine."""
        connection = network.in_namespace_of(
            self.machine.card.pid, lambda: raw.Raw((network.MANAGER_ADDRESS, self.port)))
        self.addCleanup(connection.close)
        return connection

    def ask(self, line, *fields, body=None, host=None):
        text = "" if body is None else json.dumps(body)
        if body is not None:
            fields = (*fields, "Content-Type: application/json", f"Content-Length: {len(text)}")
        connection = self.connect()
        connection.request(line, *fields, body=text, host=host)
        status, _, answer = connection.answer()
        connection.close()
        return status, json.loads(answer)

    def test_agents_call_over_plain_http_from_elsewhere_only_where_it_was_allowed(self):
        token = self.manager.api("POST", f"/servers/{self.server}/join-token", {})["join_token"]
        join = {"join_token": token, "hostname": "far", "mac_addresses": [self.machine.mac],
                "agent_version": "story", "os": "Linux"}
        heartbeat = {"status": "ON", "agent_version": "story"}
        for line, body in (("POST /agent/v1/join HTTP/1.1", join),
                           ("POST /agent/v1/heartbeat HTTP/1.1", heartbeat)):
            status, answer = self.ask(line, "Authorization: Bearer x", body=body)
            self.assertEqual((status, answer["type"]), (403, "/problems/not-allowed"))
            self.assertIn("agents_over_plain_http", answer["detail"])
        self.manager.api("PATCH", "/settings", {"agents_over_plain_http": True})
        status, joined = self.ask("POST /agent/v1/join HTTP/1.1", body=join)
        self.assertEqual(status, 200, joined)
        status, answer = self.ask("POST /agent/v1/heartbeat HTTP/1.1",
                                  f"Authorization: Bearer {joined['agent_token']}", body=heartbeat)
        self.assertEqual(status, 200, answer)
        self.manager.api("PATCH", "/settings", {"agents_over_plain_http": False})
        status, answer = self.ask("GET /agent/v1/manifest HTTP/1.1",
                                  f"Authorization: Bearer {joined['agent_token']}")
        self.assertEqual(status, 403, answer)

    def test_it_answers_to_the_address_it_was_called_by(self):
        line = "GET /healthz HTTP/1.1"
        self.assertEqual(self.ask(line)[0], 200)
        self.assertEqual(self.ask(line, host=network.MANAGER_ADDRESS)[0], 200)
        self.assertEqual(self.ask(line, host="10.77.0.99")[0], 421)
        self.assertEqual(self.ask(line, host="manager.example")[0], 421)

    def test_one_address_has_256_connections_and_another_has_its_own(self):
        connections = [self.connect() for _ in range(256)]
        refused = self.connect()
        status, fields, body = refused.answer()
        self.assertEqual((status, fields["connection"]), (429, "close"))
        self.assertIn("256", json.loads(body)["detail"])
        self.assertTrue(refused.is_closed())
        self.assertEqual(self.manager.ask("GET", "/healthz").status, 200)
        connections[0].request()
        self.assertEqual(connections[0].answer()[0], 200)
        connections[1].close()
        support.wait_until("a place", lambda: self.ask("GET /healthz HTTP/1.1")[0] == 200)

    def test_how_many_one_address_has_is_an_option_and_a_trusted_proxy_speaks_for_many(self):
        for proxies, refused in (("127.0.0.1", 1), ("10.77.0.0/24", 0)):
            with support.Manager(listen="0.0.0.0:0", env={
                    "CPM_CONNECTIONS_PER_ADDRESS": "3", "CPM_TRUSTED_PROXIES": proxies}) as manager:
                self.port = manager.address[1]
                connections = [self.connect() for _ in range(4)]
                for connection in connections:
                    connection.request()
                statuses = [connection.answer()[0] for connection in connections]
                self.assertEqual(statuses, [200] * (4 - refused) + [429] * refused)

    def test_configured_names_are_answered_to(self):
        with support.Manager(env={"CPM_HOST_NAMES": "cpm.example",
                                  "CPM_PUBLIC_URL": "https://front.example:8443"}) as manager:
            for host, status in (("cpm.example", 200), ("CPM.example:1", 200),
                                 ("front.example", 200), ("other.example", 421)):
                self.assertEqual(manager.ask("GET", "/healthz", headers={"Host": host}).status,
                                 status, host)


if __name__ == "__main__":
    network.need_namespaces()
    segment = network.Segment()
    try:
        support.main()
    finally:
        segment.close()
