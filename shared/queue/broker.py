"""The queue's brokers: dramatiq over Redis, or over RabbitMQ if QUEUE_URL begins with amqp.

dramatiq's own Redis consumer polls with growing pauses, so an idle queue is slow to deliver. Ours sleeps in Redis instead,
in a blocking pop on a list of tokens beside the queue, and wakes up at once (docs/adr/0002). RabbitMQ wakes its consumers
itself.

Consumers of both take one message at a time (prefetch 1), so that no message waits in a busy worker's memory while another
worker is idle. Deliveries of webhooks, which mostly wait for their endpoints, are taken AT_ONCE at a time, one for each
thread.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import msgspec
import redis
from dramatiq import Broker, Consumer, Message, MessageProxy, Middleware, set_encoder
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import MAINTENANCE_SCALE, RedisBroker, _RedisConsumer
from dramatiq.common import q_name
from dramatiq.encoder import Encoder, MessageData
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import SkipMessage, TimeLimit
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPConnectionError

from shared.queue.messages import WEBHOOK_CALLS, WEBHOOKS
from shared.redis import keyspace
from shared.redis.client import CONNECT_TIMEOUT, make_redis
from shared.redis.timekeeping import now
from shared.settings import Settings
from shared.telemetry import tracing
from shared.telemetry.correlation import Correlation
from shared.telemetry.metrics.messages import Metering

_Args = ParamSpec("_Args")
_Reply = TypeVar("_Reply")

#: Messages that a process takes at the same time, by queue; of all other queues one.
AT_ONCE = {WEBHOOKS: WEBHOOK_CALLS}

#: Milliseconds without a heartbeat after which a worker process counts as dead and its messages go to another: less than a
#: frame's deadline. A worker that was only slow has its message processed twice, which is harmless: a frame id counts once.
HEARTBEAT_TIMEOUT = 2500

#: Milliseconds for which dramatiq keeps a message that could not be processed.
DEAD_MESSAGE_TTL = 24 * 3600 * 1000

#: Seconds that an idle consumer sleeps at a time; in between it sends a heartbeat and checks whether it must stop.
IDLE = 1.0

#: A Lua script around dramatiq's own dispatch.lua, which is unchanged, so that a message and its wake-up token are written
#: in one round trip. A token is pushed for each message, but never more tokens than messages wait. A fetch that leaves the
#: queue empty deletes the remaining tokens; one that leaves messages behind makes sure that there is a token, since several
#: messages may have returned at once from a dead worker.
#:
#: ARGV[2] is the caller's time, by which heartbeats are compared. It is replaced by Redis' time, since a host whose clock is
#: a few seconds ahead would count all others as dead, and hand out their messages again and again.
#:
#: ARGV[9…] are the arguments of dispatch.lua's commands, with these additions:
#: - "enqueue" ends with "producer" if the caller takes no messages. dispatch.lua notes a heartbeat for every caller, and
#:   maintenance would search the whole database (KEYS) for unfinished messages of each web process that was silent a moment.
#: - "ack" goes on with the number of messages that the caller takes next, which are fetched in the same round trip.
#: - "ack", after that number, and "fetch" end with the ids of all messages of the queue that the caller's process works on
#:   (or "none"). Any other message that was handed to the process got lost, because Redis hung or the connection broke, and
#:   returns to the queue; dramatiq would leave it until the worker ends.
_WAKING_DISPATCH = """
local function dispatch()
%(dispatch)s
end
local time = redis.call("time")
ARGV[2] = string.format("%%d", time[1] * 1000 + math.floor(time[2] / 1000))
local command, queue = ARGV[1], KEYS[1] .. ":" .. ARGV[3]
local function take_back(known)
    local handed_out = KEYS[1] .. ":__acks__." .. ARGV[4] .. "." .. ARGV[3]
    for _, id in ipairs(redis.call("smembers", handed_out)) do
        if not known[id] then
            redis.call("srem", handed_out, id)
            if redis.call("hexists", queue .. ".msgs", id) == 1 then
                redis.call("lpush", queue, id)
            end
        end
    end
end
local function ids_from(first)
    local ids = {}
    for i = first, #ARGV do
        ids[ARGV[i]] = true
    end
    return ids
end
if command == "fetch" and ARGV[10] then
    take_back(ids_from(10))
end
local reply = dispatch()
if command == "ack" and ARGV[10] then
    command, ARGV[1], ARGV[7], ARGV[9] = "fetch", "fetch", "1", ARGV[10]
    take_back(ids_from(11))
    reply = dispatch()
end
if command == "enqueue" or command == "requeue" then
    if redis.call("llen", queue .. ".wake") < redis.call("llen", queue) then
        redis.call("rpush", queue .. ".wake", "1")
    end
    redis.call("expire", queue .. ".wake", "%(ttl)d")
    if command == "enqueue" and ARGV[11] == "producer" then
        redis.call("zrem", KEYS[1] .. ":__heartbeats__", ARGV[4])
    end
