"""The OpenAPI document: operations.py's table, with schemas from the models that validate and answer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.operations import GROUPS, OPERATIONS, Operation, OperationResponse, RequestBody
from app.api.response_schemas import ErrorAnswer
from app.api.samples import SERVER
from app.inputs.bodies import JsonObject

_SCHEMA = "#/components/schemas/{model}"
_LIMIT_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}
_WORD_FOR_NONE = {"size": "own", "seconds": "unlimited"}  # the words that the options read as None
_API_DESCRIPTION = (
    "A photo in the style of any painting. Pictures are sent as files of a form, or in JSON as base64 or data URLs; "
    "the server never fetches an address. Whatever goes wrong is answered with an `error` that has a `code` for "
    "programs, a `message` for people, and the `field` at fault where there is one."
)
_ERROR_DESCRIPTIONS = {
    400: "The body cannot be read as what it says it is.",
    401: "The API key is not one of this server's.",
    404: "There is no such thing, or not yet, or it is somebody else's.",
    409: "It is being done already.",
    413: "A picture with too many bytes or pixels, or too many of them.",
    415: "What was sent is not a picture, or the body is neither a form with files nor JSON.",
    422: "A field is missing or outside its limits, or a picture is broken; `field` names it.",
    429: "More than one client may ask for in such a short time. `Retry-After` says when to come back.",
    503: "The server has more to do than it can take, or is still loading. `Retry-After` says when to come back.",
}
_HEADERS: dict[str, JsonObject] = {
    "Location": {"description": "Address of what was made.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}},
    "X-Style-Weights": {"description": "Name of the weights that painted.", "schema": {"type": "string"}},
    "X-Style-Seconds": {"description": "What painting took.", "schema": {"type": "number", "minimum": 0}},
}
_PARAMETERS: dict[str, JsonObject] = {
    "id": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "As it was answered when the thing was made or listed.",
        "schema": {"type": "string", "minLength": 1},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "1 to 200 letters, digits or signs: the same for every try at the same picture.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    },
}
_SECURITY: dict[str, JsonObject] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, from whoever runs the server."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same in a header of its own."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "owner",
        "description": "Comes with the first thing of your own: send it back, and you are the same again. "
        "Over TLS it is named `__Host-owner`.",
    },
}


@lru_cache(maxsize=16)  # few: anybody can make up hosts
def document(server: str) -> JsonObject:
    """Return the document. server: the address that the samples call, without a slash at its end."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Pastiche",
            "version": "1",
            "description": _API_DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": group.name, "description": group.description} for group in GROUPS],
        "security": [{}, *({name: []} for name in _SECURITY)],
        "paths": _paths(server),
        "components": {
            "schemas": _schemas(),
            "responses": {str(status): _error_response(status) for status in _ERROR_DESCRIPTIONS},
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": _SECURITY,
        },
    }


def _paths(server: str) -> JsonObject:
    paths: JsonObject = {}
    for group in GROUPS:
        for operation in group.operations:
            paths.setdefault(operation.path, {})[operation.method] = _operation(operation, group.name, server)
    return paths


def samples(operation: Operation, server: str) -> dict[str, str]:
    """Return an operation's samples, by language."""
    written = {"Shell": _curl(operation), "Python": operation.python}
    return {language: source.replace(SERVER, server) for language, source in written.items() if source}


def _curl(operation: Operation) -> str:
    """Return a curl command: to look at, the id of a style that ships; else a variable for an earlier answer's id."""
    if operation.curl is None:
        return ""
    own = "$JOB" if "/jobs/" in operation.path else "$STYLE"
    id = "mosaic" if own == "$STYLE" and operation.method == "get" else own
    address = SERVER + operation.path.replace("{id}", id)
    implied = operation.method == "get" or (operation.method == "post" and operation.body)
    method = "" if implied else f" -X {operation.method.upper()}"
    more = f" {operation.curl}" if operation.curl else ""
    return f"curl --fail-with-body -sS{method} " + (f'"{address}"' if "$" in address else address) + more


