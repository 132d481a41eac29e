"""The HTTP API: checks requests, keeps sessions, passes frames on to workers and answers. It never decodes a picture."""

from __future__ import annotations

from flask_openapi import Info, OpenAPI

from api import access, bodies, context, headers, limits, metrics, open_mode, problems, strictness, tracing
from api.docs import SECURITY_SCHEMES, docs
from api.evidence import evidence
from api.frames import frames, refuse_unasked
from api.guide import guide
from api.health import health
from api.lab import lab, lab_page
from api.pages import pages
from api.portraits import portraits
from api.resources import Resources
from api.schemas import Problem
from api.serving.door import Door
from api.sessions import sessions
from api.uploads import body_limit
from api.verdicts import verdicts
from api.webhooks import webhooks
from shared.settings import Settings, load_settings_or_exit

VERSION = "0.1.0"

_INFO = Info(
    title="Active face liveness",
    version=VERSION,
    summary="The user performs random actions in front of the camera, and so proves to be a real, live person.",
    license={"name": "Apache-2.0", "identifier": "Apache-2.0"},
)


def create_app(settings: Settings | None = None) -> OpenAPI:
    """Create the web application. Connects to nothing: each process connects when it first needs to.

    settings: by default those of the environment.
    """
    settings = settings or load_settings_or_exit()
    app = OpenAPI(
        __name__,
        info=_INFO,
        security_schemes=SECURITY_SCHEMES,
        doc_ui=False,  # api.docs serves the document, and a page without scripts
        validation_error_model=Problem,
        validation_error_callback=problems.refuse_parameters,
    )
    # pydantic's JSON Schema is OpenAPI 3.1's; most tools do not read flask-openapi's 3.2 yet.
    app.openapi_version = "3.1.0"
    app.config["MAX_CONTENT_LENGTH"] = body_limit(settings)
    app.extensions["resources"] = Resources(settings)
    tracing.install(app, settings)
    context.install(app)
    app.before_request(refuse_unasked)  # before access looks at keys
    open_mode.install(app)
    headers.install(app, settings)
    problems.install(app)
    bodies.install(app)
    metrics.install(app, app.extensions["resources"])
    access.install(app)
    limits.install(app)
    strictness.install(app)  # after access: a stranger is told that first
    for blueprint in (sessions, frames, evidence, portraits, verdicts, webhooks, health):
        app.register_api(blueprint)
    app.extensions["door"] = Door(app)
    app.register_blueprint(docs)
    app.register_blueprint(guide)
    app.register_blueprint(pages)
    if settings.lab:
        app.register_api(lab)
        app.register_blueprint(lab_page)
    return app
