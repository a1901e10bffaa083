"""http/openapi.yaml and the manager say the same (HTTP 3). Requests are made from the document, for
every operation it has: what fits it is taken, what it rules out is refused, and every answer is
what it describes. (support.py holds the answers of all other stories to it, too.)"""

import copy
import itertools
import json
import re
import unittest
import urllib.parse

import contract
import raw
import support

numbers = itertools.count(1)

# Operations that no request made from the document alone can bring to succeed, and where they do.
ELSEWHERE = {
    "acceptRollback": "test_rollback.py: it takes a log that was rolled back",
    "reinstateAgent": "test_api_agents.py: it takes two machines that report as one server",
}


def is_valid(schema, value):
    return contract.jsonschema.Draft202012Validator(schema).is_valid(value)


def a_mac():
    return "52:54:01:" + ":".join(re.findall("..", f"{next(numbers):06x}"))


def sample(schema, full=False):
    """A value that the schema allows: its example, or the plainest there is. `full`: with every
    field, not only those that must be there."""
    schema = contract.closed(schema)
    if "example" in schema:
        value = copy.deepcopy(schema["example"])
        # One card belongs to one server.
        return a_mac() if re.fullmatch(r"(..:){5}..", str(value)) else value
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return sample(schema[word][-1], full)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    match next(kind for kind in kinds if kind != "null"):
        case "object":
            required = schema.get("required", [])
            fields = schema.get("properties", {})
            return {name: sample(value, full) for name, value in fields.items()
                    if full or name in required}
        case "array":
            return [sample(schema["items"], full)] if "items" in schema else []
        case "boolean":
            return True
        case "integer":
            return max(schema.get("minimum", 1), 1)
        case "string":
            if schema.get("format") == "date-time":
                return "2099-01-01T00:00:00Z"
            return f"sample {next(numbers)}".ljust(schema.get("minLength", 0), "x")


def wrong_values(schema):
    """Values that the schema rules out, one or more for each of its words."""
    schema = contract.closed(schema)
    candidates = [None, True, 7, -1, 1.5, "", "nonsense", [], [7], ["nonsense"], {}]
    candidates += [schema[word] + step for word, step in (("minimum", -1), ("maximum", 1))
                   if word in schema]
    if "maxLength" in schema:
        candidates.append("x" * (schema["maxLength"] + 1))
    if "maxItems" in schema:
        candidates.append([sample(schema["items"]) for _ in range(schema["maxItems"] + 1)])
    if "items" in schema:
        candidates += [[value] for value in wrong_values(schema["items"])]
    if "properties" in schema:
        candidates += list(wrong_bodies(schema))
    return [value for value in candidates if not is_valid(schema, value)]


def wrong_bodies(schema, right=None):
    """Objects that break the schema in one place each, and are `right` in all others."""
    schema = contract.closed(schema)
    right = sample(schema) if right is None else right
    for name in schema.get("required", []):
        yield {key: value for key, value in right.items() if key != name}
    if schema.get("additionalProperties") is False:
        yield right | {"nonsense": 1}
    for name, property_ in schema.get("properties", {}).items():
        for value in wrong_values(property_):
            yield right | {name: value}


def wrong_texts(schema):
    """Texts that are no value of a query's parameter."""
    schema = contract.closed(schema)
    kinds = {"integer": int, "boolean": lambda text: {"true": True, "false": False}[text]}
    for text in ("nonsense", "-1", "0", "1", "1.5", "", "999999999999999999999", "TRUE"):
        try:
            value = kinds.get(schema["type"], str)(text)
        except (ValueError, KeyError):
            value = None
        if not is_valid(schema, value):
            yield text


