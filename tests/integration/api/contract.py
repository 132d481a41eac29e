"""Holds answers against the OpenAPI document."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator


class Contract:
    """The document, asked about one answer after another."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = document["components"]
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item) for path, item in document["paths"].items()
        ]

    def hold(self, method: str, path: str, status: int, content_type: str | None, body: bytes) -> None:
        """Fail unless the document allows this answer; paths and methods that it does not know are problems."""
        operation = self._operation(method, path)
        if operation is None:
            if status >= 400:
                self._validate({"$ref": "#/components/schemas/Problem"}, body)
            return
        answer = operation["responses"].get(str(status))
        assert answer is not None, f"{method} {path}: {status} is not documented: {body[:300]!r}"
        assert content_type in answer["content"], f"{method} {path}: {content_type} is not documented for {status}"
        if content_type == "image/jpeg":
            return
        self._validate(answer["content"][content_type]["schema"], body)
        if "application/problem+json" in answer["content"]:
            assert f"`{json.loads(body)['code']}`" in answer["description"], "its code is not documented"

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, item in self._paths:
            if pattern.fullmatch(path):
                found: dict[str, Any] | None = item.get(method.lower())
                return found
        return None

    def _validate(self, schema: dict[str, Any], body: bytes) -> None:
        closed = {"$ref": "#/components/schemas/closed"} | {"components": self._closed(schema)}
        Draft202012Validator(closed).validate(json.loads(body))

    def _closed(self, schema: dict[str, Any]) -> dict[str, Any]:
        # The document leaves room for fields to come; what is answered today is exactly what is documented today.
        schemas = {
            name: each | {"additionalProperties": False} if "properties" in each else each
            for name, each in self._components["schemas"].items()
        }
        return {"schemas": schemas | {"closed": schema}}
