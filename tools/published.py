"""Draws from the platform's published description what our API is held against: names, types and which are required.

    python tools/published.py DESCRIPTION.json > tests/api/published.json

Facts alone are kept (no text of the description): for each address of domain-features 6.2 and each of its verbs, the
fields that are sent and told. Where a type was written from a sample (`null`) it says nothing, and is left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LEFT_OUT = (
    "video", "meeting", "image", "/templates/", "firebase", "certificate", "/code/", "insight", "charts", "dashboards",
    "quotas", "nsconfigs", "config-definitions", "transcriptions", "messagesession", "/messages", "schedule",
    "calls/report", "/email", "/host", "ssoEnroll", "authCode",
)  # fmt: skip
"""Not among the resources of domain-features 6.2."""
VERBS = ("get", "post", "put", "patch", "delete")


class Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.shapes: list[dict[str, Any]] = []

    def addresses(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for path, verbs in self._document["paths"].items():
            if any(part in path for part in LEFT_OUT) or path == "/ ":
                continue
            where = path.partition("#")[0].rstrip("/").replace("{user}number", "{user}/number")
            for verb in VERBS:
                if verb in verbs and where:
                    name = f"{verb.upper()} {where}"
                    found.setdefault(name, self._operation(verbs[verb]))
        return dict(sorted(found.items()))

    def _operation(self, operation: dict[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        query = [p["name"] for p in operation.get("parameters", ()) if p.get("in") == "query" and p.get("required")]
        if query:
            facts["query"] = query
        sent = self._json(operation.get("requestBody", {}))
        if sent is not None:
            facts["sends"] = self._shape(sent)
        for status in ("200", "202"):
            told = self._json(operation.get("responses", {}).get(status, {}))
            if told is not None:
                facts[f"tells {status}"] = self._shape(told)
        return facts

    @staticmethod
    def _json(part: dict[str, Any]) -> dict[str, Any] | None:
        content = part.get("content", {})
        kind = next((kind for kind in ("application/json", "*/*") if kind in content), None)
        return content[kind].get("schema") if kind else None

    def _shape(self, schema: dict[str, Any]) -> int | None:
        """Return the number of a shape; None for one that says nothing."""
        schema = self._resolved(schema)
        many = schema.get("type") == "array"
        item = self._resolved(schema.get("items", {})) if many else schema
        fields = {name: self._type(field) for name, field in item.get("properties", {}).items()}
        fields = {name: kind for name, kind in fields.items() if kind}
        if not fields and not many:
            return None
        needed = [name for name in item.get("required", ()) if name in fields]
        shape = {"many": many, "fields": fields, "required": needed}
        if shape not in self.shapes:
            self.shapes.append(shape)
        return self.shapes.index(shape)

    def _type(self, field: dict[str, Any]) -> str:
        field = self._resolved(field)
        if "enum" in field:
            return "=" + "|".join(map(str, field["enum"])) if len(field["enum"]) <= 30 else "string"
        if "anyOf" in field or "oneOf" in field:
            kinds = {self._type(one) for one in field.get("anyOf", field.get("oneOf"))}
            return "" if "" in kinds else "|".join(sorted(kinds))
        kind = field.get("type", "")
        if isinstance(kind, list):
            return "" if len(kind) > 3 else "|".join(kind)
        return "" if kind == "null" else str(kind)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = self._document["components"]["schemas"][name]
        return schema


def main() -> None:
    reader = Reader(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    addresses = reader.addresses()
    lines = [json.dumps(shape, separators=(",", ":"), sort_keys=True) for shape in reader.shapes]
    rows = [f"{json.dumps(name)}: {json.dumps(facts, sort_keys=True)}" for name, facts in addresses.items()]
    print('{"shapes": [\n' + ",\n".join(lines) + '\n],\n"addresses": {\n' + ",\n".join(rows) + "\n}}")


main()
