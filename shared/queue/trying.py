"""Tries whether the queue takes messages, and says in words why it does not."""

from __future__ import annotations

from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from pika.exceptions import ConnectionBlockedTimeout, ProbableAccessDeniedError, ProbableAuthenticationError
from redis.exceptions import RedisError

from shared.queue.messages import FRAMES
from shared.redis import trying

#: A routing key that no queue has: RabbitMQ drops the message.
_NOWHERE = "liveness.nowhere"


def try_to_send(broker: Broker) -> None:
    """Send what reaches nobody, and ask for the queue of frames. Raises the client library's error."""
    if isinstance(broker, RabbitmqBroker):
        try:
            # With an alarm RabbitMQ reads no more from a connection that has published something, and so answers no more.
            broker.channel.basic_publish(exchange="", routing_key=_NOWHERE, body=b"")
            broker.channel.exchange_declare("amq.direct", passive=True)
            # Marked as undeclared, the queue is declared again: this asks the server, on this thread's connection.
            broker.queues_pending.add(FRAMES)
            broker.declare_queue(FRAMES, ensure=True)
        except Exception:
            del broker.connection  # this thread's, so that its next use connects again
            raise
    elif isinstance(broker, RedisBroker):
        trying.try_to_write(broker.client)


def what_ails(error: BaseException) -> str:
    """The end of a sentence that begins with the queue, such as "is full …"; holds nothing that the server said."""
    if isinstance(error, RedisError):
        return trying.what_ails(error)
    causes = _causes(error)
    if any(isinstance(cause, ConnectionBlockedTimeout) for cause in causes):
        return "takes no messages: RabbitMQ has an alarm, for want of memory or disk"
    if any(isinstance(cause, ProbableAuthenticationError | ProbableAccessDeniedError) for cause in causes):
        return "refuses the user, the password or the virtual host"
    return "does not answer"


def _causes(error: BaseException) -> list[BaseException]:
    """The error, those that it was made of, and those that it followed."""
    found = [error, *(cause for cause in error.args if isinstance(cause, BaseException))]
    behind = error.__cause__ or error.__context__
    return found if behind is None else found + _causes(behind)
