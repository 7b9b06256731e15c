"""The description of an API (OpenAPI 3.1), made of its routes: what is served is what is described."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pbx.api.forms import Schema
from pbx.api.routes import Route

_PARAMETER = re.compile(r"\{([^}]+)\}")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_WORDS = {"GET": "read", "POST": "post", "PUT": "put", "PATCH": "patch", "DELETE": "delete"}
_REFUSALS = {
    400: "Something in it is not understood, or the domain does not take it", 401: "Nobody knows who asks",
    403: "Whoever asks may not", 404: "There is no such thing, for whoever asks",
    409: "What there is stands against it",
    410: "The sound is gone", 412: "Somebody has changed it meanwhile", 413: "The body is too large",
    429: "Too many wrong logins", 503: "The disk refuses",
}  # fmt: skip
ERROR: Schema = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "value": {},
                    "rule": {"type": "string"},
                    "remedy": {"type": "string"},
                },
            },
        },
    },
    "required": ["code", "message"],
}
ACCEPTED: Schema = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}


def description(routes: Iterable[Route], title: str, server: str, version: str) -> dict[str, Any]:
    """Return the document; `server` is the prefix of every path."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": server}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": ERROR, "Accepted": ACCEPTED},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{_WORDS[route.method]}_{_NOT_A_NAME.sub('_', route.path.replace('~', 'own')).strip('_')}",
        "summary": route.summary,
        "tags": [route.right or "login"],
        "parameters": [*_in_path(route.path), *_in_query(route.query)],
        "responses": _responses(route),
    }
    if route.right is None:
        operation["security"] = []
    if route.takes is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": dict(route.takes)}}}
    return operation


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(path)
    ]


def _in_query(names: Iterable[str]) -> list[dict[str, Any]]:
    numbers: Mapping[str, Schema] = {
        "start": {"type": "integer", "minimum": 0, "maximum": 2**31},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
    }
    needed = ("datetime-start", "datetime-end")
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": dict(numbers.get(name, {"type": "string"}))}
        for name in names
    ]


def _responses(route: Route) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": dict(route.gives or {})}}
    if "format" in route.query:
        content["audio/wav"] = {"schema": {"type": "string", "format": "binary"}}
    if "download" in route.query:
        content["text/plain"] = {"schema": {"type": "string"}}
    found: dict[str, Any] = {"200": {"description": "As asked", "content": content}}
    if route.method != "GET":
        found["202"] = {"description": "Accepted, and durable", "content": _json("Accepted")}
    for status, told in _REFUSALS.items():
        found[str(status)] = {"description": told, "content": _json("Error")}
    return found


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