elseif command == "fetch" then
    if redis.call("exists", queue) == 0 then
        redis.call("del", queue .. ".wake")
    elseif redis.call("exists", queue .. ".wake") == 0 then
        redis.call("rpush", queue .. ".wake", "1")
        redis.call("expire", queue .. ".wake", "%(ttl)d")
    end
end
return reply
"""


class WakingRedisBroker(RedisBroker):
    """dramatiq's Redis broker, with consumers that are woken up instead of polling."""

    def __init__(self, *, client: redis.Redis, middleware: Sequence[Middleware]) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=client,
            middleware=list(middleware),
            # Maintenance at every command costs two look-ups in nearly empty sorted sets, and any worker's next fetch
            # finds the message of a killed worker.
            maintenance_chance=MAINTENANCE_SCALE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            dead_message_ttl=DEAD_MESSAGE_TTL,
        )
        self._consumes = False
        #: Redis ids of the messages that this process works on, by queue; only for queues with a prefetch of 1.
        self.at_work: defaultdict[str, set[str]] = defaultdict(set)
        stock = self.scripts["dispatch"].script
        text = stock.decode() if isinstance(stock, bytes) else stock
        self.scripts["dispatch"] = client.register_script(
            _WAKING_DISPATCH % {"dispatch": text, "ttl": keyspace.WAKE_TTL}
        )

    @property
    def consumer_class(self) -> type[WakingConsumer]:
        """The class of the consumers that `consume` makes."""
        return WakingConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Make a consumer of a queue; prefetch is limited by `_prefetch`."""
        self._consumes = True
        return super().consume(queue_name, _prefetch(queue_name, prefetch), timeout)

    def do_enqueue(self, queue_name: str, message_id: str, data: bytes) -> None:
        """Put a message into its queue and wake up a worker."""
        self._dispatch("enqueue")(  # type: ignore[no-untyped-call]
            queue_name, message_id, data, "worker" if self._consumes else "producer"
        )

    def close(self) -> None:
        """Close the connections to Redis."""
        self.client.close()


class WakingConsumer(_RedisConsumer):
    """A consumer that takes messages from a queue, and sleeps in Redis while there are none."""

    def __init__(self, broker: WakingRedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._wake = keyspace.wake(broker.namespace, queue_name)
        self._room = threading.Event()
        #: Whether the consumer takes one message at a time.
        self._alone = prefetch == 1

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge a message, called by the thread that worked on it; fetches the next one in the same round trip.

        The next one is fetched only with a prefetch of 1: then the consumer's own thread waits and touches nothing.
        """
        redis_id, more = message.options["redis_message_id"], []
        if self._alone:
            more = [self.prefetch - self.outstanding_message_count + 1, *self._at_work(without=redis_id)]
        try:
            fetched = _as_closed(self.broker.do_ack, self.queue_name, redis_id, *more)
            self.broker.at_work[self.queue_name].discard(redis_id)
            if self._alone:
                self._keep(fetched)
        finally:
            self.queued_message_ids.discard(message.message_id)
            self._room.set()

    def nack(self, message: MessageProxy) -> None:
        """Reject a message, called by the thread that worked on it."""
        try:
            _as_closed(super().nack, message)
            self.broker.at_work[self.queue_name].discard(message.options["redis_message_id"])
        finally:
            self._room.set()

    def __next__(self) -> MessageProxy | None:
        """The next message, or None if there is none within IDLE seconds."""
        # Cleared before the count is read, so that an ack in between is not missed.
        self._room.clear()
        if self.outstanding_message_count >= self.prefetch and not self.message_cache:
            self._room.wait(IDLE)
            if not self.message_cache:
                return None
        data = _as_closed(self._fetch)
        if data is None:
            return None
        message: Message[Any] = Message.decode(data)
        self.queued_message_ids.add(message.message_id)
        if self._alone:
            self.broker.at_work[self.queue_name].add(message.options["redis_message_id"])
        return MessageProxy(message)

    def _fetch(self) -> bytes | None:
        if not self.message_cache:
            room = self.prefetch - self.outstanding_message_count
            self._keep(self.broker.do_fetch(self.queue_name, room, *(self._at_work() if self._alone else ())))
        if self.message_cache:
            data: bytes = self.message_cache.pop(0)
            return data
        # A message that arrived between the fetch and this pop has brought its token with it.
        self.broker.client.blpop([self._wake], timeout=IDLE)
        return None

    def _at_work(self, without: str | None = None) -> list[str]:
        """Ids of the messages that this process works on, without one of them, as `_WAKING_DISPATCH` expects them."""
        return sorted(self.broker.at_work[self.queue_name] - {without}) or ["none"]

    def _keep(self, fetched: list[bytes | None]) -> None:
        # None is an id whose message is gone: a worker that counted as dead has finished it after all.
        self.message_cache = [data for data in fetched if data is not None]

    def close(self) -> None:
        """Return the messages that were fetched and not begun to the queue, since this worker stops."""
        left, self.message_cache = self.message_cache, []
        _as_closed(self.requeue, [Message.decode(data) for data in left])


