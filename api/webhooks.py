"""Webhooks: the endpoints that events are delivered to, and their deliveries. For servers alone (see `api.access`)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from api import audit
from api.context import arrived_at
from api.problems import ProblemError, responses
from api.resources import resources
from api.sessions import json_of
from shared.db import UnitOfWork
from shared.db.trail import Action
from shared.db.webhook_secrets import WebhookSecrets
from shared.resolving import resolve
from shared.webhooks import (
    EVENT_TYPES,
    OVERLAP,
    TEST_TYPE,
    Delivery,
    Status,
    Webhook,
    fault_of,
    is_outside,
    new_secret,
)

webhooks = APIBlueprint(
    "webhooks",
    __name__,
    url_prefix="/api/v1/webhooks",
    abp_tags=[Tag(name="Webhooks", description="Events, delivered to an address of yours (docs/webhooks.md).")],
)

#: Webhooks that there may be: each event is checked for each of them.
MOST = 50

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_Url = Annotated[
    str,
    Field(
        max_length=2000,
        description="The address that events are sent to: https://…",
        examples=["https://example.org/events"],
    ),
]
_Types = Annotated[
    list[str],
    Field(
        max_length=20,
        description="Types of events to deliver; an empty list means all.",
        examples=[["liveness.session.completed"]],
    ),
]


def _known(types: list[str] | None) -> list[str] | None:
    if unknown := [name for name in types or [] if name not in EVENT_TYPES]:
        raise PydanticCustomError(
            "types", "{unknown} is not one of {all}", {"unknown": unknown[0], "all": ", ".join(EVENT_TYPES)}
        )
    return types


class WebhookPath(BaseModel):
    """The webhook in the path."""

    webhook_id: str = Field(description="The id from the webhook's creation.")


class DeliveryPath(WebhookPath):
    """The delivery in the path."""

    delivery_id: str = Field(description="The id from the list of deliveries.")


class NewWebhook(BaseModel):
    """A webhook to create."""

    model_config = ConfigDict(extra="forbid")

    url: _Url
    types: _Types = []

    check_types = field_validator("types")(_known)


class WebhookChange(BaseModel):
    """The changes to a webhook; what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")

    url: _Url | None = None
    types: _Types | None = None
    enabled: bool | None = Field(
        None,
        strict=True,
        description="Whether events are delivered. true resumes waiting deliveries, and enables a disabled webhook.",
    )

    check_types = field_validator("types")(_known)


class WebhookView(BaseModel):
    """A webhook."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    url: str
    types: list[str] = Field(description="Types of events that are delivered; an empty list means all.")
    enabled: bool
    disabled_reason: Literal["gone", "failing"] | None = Field(
        description="Why the service has disabled the webhook: gone (it answered 410) or failing (no delivery succeeded for "
        "five days); null if the service has not."
    )
    failing_since: float | None = Field(description="Since when no delivery has succeeded; null while they do.")
    paused_until: float | None = Field(
        description="Until when the webhook is not called, because too many calls in a row have failed; then one call tries "
        "whether it answers again. null while it is called."
    )
    created_at: float


class WebhookMade(WebhookView):
    """A webhook with its secret."""

    secret: str = Field(description="The secret that signs deliveries (Standard Webhooks); shown only once.")


class WebhookList(BaseModel):
    """All webhooks."""

    webhooks: list[WebhookView]


class DeliveryView(BaseModel):
    """The delivery of an event to a webhook."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    event: dict[str, Any] = Field(description="The CloudEvent, as it is sent.")
    status: Status
    attempts: int
    created_at: float
    next_at: float | None = Field(description="When the next attempt is due; null if there is none.")
    last_at: float | None = Field(description="When the latest attempt was made.")
    last_status: int | None = Field(description="The HTTP status of the latest answer; null if there was no answer.")
    last_error: str | None = Field(description="Why the latest attempt failed.")


class DeliveryList(BaseModel):
    """The newest deliveries of a webhook, at most 100."""

    deliveries: list[DeliveryView]


