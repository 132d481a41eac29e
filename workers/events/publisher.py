"""Publishes events to the broker, one after the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kombu import Connection, Producer, Queue

from workers.events.cloudevents import BROKER_TIMEOUT, CONTENT_TYPE, EXCHANGE, connect


class Publisher:
    """A publisher with one connection, opened on first use and again after an error. For one thread."""

    def __init__(self, url: str, queues: Sequence[Queue] = ()) -> None:
        """queues: queues of subscribers, to be declared before anything is published."""
        self._url = url
        self._queues = queues
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    def prepare(self) -> None:
        """Declare the exchange and the queues: a restarted Redis may have lost the subscriptions.

        Raises the transport's error if the broker is unavailable.
        """
        try:
            channel = self._open().channel
            EXCHANGE(channel).declare()
            for queue in self._queues:
                queue(channel).declare()
        except BaseException:
            self.close()
            raise

    def publish(self, event: dict[str, Any]) -> None:
        """Publish an event; return once RabbitMQ has confirmed it, or Redis has put it into each subscriber's queue.

        Raises the transport's error if that is not certain; the event may have been published all the same.
        """
        try:
            self._open().publish(
                json.dumps(event, separators=(",", ":"), ensure_ascii=False),
                exchange=EXCHANGE,
                routing_key=event["type"],
                content_type=CONTENT_TYPE,
                content_encoding="utf-8",
                delivery_mode="persistent",
                message_id=event["id"],
                confirm_timeout=BROKER_TIMEOUT,
            )
        except BaseException:
            self.close()  # a late confirmation on this connection must not count for another event
            raise

    def close(self) -> None:
        """Close the connection if one is open."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            with suppress(*connection.connection_errors, *connection.channel_errors):  # it may be broken
                connection.release()

    def _open(self) -> Producer:
        if self._producer is None:
            self._connection = connect(self._url)
            self._producer = Producer(self._connection.channel())
        return self._producer
