"""Measures a queue's backlog: how many messages wait, and since when. The same for Redis and RabbitMQ."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from dramatiq import Broker, Message
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import DecodeError
from pika.exceptions import ChannelClosedByBroker


@dataclass(frozen=True, slots=True)
class Backlog:
    """The messages of a queue that wait for a worker; those that a worker has taken do not count."""

    length: int
    #: Time at which the next message to be taken was sent, in seconds since the epoch; None if none waits.
    oldest_at: float | None = None


def look(broker: Broker, queue: str) -> Backlog:
    """Measure the backlog of a queue. Raises the client library's error if the broker is unavailable."""
    if isinstance(broker, RabbitmqBroker):
        return _look_at_rabbitmq(broker, queue)
    if isinstance(broker, RedisBroker):
        return _look_at_redis(broker, queue)
    raise TypeError(f"a broker of an unknown kind: {type(broker).__name__}")


def _look_at_redis(broker: RedisBroker, queue: str) -> Backlog:
    """Read dramatiq's list of ids, oldest first, and its hash of messages, which its dispatch.lua describes."""
    key = f"{broker.namespace}:{queue}"
    pipe = broker.client.pipeline(transaction=False)
    pipe.llen(key)
    pipe.lindex(key, 0)
    length, first = pipe.execute()
    data = cast("bytes | None", broker.client.hget(f"{key}.msgs", first)) if first is not None else None
    return Backlog(length, _sent_at(data))


def _look_at_rabbitmq(broker: RabbitmqBroker, queue: str) -> Backlog:
    """Take the first message and put it back in its place: AMQP has no other way to read it."""
    channel: Any = broker.connection.channel()
    try:
        length: int = channel.queue_declare(queue, passive=True).method.message_count
        if length == 0:
            return Backlog(0)
        method, _, body = channel.basic_get(queue)
        if method is None:
            return Backlog(0)
        channel.basic_nack(method.delivery_tag, requeue=True)
        return Backlog(length, _sent_at(body))
    except ChannelClosedByBroker:
        return Backlog(0)  # the queue has not been declared yet
    finally:
        with suppress(Exception):  # the server may have closed it already
            channel.close()


def _sent_at(data: bytes | None) -> float | None:
    if data is None:
        return None
    with suppress(DecodeError, msgspec.MsgspecError):
        message: Message[Any] = Message.decode(data)
        return message.message_timestamp / 1000
    return None
