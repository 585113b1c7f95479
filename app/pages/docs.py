"""The OpenAPI document, and the page of documentation that is rendered from it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from app.api import openapi as description
from app.http import context
from app.inputs.bodies import JsonObject
from app.pages.template_helpers import schema_name

blueprint = Blueprint("docs", __name__)
_TYPE_TEXTS = {"string": "text", "integer": "whole number", "boolean": "true or false"}


@blueprint.get("/api/v1/openapi.json")
def openapi() -> Response:
    return jsonify(_document())


@blueprint.get("/docs", endpoint="docs")
def page() -> Response:
    document = _document()
    return make_response(
        render_template(
            "docs.html",
            document=document,
            groups=_tagged_operations(document),
            follow=lambda value: _resolve_reference(document, value),
            kind=_describe_schema,
            has_keys=bool(context.settings().api_keys),
        )
    )


def _document() -> JsonObject:
    return description.document(request.url_root.rstrip("/"))


def _tagged_operations(document: JsonObject) -> list[tuple[JsonObject, list[tuple[str, str, JsonObject]]]]:
    """Return each tag with its operations, as (method, path, operation)."""
    listed = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return [(tag, [entry for entry in listed if tag["name"] in entry[2]["tags"]]) for tag in document["tags"]]


def _resolve_reference(document: JsonObject, value: JsonObject) -> JsonObject:
    """Return the part of the document that a $ref names; anything else as it is."""
    if "$ref" not in value:
        return value
    target: Any = document
    for part in value["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return dict(target)


def _describe_schema(schema: JsonObject) -> str:
    """Describe a schema in a few words: "number, 0 to 1"."""
    if "$ref" in schema:
        return schema_name(schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_describe_schema(one) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return " or ".join(f"“{value}”" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("format") == "binary":
        return "file"
    if schema.get("type") == "array":
        return f"list of {_plural(_describe_schema(schema['items']))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"names with {_plural(_describe_schema(schema['additionalProperties']))}"
    return _type_text(schema) + _limits_text(schema)


def _plural(kind: str) -> str:
    word, comma, limits = kind.partition(",")
    return f"{word}s{comma}{limits}" if word in ("file", "number", "object", "text") else kind


def _type_text(schema: JsonObject) -> str:
    if schema.get("format") == "date-time":
        return "time"
    name = str(schema.get("type", "anything"))
    return _TYPE_TEXTS.get(name, name)


def _limits_text(schema: JsonObject) -> str:
    if "maximum" in schema:
        low = (
            f"{schema['minimum']:g} to "
            if "minimum" in schema
            else f"more than {schema['exclusiveMinimum']:g}, at most "
        )
        return f", {low}{_number_text(schema['maximum'])}"
    if "maxLength" in schema:
        return f", at most {schema['maxLength']} characters"
    return ""


def _number_text(value: float) -> str:
    """Write a number in short, a large one with commas: 0.5, 1,000,000,000 and not 1e+09."""
    return f"{value:g}" if value < 1e6 else f"{value:,.0f}"