def is_stream(operation):
    return "text/event-stream" in operation.responses.get(200, {}).get("content", {})


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if contract.jsonschema is None:
            support.skip("python3-jsonschema is not installed: tools/setup --tests")
        cls.manager = support.Manager().set_up()
        cls.addClassCleanup(cls.manager.close)
        # Nothing but what the stories ask for may happen meanwhile.
        quiet = {"heartbeat_interval_seconds": 3600, "mac_addresses": ["52:54:00:00:00:77"]}
        server = cls.manager.add_server("quiet", **quiet)
        cls.agent = cls.manager.join(server["id"], mac="52:54:00:00:00:77")
        assert cls.agent.say() == "ON"
        loud = cls.manager.add_server("loud", heartbeat_interval_seconds=1, missed_heartbeats=1,
                                      mac_addresses=["52:54:00:00:00:78"])
        cls.loud = cls.manager.join(loud["id"], mac="52:54:00:00:00:78")

    # --- making requests ---

    def body(self, operation, full=False):
        """A right body; what no document can know is put in."""
        if not operation.body:
            return None
        body = sample(operation.body_schema(), full)
        match operation.name:
            case "signIn":
                body |= {"username": "alice", "password": support.PASSWORD}
            case "joinAgent":
                server = self.manager.add_server(f"joins {next(numbers)}")["id"]
                body |= {"join_token": self.manager.api(
                    "POST", f"/servers/{server}/join-token")["join_token"]}
        return body

    def notification(self):
        """There is one: somebody crashes."""
        self.loud.say(), self.loud.say()
        support.wait_until("a notification", self.manager.notifications)

    def credential(self, operation):
        return {"agent": self.agent.token, "anyone": None, "joining": None}.get(
            operation.access, self.manager.token)

    def path(self, operation, query=None):
        """The operation's path, to a thing that was made for it."""
        def fill(match):
            collection, name = operation.path[:match.start() - 1], match[1]
            return urllib.parse.quote(self.thing(collection, name, operation))
        path = re.sub(r"\{([^}]*)\}", fill, operation.path)
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def thing(self, collection, name, operation):
        """The name of a new thing of a collection; of one that none can be added to, an old one."""
        add, get = contract.find("POST", collection), contract.find("GET", collection)
        if add:
            made = self.ask(add, collection, self.body(add))
            self.assertEqual(made.status, 201, (operation, made))
            if operation.name == "revokeAgent":
                self.manager.join(made["id"], mac=a_mac())
            if operation.name == "wakeServer":  # only one that is asked to be ON
                self.manager.api("PATCH", f"/servers/{made['id']}",
                                 {"mac_addresses": [a_mac()]})
                self.manager.power(made["id"], "ON")
            return made[name]
        if collection.endswith("/notifications"):
            self.notification()
        self.assertIsNotNone(get, f"{operation}: where does its {{{name}}} come from?")
        return self.ask(get, collection)["items"][0][name]

    def ask(self, operation, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.manager.ask(operation.method, path, body, token=self.credential(operation),
                                headers=headers)

    def events_of_callers(self, after):
        events = self.manager.api("GET", f"/events?limit=1000&after={after}")["items"]
        return [event for event in events
                if event["actor"]["kind"] in ("user", "token", "agent")]

    def head(self):
        return self.manager.api("GET", "/head")["sequence"]

    # --- what fits is taken, and answered as described ---

    def test_requests_made_from_the_document_succeed(self):
        for operation in contract.operations():
            if is_stream(operation):
                continue
            with self.subTest(operation=repr(operation)):
                required, everything = ({
                    parameter["name"]: sample(parameter["schema"] | {
                        key: parameter[key] for key in ("example",) if key in parameter})
                    for parameter in operation.parameters_in("query")
                    if (full and parameter["name"] != "cursor") or parameter.get("required")}
                    for full in (False, True))
                for full, query in ((False, required), (True, everything)):
                    self.ask(operation, self.path(operation, {
                        name: str(value).lower() if isinstance(value, bool) else value
                        for name, value in query.items()}), self.body(operation, full))
        self.sign_in_and_out()
        unseen = [operation for operation in contract.operations()
                  if not is_stream(operation) and operation.name not in ELSEWHERE and not any(
                      (operation.name, status) in contract.seen for status in operation.responses
                      if status < 300)]
        self.assertEqual(unseen, [], "no request made from the document succeeds; its schema needs "
                                     "an example that does")

    def sign_in_and_out(self):
        signed_in = self.manager.ask("POST", "/api/v1/session", {
            "username": "alice", "password": support.PASSWORD})
        cookie = signed_in.headers["Set-Cookie"].split(";")[0]
        headers = {"Cookie": cookie, "Origin": "http://%s:%s" % self.manager.address}
        self.assertEqual(self.manager.ask("GET", "/api/v1/session", headers=headers).status, 200)
        self.assertEqual(self.manager.ask("DELETE", "/api/v1/session", headers=headers).status, 200)

    def test_the_document_is_served_as_it_stands(self):
        served = self.manager.ask("GET", "/api/openapi.json").json
        written = contract.yaml.safe_load(contract.FILE.read_text())
        self.assertEqual(served, json.loads(json.dumps(written, default=str)))

    def test_every_message_of_the_stream_is_described(self):
        operation, = (operation for operation in contract.operations() if is_stream(operation))
        described = operation.node["x-events"]
        connection = raw.Raw(self.manager.address)
        self.addCleanup(connection.close)
        connection.request("GET /api/v1/stream HTTP/1.1",
                           f"Authorization: Bearer {self.manager.token}")
        self.assertEqual(connection.answer()[0], 200)
        server = self.manager.add_server("streamed")["id"]
        self.manager.api("DELETE", f"/servers/{server}?force=true")
        self.notification()
        for notification in self.manager.notifications():
            self.manager.api("POST", f"/notifications/{notification['id']}/dismiss")
        told = connection.events(lambda message: message[0] == "notification_cleared")
        for _ in range(2):
            self.agent.say()
        told += connection.events(lambda message: message[0] == "seen")
        for event, data, _ in told:
            self.assertIn(event, described)
            schema = contract.closed(described[event])
            validator = contract.jsonschema.Draft202012Validator(
                schema, format_checker=contract.answer_formats())
            contract.complain(f"event {event}", "", validator.iter_errors(data))
        self.assertEqual({event for event, _, _ in told}, set(described))

    # --- what the document rules out is refused, and changes nothing ---

    def test_bodies_that_the_document_rules_out_are_refused(self):
        for operation in contract.operations():
            if not operation.body or operation.name == "setUp":
                continue
            path, right, tried = self.path(operation), self.body(operation), 0
            before = self.head()
            schema = contract.closed(operation.body_schema())
            if operation.path.startswith("/agent/"):
                schema["additionalProperties"] = True
            for body in wrong_bodies(schema, right):
                with self.subTest(operation=repr(operation), body=str(body)[:200]):
                    answer = self.ask(operation, path, body)
                    self.assertIn(answer.status, (400, 422), answer)
                    tried += 1
            with self.subTest(operation=repr(operation)):
                self.assertGreater(tried, 0)
                self.assertEqual(self.events_of_callers(before), [])

    def test_setups_that_the_document_rules_out_are_refused(self):
        set_up = contract.find("POST", "/api/v1/setup")
        with support.Manager() as manager:
            right = self.body(set_up) | {"setup_code": manager.ready["setup_code"]}
            for body in wrong_bodies(set_up.body_schema(), right):
                with self.subTest(body=str(body)[:200]):
                    answer = manager.ask("POST", "/api/v1/setup", body)
                    self.assertIn(answer.status, (400, 422), answer)
            self.assertEqual(manager.ask("POST", "/api/v1/setup", right).status, 201)

    def test_bodies_that_are_no_object_are_refused(self):
        nested = b'{"a":' * 17 + b"1" + b"}" * 17
        for operation in contract.operations():
            if not operation.body:
                continue
            path, before = self.path(operation), self.head()
            for body in (b"[]", b'"a"', b"7", b"null", b"{", b"{}{}", b"\xff", b"{'a': 1}", nested,
                         b'{"a": 1, "a": 1}', b'{"a": NaN}', b'{"a": 01}', b"\xef\xbb\xbf{}"):
                with self.subTest(operation=repr(operation), body=body[:20]):
                    self.assertEqual(self.ask(operation, path, body).status, 400)
            self.assertEqual(self.events_of_callers(before), [])

    def test_parameters_that_the_document_rules_out_are_refused(self):
        for operation in contract.operations():
            parameters = operation.parameters_in("query")
            wrong = [(parameter["name"], text) for parameter in parameters
                     for text in wrong_texts(parameter["schema"])]
            if parameters and operation.access != "agent":
                wrong.append(("nonsense", "1"))
            for name, text in wrong:
                with self.subTest(operation=repr(operation), parameter=name, text=text):
                    answer = self.ask(operation, self.path(operation, {name: text}),
                                      self.body(operation))
                    self.assertEqual(answer.status, 422, answer)
                    self.assertIn(name, [error["field"] for error in answer["errors"]])

    def test_a_thing_that_is_not_there_is_404(self):
        for operation in contract.operations():
            for name in re.findall(r"\{[^}]*\}", operation.path):
                for nothing in ("nonsense", "srv_0000000000000000", "%2e%2e", "a" * 300):
                    with self.subTest(operation=repr(operation), name=nothing):
                        answer = self.ask(operation, operation.path.replace(name, nothing),
                                          self.body(operation))
                        self.assertEqual(answer.status, 404, answer)

    # --- what the document says of every change ---

    def test_a_change_repeated_with_its_key_answers_the_same_and_happens_once(self):
        for operation in contract.operations():
            names = [parameter["name"] for parameter in operation.parameters_in("header")]
            if "Idempotency-Key" not in names or operation.name in ("signIn", "joinAgent"):
                continue
            with self.subTest(operation=repr(operation)):
                path, body = self.path(operation), self.body(operation)
                key = {"Idempotency_Key": f"key-{next(numbers)}"}
                first = self.ask(operation, path, body, **key)
                before = self.head()
                second = self.ask(operation, path, body, **key)
                self.assertEqual(first.status, second.status)
                if first.status < 300:
                    self.assertEqual(self.events_of_callers(before), [])
                    self.assertEqual([name for name in first.json if first[name] != second[name]
                                      and second[name] is not None], [])
                if first.status == 409:
                    continue  # said before the key is looked at
                for wrong in ("", "a" * 201, "a b", "\xe9"):
                    answer = self.ask(operation, path, body, Idempotency_Key=wrong)
                    self.assertEqual(answer.status, 422, (wrong, answer))

    def test_a_stale_version_is_not_changed(self):
        for operation in contract.operations():
            names = [parameter["name"] for parameter in operation.parameters_in("header")]
            if "If-Match" not in names:
                continue
            with self.subTest(operation=repr(operation)):
                path, body = self.path(operation), self.body(operation)
                for version in ('"0"', '"999999999"', "nonsense"):
                    answer = self.ask(operation, path, body, If_Match=version)
                    self.assertEqual(answer.status, 412, answer)


if __name__ == "__main__":
    support.main()
