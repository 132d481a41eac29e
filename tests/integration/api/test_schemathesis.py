"""schemathesis over the OpenAPI document, with and without keys: no 5xx, no answer that is not documented."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.api.conftest import SESSIONS, MakeKey

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: It answers 503 where no worker runs, as here, and says so in the document.
NEEDS_WORKERS = {"/readyz"}


@pytest.mark.parametrize("role", ["open", "none", "client", "server", "token"])
def test_any_request_is_answered_as_documented(
    start_app: Callable[..., FlaskClient], make_key: MakeKey, role: str
) -> None:
    key = make_key("client" if role == "client" else "server") if role in ("client", "server", "token") else None
    headers = {} if key is None else key.headers
    client = start_app(auth="required" if role == "none" else "auto", frame_deadline=0.05)
    if role == "token":
        made = client.post(f"{SESSIONS}?token=true", headers=headers).json
        headers = {"Authorization": f"Bearer {made['token']}"}
    schema = schemathesis.openapi.from_wsgi("/openapi.json", client.application)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in NEEDS_WORKERS:
            continue

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def hold(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        hold()
