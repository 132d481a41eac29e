"""The published form of events: CloudEvents 1.0 on one topic exchange; docs/events.md describes it to subscribers.

An event is written to the table `outbox` in the transaction of the change that it reports; this module converts such a row
to a CloudEvent and connects to the broker. No event holds any measure of a face.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kombu import Connection, Exchange, Queue, binding

from shared.db.outbox import Told
from workers.events.following import FollowingTransport

#: The exchange on which events are published; durable, so that it survives a restart of RabbitMQ.
EXCHANGE = Exchange("liveness", type="topic", durable=True)
#: Prefix of an event's type in the outbox: `liveness.session.completed` is a CloudEvent's type and its routing key.
PREFIX = "liveness."
#: Content type of CloudEvents in "structured mode", in which the body is the whole event.
CONTENT_TYPE = "application/cloudevents+json"

#: Seconds that the broker may take to connect or to accept an event; beyond them it counts as unavailable.
BROKER_TIMEOUT = 3.0


def cloud_event(told: Told, source: str) -> dict[str, Any]:
    """The CloudEvent of a row of the outbox: always the same, with the same id, however often it is published.

    source: the name of this service (ISSUER).
    """
    return {
        "specversion": "1.0",
        "id": told.event_id,
        "source": source,
        "type": PREFIX + told.type,
        "subject": told.session_id,
        "time": datetime.fromtimestamp(told.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        # CloudEvents' extension `sequence`: compared as text, it gives the order of a session's events.
        "sequence": f"{told.id:020d}",
        "data": {"session_id": told.session_id, **told.data},
    }


def connect(url: str, *, heartbeat: int = 0) -> Connection:
    """A connection to the broker at EVENTS_URL, opened on first use; not to be shared by threads.

    heartbeat: seconds between AMQP heartbeats, for callers that send them while they wait, as a `ConsumerMixin` does, so
    that a vanished server is noticed; RabbitMQ closes a connection that promises heartbeats and sends none. 0: none.
    """
    if url.startswith(("amqp://", "amqps://")):
        options: dict[str, Any] = {
            "confirm_publish": True,  # an event counts as published once RabbitMQ confirms it
            "read_timeout": 2 * BROKER_TIMEOUT,
            "write_timeout": BROKER_TIMEOUT,
        }
        return Connection(url, connect_timeout=BROKER_TIMEOUT, heartbeat=heartbeat, transport_options=options)
    options = {
        "socket_timeout": 2 * BROKER_TIMEOUT,
        "socket_connect_timeout": BROKER_TIMEOUT,
        # Seconds after which a message that a killed consumer had taken is delivered to another.
        "visibility_timeout": 60,
        # Seconds for which one consumer holds the lock for restoring such messages. If Redis hangs at the lock's release,
        # nobody restores any until the lock expires; kombu's default is 300.
        "unacked_mutex_expire": 20,
    }
    # The address of the server is in the options: kombu itself knows neither all of REDIS_URL's forms nor failover.
    return Connection("redis://", transport=FollowingTransport, transport_options=options | {"address": url})


def durable_queue(name: str, *routing_keys: str) -> Queue:
    """A subscriber's durable queue for events with these routing keys; it keeps them while the subscriber is away."""
    return Queue(name, bindings=[binding(EXCHANGE, routing_key=key) for key in routing_keys], durable=True)