class Sent(BaseModel):
    """The event that is being sent."""

    event_id: str


class WebhookDeleted(BaseModel):
    """The answer to a deletion."""

    deleted: str


@webhooks.post(
    "",
    operation_id="create_webhook",
    responses=responses(WebhookMade, "invalid_parameter", "webhook_url", "too_many_webhooks", "database_unavailable"),
)
def create_webhook(body: NewWebhook) -> Response:
    """Create a webhook.

    The answer holds the secret that signs its deliveries; the secret is not shown again.
    """
    _refuse_bad_url(body.url)
    webhook = Webhook(str(uuid4()), body.url, body.types, new_secret(), arrived_at())
    stored = replace(webhook, secret=_seals().seal(webhook.id, webhook.secret))
    with UnitOfWork(resources().engine) as uow:
        if len(uow.webhooks.all()) >= MOST:
            raise ProblemError("too_many_webhooks")
        uow.webhooks.add(stored)
        uow.trail.add(audit.entry(Action.WEBHOOK_CREATED, target=webhook.id))
        uow.commit()
    return json_of(WebhookMade.model_validate(webhook))


@webhooks.get("", operation_id="list_webhooks", responses=responses(WebhookList, "database_unavailable"))
def list_webhooks() -> Response:
    """List the webhooks."""
    with UnitOfWork(resources().engine, read_only=True) as uow:
        found = uow.webhooks.all()
    return json_of(WebhookList(webhooks=[WebhookView.model_validate(webhook) for webhook in found]))


@webhooks.get(
    "/<webhook_id>",
    operation_id="get_webhook",
    responses=responses(WebhookView, "webhook_not_found", "database_unavailable"),
)
def get_webhook(path: WebhookPath) -> Response:
    """Get a webhook."""
    with UnitOfWork(resources().engine, read_only=True) as uow:
        return json_of(WebhookView.model_validate(_find(uow, path.webhook_id)))


@webhooks.patch(
    "/<webhook_id>",
    operation_id="change_webhook",
    responses=responses(WebhookView, "invalid_parameter", "webhook_url", "webhook_not_found", "database_unavailable"),
)
def change_webhook(path: WebhookPath, body: WebhookChange) -> Response:
    """Change a webhook, or enable it again."""
    changes = body.model_dump(exclude_none=True)
    if body.url is not None:
        _refuse_bad_url(body.url)
    if body.enabled:
        changes |= {"disabled_reason": None, "failing_since": None}
    if body.enabled or body.url is not None:
        changes |= {"paused_until": None, "failures": 0}
    with UnitOfWork(resources().engine) as uow:
        _find(uow, path.webhook_id)
        if changes:
            uow.webhooks.change(path.webhook_id, **changes)
            uow.trail.add(audit.entry(Action.WEBHOOK_CHANGED, target=path.webhook_id))
        webhook = _find(uow, path.webhook_id)
        uow.commit()
    return json_of(WebhookView.model_validate(webhook))


@webhooks.delete(
    "/<webhook_id>",
    operation_id="delete_webhook",
    responses=responses(WebhookDeleted, "webhook_not_found", "database_unavailable"),
)
def delete_webhook(path: WebhookPath) -> Response:
    """Delete a webhook, with its deliveries."""
    with UnitOfWork(resources().engine) as uow:
        _find(uow, path.webhook_id)
        uow.webhooks.delete(path.webhook_id)
        uow.trail.add(audit.entry(Action.WEBHOOK_DELETED, target=path.webhook_id))
        uow.commit()
    return json_of(WebhookDeleted(deleted=path.webhook_id))


