"""http/openapi.yaml as the judge of what the manager answers: every answer that a story gets is
held to what the document says of its operation (status, media type, fields, their types and
values), and nothing may be there that the document does not know. Without python3-jsonschema
nothing is judged."""

import functools
import json
import pathlib
import re
import urllib.parse

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = None

FILE = pathlib.Path(__file__).resolve().parents[2] / "http" / "openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")

# What the door itself answers, to any request (HTTP 3.1, 3.5), the document's `default`; a failure
# of the manager (500) is not among them. 429 comes from the limits, 503 from starting and stopping,
# 507 from the disk.
ANYWHERE = {400, 404, 405, 408, 411, 413, 414, 415, 417, 421, 429, 431, 501, 503, 505, 507}
# Fields of an answer that the document must name when they are sent.
NAMED_FIELDS = ("ETag", "Location", "Set-Cookie", "Link")
seen = set()  # (operation, status) of every answer that was judged
MOST = 256 * 1024  # of longer bodies there are shorter ones of the same form


class Violation(AssertionError):
    """An answer, or an accepted request, that the document does not describe."""


@functools.cache
def document():
    return yaml.safe_load(FILE.read_text())


def resolve(node):
    """What a $ref stands for; other nodes as they are."""
    while "$ref" in node:
        target = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class Operation:
    """One method of one path, as the document describes it."""

    def __init__(self, path, method, item):
        node = item[method]
        self.path, self.method, self.node = path, method.upper(), node
        self.name, self.access = node["operationId"], node["x-access"]
        self.responses = {int(status): resolve(response)
                          for status, response in node["responses"].items()
                          if status != "default"}
        self.parameters = [resolve(parameter) for parameter in
                           item.get("parameters", []) + node.get("parameters", [])]
        self.body = resolve(node["requestBody"]) if "requestBody" in node else None
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", re.sub(r"[.]", r"\\.", path))
        self.pattern = re.compile(pattern)

    def __repr__(self):
        return f"{self.method} {self.path}"

    def parameters_in(self, place):
        return [parameter for parameter in self.parameters if parameter["in"] == place]

    def body_schema(self):
        return self.body["content"]["application/json"]["schema"] if self.body else None


@functools.cache
def operations():
    return [Operation(path, method, item) for path, item in document()["paths"].items()
            for method in METHODS if method in item]


def find(method, path):
    """The operation of a request; a path that is written out comes before one with a {…}."""
    found = [operation for operation in operations()
             if operation.method == ("GET" if method == "HEAD" else method)
             and operation.pattern.fullmatch(urllib.parse.unquote(path.split("?")[0]))]
    return min(found, key=lambda operation: operation.path.count("{"), default=None)


# --- schemas ---


def closed(schema):
    """The schema with its references resolved, its allOf made one, and no field allowed that it
    does not name: what is not described must not be there."""
    schema = dict(resolve(schema))
    for part in schema.pop("allOf", []):
        part = closed(part)
        for word, value in part.items():
            if word == "properties":
                schema[word] = {**schema.get(word, {}), **value}
            elif word == "required":
                schema[word] = [*schema.get(word, []), *value]
            elif word != "additionalProperties" or value is not False:
                schema[word] = value
    if "properties" in schema:
        schema["properties"] = {name: closed(value)
                                for name, value in schema["properties"].items()}
        schema.setdefault("additionalProperties", False)
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = closed(schema["additionalProperties"])
    if "items" in schema:
        schema["items"] = closed(schema["items"])
    for word in ("oneOf", "anyOf"):
        if word in schema:
            schema[word] = [closed(part) for part in schema[word]]
    return schema


def answer_formats():
    """What the manager writes: times in UTC with milliseconds (HTTP 3.1)."""
    formats = jsonschema.FormatChecker(formats=())
    time = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    formats.checks("date-time")(lambda text: not isinstance(text, str) or time.fullmatch(text))
    formats.checks("uuid")(lambda text: not isinstance(text, str) or uuid.fullmatch(text))
    return formats


@functools.cache
def validator_of(operation, status, media):
    schema = operation.responses[status]["content"][media]["schema"]
    return jsonschema.Draft202012Validator(closed(schema), format_checker=answer_formats())


@functools.cache
def problem_validator():
    schema = {"$ref": "#/components/schemas/Problem"}
    return jsonschema.Draft202012Validator(closed(schema), format_checker=answer_formats())


@functools.cache
def body_validator(operation):
    schema = closed(operation.body_schema())
    if operation.path.startswith("/agent/"):
        schema["additionalProperties"] = True  # what an agent says beyond this is ignored (3.3)
    return jsonschema.Draft202012Validator(schema)


def complain(operation, status, errors):
    errors = list(errors)
    if errors:
        told = "; ".join(f"{error.json_path}: {error.message[:300]}" for error in errors[:5])
        raise Violation(f"{operation} {status}: http/openapi.yaml says otherwise: {told}")


# --- judging ---


def check(method, path, body, answer):
    """Raises Violation when the document does not describe this answer to this request."""
    if jsonschema is None or len(answer.raw) > MOST:
        return
    operation = find(method, path)
    media = (answer.headers["Content-Type"] or "").split(";")[0]
    if not operation:
        if answer.status < 400 and path.startswith(("/api/", "/agent/")):
            raise Violation(f"{method} {path} answers {answer.status}, and http/openapi.yaml does "
                            f"not know it")
        if media == "application/problem+json":
            complain(f"{method} {path}", answer.status,
                     problem_validator().iter_errors(answer.json))
        return
    check_answer(operation, method, answer, media)
    seen.add((operation.name, answer.status))
    if answer.status < 300:
        check_request(operation, path, body)


def check_answer(operation, method, answer, media):
    described = operation.responses.get(answer.status)
    if described is None:
        if answer.status not in ANYWHERE:
            raise Violation(f"{operation} answers {answer.status} {answer.raw[:300]!r}, which "
                            f"http/openapi.yaml does not name")
        if media != "application/problem+json":
            raise Violation(f"{operation} {answer.status} is {media!r} and no problem")
        if method != "HEAD":
            complain(operation, answer.status, problem_validator().iter_errors(answer.json))
        return
    for field in NAMED_FIELDS:
        if answer.headers[field] is not None and field not in described.get("headers", {}):
            raise Violation(f"{operation} {answer.status} sends {field}, which http/openapi.yaml "
                            f"does not name")
    if "content" not in described:
        if answer.raw:
            raise Violation(f"{operation} {answer.status} has a body: {answer.raw[:300]!r}")
        return
    if media not in described["content"]:
        raise Violation(f"{operation} {answer.status} is {media!r}, and http/openapi.yaml says "
                        f"{list(described['content'])}")
    if method != "HEAD" and media.endswith("json"):
        complain(operation, answer.status,
                 validator_of(operation, answer.status, media).iter_errors(answer.json))


def check_request(operation, path, body):
    """What was accepted must be what the document asks for."""
    names = {parameter["name"] for parameter in operation.parameters_in("query")}
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query, keep_blank_values=True)
    if not operation.path.startswith("/agent/") and (unknown := set(query) - names):
        raise Violation(f"{operation} takes {unknown}, which http/openapi.yaml does not name")
    if body is None or isinstance(body, bytes):
        return
    if operation.body is None:
        raise Violation(f"{operation} takes a body, and http/openapi.yaml names none")
    value = json.loads(body if isinstance(body, str) else json.dumps(body))
    complain(f"{operation} took a body", "", body_validator(operation).iter_errors(value))
