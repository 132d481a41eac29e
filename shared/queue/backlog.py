"""How many messages wait in a queue, and since when: over Redis and RabbitMQ alike, without taking one."""

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
    """What waits for a worker; what a worker has in hand does not."""

    length: int
    #: When the message that will be taken next was sent, in seconds since the epoch.
    oldest_at: float | None = None


def look(broker: Broker, queue: str) -> Backlog:
    """Look at a queue. Raises what the broker's client raises while it is away."""
    if isinstance(broker, RabbitmqBroker):
        return _look_at_rabbitmq(broker, queue)
    if isinstance(broker, RedisBroker):
        return _look_at_redis(broker, queue)
    raise TypeError(f"a broker of an unknown kind: {type(broker).__name__}")


def _look_at_redis(broker: RedisBroker, queue: str) -> Backlog:
    """Dramatiq's keys are told at the head of its dispatch.lua: a list of ids, the first to be taken first, and a hash."""
    key = f"{broker.namespace}:{queue}"
    pipe = broker.client.pipeline(transaction=False)
    pipe.llen(key)
    pipe.lindex(key, 0)
    length, first = pipe.execute()
    data = cast("bytes | None", broker.client.hget(f"{key}.msgs", first)) if first is not None else None
    return Backlog(length, _sent_at(data))


def _look_at_rabbitmq(broker: RabbitmqBroker, queue: str) -> Backlog:
    """The first message is taken and put back where it was: AMQP has no other way to see it."""
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
        return Backlog(0)  # nobody has declared it yet
    finally:
        with suppress(Exception):  # it is closed already where the server did so
            channel.close()


def _sent_at(data: bytes | None) -> float | None:
    if data is None:
        return None
    with suppress(DecodeError, msgspec.MsgspecError):
        message: Message[Any] = Message.decode(data)
        return message.message_timestamp / 1000
    return None