@webhooks.post(
    "/<webhook_id>/secret",
    operation_id="rotate_webhook_secret",
    responses=responses(WebhookMade, "webhook_not_found", "database_unavailable"),
)
def rotate_secret(path: WebhookPath) -> Response:
    """Give a webhook a new secret.

    For a day deliveries are signed with the former secret as well; never with more than the latest two.
    """
    seals, secret = _seals(), new_secret()
    stored = seals.seal(path.webhook_id, secret)  # before the unit of work: it may make the root secret in another one
    with UnitOfWork(resources().engine) as uow:
        before = _find(uow, path.webhook_id)
        uow.webhooks.change(
            path.webhook_id,
            secret=stored,
            former_secret=before.secret,
            former_until=arrived_at() + OVERLAP,
        )
        uow.trail.add(audit.entry(Action.WEBHOOK_SECRET_ROTATED, target=path.webhook_id))
        webhook = _find(uow, path.webhook_id)
        uow.commit()
    return json_of(WebhookMade.model_validate(replace(webhook, secret=secret)))


@webhooks.post(
    "/<webhook_id>/test",
    operation_id="test_webhook",
    responses=responses(Sent, "webhook_not_found", "database_unavailable"),
)
def test_webhook(path: WebhookPath) -> Response:
    """Send a test event, whatever types the webhook is for."""
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": resources().settings.issuer,
        "type": TEST_TYPE,
        "time": datetime.fromtimestamp(arrived_at(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {"webhook_id": path.webhook_id},
    }
    with UnitOfWork(resources().engine) as uow:
        _find(uow, path.webhook_id)
        uow.webhooks.send(path.webhook_id, event, arrived_at())
        uow.webhooks.change(path.webhook_id, paused_until=None)
        uow.commit()
    return json_of(Sent(event_id=str(event["id"])))


@webhooks.get(
    "/<webhook_id>/deliveries",
    operation_id="list_deliveries",
    responses=responses(DeliveryList, "webhook_not_found", "database_unavailable"),
)
def list_deliveries(path: WebhookPath) -> Response:
    """List the deliveries of a webhook, the newest first."""
    with UnitOfWork(resources().engine, read_only=True) as uow:
        _find(uow, path.webhook_id)
        found = uow.webhooks.deliveries(path.webhook_id, 100)
    return json_of(DeliveryList(deliveries=[DeliveryView.model_validate(delivery) for delivery in found]))


@webhooks.post(
    "/<webhook_id>/deliveries/<delivery_id>/redeliver",
    operation_id="redeliver",
    responses=responses(Sent, "webhook_not_found", "delivery_not_found", "database_unavailable"),
)
def redeliver(path: DeliveryPath) -> Response:
    """Deliver an event again, at once, with the same id."""
    with UnitOfWork(resources().engine) as uow:
        _find(uow, path.webhook_id)
        delivery: Delivery | None = None
        if _ID.fullmatch(path.delivery_id):
            delivery = uow.webhooks.delivery(path.delivery_id)
        if delivery is None or delivery.webhook_id != path.webhook_id:
            raise ProblemError("delivery_not_found")
        uow.webhooks.again(delivery.id, arrived_at())
        uow.webhooks.change(path.webhook_id, paused_until=None)
        uow.commit()
    return json_of(Sent(event_id=str(delivery.event["id"])))


def _find(uow: UnitOfWork, webhook_id: str) -> Webhook:
    webhook = uow.webhooks.get(webhook_id) if _ID.fullmatch(webhook_id) else None
    if webhook is None:
        raise ProblemError("webhook_not_found")
    return webhook


def _seals() -> WebhookSecrets:
    deps = resources()
    return WebhookSecrets(lambda: deps.engine, deps.settings.token_secret)


def _refuse_bad_url(url: str) -> None:
    """Raise `webhook_url` by what the host resolves to now, if it does; each delivery checks again."""
    private = resources().settings.webhooks_private
    fault = fault_of(url, private=private)
    if fault is None and not private:
        try:
            found = resolve(urlsplit(url).hostname or "", None)
        except (OSError, UnicodeError):
            found = []  # not in the DNS yet, not seen from here, or not in time
        if not all(is_outside(address) for address in found):
            fault = "must not lead to an address inside the network"
    if fault is not None:
        raise ProblemError("webhook_url", f"The URL {fault}.")
