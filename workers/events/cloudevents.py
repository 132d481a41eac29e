"""Events as they are published: CloudEvents 1.0, on one topic exchange. docs/events.md is this for subscribers.

What happened stands in the table `outbox`, written together with the change itself; here it gets the form in which others
read it. Nothing in it tells anything of a face.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kombu import Connection, Exchange, Queue, binding

from shared.db.outbox import Told

#: Where events are published. Durable: it is there again when RabbitMQ has been started again.
EXCHANGE = Exchange("liveness", type="topic", durable=True)
#: Before an event's type in the outbox: `liveness.session.completed` is both the CloudEvent's type and its routing key.
PREFIX = "liveness."
#: CloudEvents in "structured mode": the body is the whole event.
CONTENT_TYPE = "application/cloudevents+json"

#: Seconds that the broker may take to connect, or to take an event, before it is taken to be away.
BROKER_TIMEOUT = 3.0


def cloud_event(told: Told, source: str) -> dict[str, Any]:
    """The event for everyone: the same, with the same id, however often it is published."""
    return {
        "specversion": "1.0",
        "id": told.event_id,
        "source": source,
        "type": PREFIX + told.type,
        "subject": told.session_id,
        "time": datetime.fromtimestamp(told.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        # CloudEvents' extension `sequence`: compared as text, it says which of two events of a session came first.
        "sequence": f"{told.id:020d}",
        "data": {"session_id": told.session_id, **told.data},
    }


def connect(url: str, *, heartbeat: int = 0) -> Connection:
    """A connection to the broker that EVENTS_URL names, opened when it is first used. Not to be shared by threads.

    heartbeat: seconds between signs of life, for whoever gives them while it waits, as a `ConsumerMixin` does; else a server
    that is gone without a word would be waited for for ever. RabbitMQ hangs up on who promises them and gives none.
    """
    if url.startswith(("amqp://", "amqps://")):
        options: dict[str, Any] = {
            "confirm_publish": True,  # an event counts as published when RabbitMQ says that it has it
            "read_timeout": 2 * BROKER_TIMEOUT,
            "write_timeout": BROKER_TIMEOUT,
        }
        return Connection(url, connect_timeout=BROKER_TIMEOUT, heartbeat=heartbeat, transport_options=options)
    options = {
        "socket_timeout": 2 * BROKER_TIMEOUT,
        "socket_connect_timeout": BROKER_TIMEOUT,
        # Seconds after which a message that a killed consumer had taken is given to another.
        "visibility_timeout": 60,
        # Seconds for which one consumer alone looks for such messages. A Redis that hangs when it lets go of that keeps it
        # for the rest of them, and nobody looks; kombu's own are 300.
        "unacked_mutex_expire": 20,
    }
    # kombu's own word for Redis on a socket of this machine.
    return Connection(url.replace("unix://", "redis+socket://", 1), transport_options=options)


def durable_queue(name: str, *routing_keys: str) -> Queue:
    """A queue of a subscriber's own, for events of these kinds; it keeps them while the subscriber is away."""
    return Queue(name, bindings=[binding(EXCHANGE, routing_key=key) for key in routing_keys], durable=True)
