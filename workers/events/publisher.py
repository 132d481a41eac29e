"""Gives events to the broker, one after the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kombu import Connection, Producer, Queue

from workers.events.cloudevents import BROKER_TIMEOUT, CONTENT_TYPE, EXCHANGE, connect


class Publisher:
    """One connection, opened when it is first needed, and again after an error. For one thread."""

    def __init__(self, url: str, queues: Sequence[Queue] = ()) -> None:
        """queues: subscribers' own that must be there before anything is published."""
        self._url = url
        self._queues = queues
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    def prepare(self) -> None:
        """See to it that exchange and queues are there: a Redis that was started again may have forgotten who subscribes.

        Raises, whatever the transport raises, where the broker is away.
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
        """Returns when the broker has the event: RabbitMQ confirms it, Redis has put it into each subscriber's queue.

        Raises, whatever the transport raises, where that is not certain; the event may be there all the same.
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
            self.close()  # what is under way on it belongs to nobody
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            with suppress(*connection.connection_errors, *connection.channel_errors):  # it may be broken
                connection.release()

    def _open(self) -> Producer:
        if self._producer is None:
            self._connection = connect(self._url)
            self._producer = Producer(self._connection.channel())
        return self._producer