class PatientRabbitmqBroker(RabbitmqBroker):
    """dramatiq's RabbitMQ broker, with one message at a time and short timeouts for a server that hangs."""

    def __init__(self, *, url: str, middleware: Sequence[Middleware]) -> None:
        super().__init__(url=url, middleware=list(middleware))
        every: Any = self.parameters  # a list if the URL names several servers
        for parameters in every if isinstance(every, list) else [every]:
            parameters.socket_timeout = min(parameters.socket_timeout, CONNECT_TIMEOUT)
            parameters.stack_timeout = min(parameters.stack_timeout, CONNECT_TIMEOUT)
            # Seconds without a word from a server that takes no messages (an alarm); pika would wait for ever.
            parameters.blocked_connection_timeout = CONNECT_TIMEOUT

    @property
    def connection(self) -> Any:
        """This thread's connection. Raises ConnectionClosed at the first failure; dramatiq would try five times more."""
        try:
            return RabbitmqBroker.connection.fget(self)  # type: ignore[attr-defined]
        except (AMQPConnectionError, AMQPConnectorException) as error:
            # pika raises AMQPConnectorException if a server accepts the connection and then stays silent.
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]

    @connection.deleter
    def connection(self) -> None:
        RabbitmqBroker.connection.fdel(self)  # type: ignore[attr-defined]

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Make a consumer of a queue; prefetch is limited by `_prefetch`."""
        return super().consume(queue_name, _prefetch(queue_name, prefetch), timeout)


class DropOld(Middleware):
    """Skips messages that are too old to matter, without keeping them as dead letters.

    The actor's option `max_age` is the limit in milliseconds. dramatiq's own AgeLimit would keep skipped messages for days,
    and compare the clocks of two machines.
    """

    @property
    def actor_options(self) -> set[str]:
        """The options that this middleware adds to actors."""
        return {"max_age"}

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Skip a message that is older than its actor's `max_age`."""
        max_age = broker.get_actor(message.actor_name).options.get("max_age")
        if max_age is not None and _now_ms() - message.message_timestamp > max_age:
            raise SkipMessage("older than its max_age")


def worker_middleware(settings: Settings, *resources: Middleware) -> list[Middleware]:
    """The middleware of a worker, in order; few, since each hook runs for every frame."""
    return [
        # Resources of the actors, created when the process has booted and disposed of at its end.
        *resources,
        # Observability, first, so that messages skipped below are counted too.
        *tracing.middleware(settings, "worker"),
        *([Metering()] if settings.counts else []),
        # The request's id, for every line logged from here on.
        Correlation(),
        # Flow control: messages that are too old are skipped.
        DropOld(),
        # Safety: work beyond the deadline, for which no request waits, is ended (between Python instructions only).
        TimeLimit(time_limit=int(settings.frame_deadline * 1000), interval=500),
        # No Retries: a failed frame has been answered, and its session's next one is on its way.
    ]


class _Json(Encoder):
    """JSON, as dramatiq encodes messages, but by the faster msgspec."""

    def encode(self, data: MessageData) -> bytes:
        return msgspec.json.encode(data)

    def decode(self, data: bytes) -> MessageData:
        decoded: MessageData = msgspec.json.decode(data)
        return decoded


def make_broker(settings: Settings, middleware: Sequence[Middleware] = ()) -> Broker:
    """Make the broker for QUEUE_URL, without connecting. Processes that only send messages need no middleware."""
    set_encoder(_Json())
    if settings.queue_url.startswith(("amqp://", "amqps://")):
        return PatientRabbitmqBroker(url=settings.queue_url, middleware=middleware)
    return WakingRedisBroker(client=make_redis(settings.queue_url, blocks_for=IDLE), middleware=middleware)


def _prefetch(queue_name: str, prefetch: int) -> int:
    """The prefetch of a consumer: AT_ONCE or 1 for a queue itself, dramatiq's own for its delayed messages (`.DQ`)."""
    return AT_ONCE.get(queue_name, 1) if queue_name == q_name(queue_name) else prefetch


def _now_ms() -> int:
    return int(now() * 1000)


def _as_closed(call: Callable[_Args, _Reply], *args: _Args.args, **kwargs: _Args.kwargs) -> _Reply:
    """Call a function, and raise dramatiq's ConnectionClosed if Redis is lost or hangs: dramatiq then connects again."""
    try:
        return call(*args, **kwargs)
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
