"""The API's documentation: /openapi.json, made from the schemas that validate, and /docs, a page made from that document.

The page is a template and not Swagger UI: it needs no script, so that its Content-Security-Policy can forbid all scripts
and all other hosts.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app, json, render_template, request
from flask_openapi import OpenAPI
from flask_openapi.models import SecurityScheme
from markupsafe import escape

from api.access import ACTS, GUARDED, MAY, Who
from api.problems import KINDS, documented
from api.schemas import ENDED
from shared.liveness import observation

docs = Blueprint("docs", __name__)

#: Content-Security-Policy of the page: our own stylesheet and nothing else.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: Stands for the service's address in the page that is kept; no template, schema or problem contains it.
_ROOT = "\N{OBJECT REPLACEMENT CHARACTER}"

#: How a caller identifies itself, for the OpenAPI document.
SECURITY_SCHEMES: dict[str, SecurityScheme | dict[str, Any]] = {
    "key": SecurityScheme(
        type="http",
        scheme="bearer",
        description="An API key. It is required once the operator has made the first one (`ops/keys create`), or from the "
        "beginning with AUTH=required.",
    ),
    "token": SecurityScheme(
        type="http",
        scheme="bearer",
        bearerFormat="JWT",
        description="The token of one session, given by its creation with token=true; valid for that session only.",
    ),
}
#: Ids of the operations that a session's token allows.
_BY_TOKEN = {endpoint.rpartition(".")[2] for endpoint, act in ACTS.items() if act in MAY[Who.SESSION]}


@docs.get("/openapi.json")
def openapi_json() -> Response:
    """The OpenAPI document."""
    made = current_app.extensions.get("openapi_text")
    if made is None:
        made = current_app.extensions["openapi_text"] = json.dumps(document())
    return Response(made, content_type="application/json")


@docs.get("/docs")
def page() -> Response:
    """The documentation page, made once but for the service's address in its examples."""
    html = current_app.extensions.get("docs_page")
    if html is None:
        html = current_app.extensions["docs_page"] = render_template(
            "docs.html", document=document(), problems=KINDS.values(), root=_ROOT, resolve=_resolve
        )
    response = Response(
        html.replace(_ROOT, escape(request.host_url.rstrip("/"))), content_type="text/html; charset=utf-8"
    )
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def document() -> dict[str, Any]:
    """The OpenAPI document of the current app, made once."""
    app = cast("OpenAPI", current_app)
    made: dict[str, Any] | None = app.extensions.get("openapi_document")
    if made is None:
        made = app.extensions["openapi_document"] = _tidied(app.api_doc)
    return made


def _tidied(made: dict[str, Any]) -> dict[str, Any]:
    """The document without what flask-openapi adds wrongly, with plain text for the HTML that it makes of docstrings."""
    for item in made["paths"].values():
        for operation in item.values():
            operation["summary"] = operation["summary"].rstrip(".")
            operation["description"] = operation.get("description", "").replace("<br/>", " ").strip()
            # flask-openapi adds a 422 to operations that have none.
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    _document_access(made)
    schemas = made["components"]["schemas"]
    for schema in schemas.values():
        schema.pop("$defs", None)  # each definition is a component, too, and is referred to as one
    # What a client compares with (ops/run/codes.py makes the files of our own clients from these).
    schemas["State"]["x-ended"] = list(ENDED)
    schemas["HintView"]["properties"]["code"]["x-unusable"] = list(observation.Problem)
    schemas["Problem"]["properties"]["code"]["x-codes"] = list(KINDS)
    return made


def _document_access(made: dict[str, Any]) -> None:
    """Document for every call what `api.access` and `api.open_mode` do before it."""
    anywhere = ("host_not_allowed", "peer_not_allowed")
    refusals = documented(
        "key_missing",
        "key_unknown",
        "token_unknown",
        "token_expired",
        "forbidden",
        "other_session",
        "too_many_refusals",
        "other_browser",
        *anywhere,
    )
    for path, item in made["paths"].items():
        if path == "/.well-known/jwks.json":
            item["get"]["responses"] |= {str(status): answer for status, answer in documented(*anywhere).items()}
        elif path.startswith(GUARDED):
            for operation in item.values():
                operation["security"] = [{}, {"key": []}]
                if operation["operationId"] in _BY_TOKEN:
                    operation["security"].append({"token": []})
                for status, answer in refusals.items():
                    own = operation["responses"].get(str(status))
                    also = (
                        answer
                        if own is None
                        else own | {"description": f"{own['description']}; {answer['description']}"}
                    )
                    operation["responses"][str(status)] = also
                operation["responses"] = dict(sorted(operation["responses"].items()))


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference points to, for the page."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = document()["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return found