def _operation(operation: Operation, tag: str, server: str) -> JsonObject:
    named = (*(["id"] if "{id}" in operation.path else []), *operation.headers)
    parameters = [{"$ref": f"#/components/parameters/{name}"} for name in named]
    sources = samples(operation, server).items()
    errors = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(operation.errors)}
    described: JsonObject = {
        "operationId": operation.id,
        "tags": [tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": parameters + (_query_parameters(operation.query) if operation.query else []),
        "requestBody": operation.body and _request_body(operation.body),
        "responses": {str(operation.status): _response(operation.response)} | errors,
        "x-codeSamples": [{"lang": language, "source": source} for language, source in sources],
    }
    return {name: value for name, value in described.items() if value}


def _query_parameters(model: type[BaseModel]) -> list[JsonObject]:
    schema = model.model_json_schema()
    _tidy_schema(schema)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema["required"],
            "description": value.pop("description"),
            "schema": value,
        }
        for name, value in schema["properties"].items()
    ]


def _request_body(body: RequestBody) -> JsonObject:
    examples = {
        f"example-{number}": {"summary": s, "value": v} for number, (s, v) in enumerate(body.examples.items(), 1)
    }
    content: JsonObject = {"multipart/form-data": {"schema": _any_of(body.form)}} if body.form else {}
    content["application/json"] = {"schema": _any_of(body.json), "examples": examples}
    return {"required": True, "content": content}


def _any_of(models: tuple[type[BaseModel], ...]) -> JsonObject:
    schemas = [_ref(model) for model in models]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _response(answer: OperationResponse) -> JsonObject:
    content: JsonObject = {media: {} for media in answer.media}
    if answer.json:
        schema = _ref(answer.json)
        content["application/json"] = {"schema": {"type": "array", "items": schema} if answer.array else schema}
    described: JsonObject = {
        "description": answer.description,
        "content": content,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in answer.headers},
        "links": {
            name: {"operationId": name, "parameters": {"id": f"$response.body#{place}"}}
            for name, place in answer.links.items()
        },
    }
    return {name: value for name, value in described.items() if value}


def _error_response(status: int) -> JsonObject:
    described: JsonObject = {
        "description": _ERROR_DESCRIPTIONS[status],
        "content": {"application/json": {"schema": _ref(ErrorAnswer)}},
    }
    if status in (429, 503):
        described["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return described


def _ref(model: type[BaseModel]) -> JsonObject:
    return {"$ref": _SCHEMA.format(model=model.__name__)}


@cache
def _schemas() -> JsonObject:
    models = dict.fromkeys(_models())
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_SCHEMA)
    schemas: JsonObject = definitions["$defs"]
    for schema in schemas.values():
        _tidy_schema(schema)
    return schemas


def _models() -> Iterable[type[BaseModel]]:
    for operation in OPERATIONS:
        if operation.body:
            yield from (*operation.body.form, *operation.body.json)
        if operation.response.json:
            yield operation.response.json
    yield ErrorAnswer


def _tidy_schema(schema: JsonObject) -> None:
    """Put required properties first, drop titles that repeat names, and null where it is neither sent nor answered."""
    properties: JsonObject = schema.get("properties", {})
    required = schema.get("required", [])
    schema["properties"] = dict(sorted(properties.items(), key=lambda item: item[0] not in required))
    for name, value in schema["properties"].items():
        _rename_limits(value)
        value.pop("title", None)
        if value.get("default", "") is None:
            _without_null(name, value)


def _rename_limits(schema: Any) -> None:
    """Rename the limits that pydantic calls by their Python names, where a validator comes before them."""
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            _rename_limits(part)
    for name in _LIMIT_KEYWORDS.keys() & schema if isinstance(schema, dict) else ():
        schema[_LIMIT_KEYWORDS[name]] = schema.pop(name)


def _without_null(name: str, schema: JsonObject) -> None:
    """Drop the null by which a model says that something was left out: it is never sent."""
    del schema["default"]
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if name in _WORD_FOR_NONE:
        kinds.append({"const": _WORD_FOR_NONE[name]})
    schema |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}
