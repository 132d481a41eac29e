"""The queue: dramatiq over Redis, or over RabbitMQ where QUEUE_URL says amqp://.

dramatiq's own Redis consumer polls, and waits longer from time to time while it finds nothing: an idle queue was picked
up after 287 ms in the median and 979 ms at worst. Ours sleeps in Redis instead, in a blocking pop on a list of tokens
beside the queue, and is awake within a millisecond. RabbitMQ wakes its consumers itself.

Both hold one message at a time (prefetch 1): a message that waits behind another in a worker's memory waits, while
another worker is idle.
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

from shared.redis import keyspace
from shared.redis.client import CONNECT_TIMEOUT, make_redis
from shared.redis.timekeeping import now
from shared.settings import Settings
from shared.telemetry import tracing
from shared.telemetry.correlation import Correlation
from shared.telemetry.metrics.messages import Metering

_Args = ParamSpec("_Args")
_Reply = TypeVar("_Reply")

#: Milliseconds without a sign of life after which a worker process is taken for dead and its messages are given to
#: another. A living one gives a sign each second; dramatiq's own 60 s would be long after a frame's deadline. A worker
#: that was only held up sees its message done twice, which changes nothing: a frame id counts once.
HEARTBEAT_TIMEOUT = 2500

#: Milliseconds that dramatiq keeps a message that nobody could understand.
DEAD_MESSAGE_TTL = 24 * 3600 * 1000

#: Seconds that an idle consumer sleeps at a time; in between it looks whether it is to stop, and gives a sign of life.
IDLE = 1.0

#: Wrapped around dramatiq's own dispatch.lua, which stays as it is, so that a message and its token appear together in
#: one round trip. A token is pushed for each message, never more tokens than messages wait. Whoever finds the queue
#: empty takes the tokens that are left away, for nothing waits that they could tell of; whoever leaves messages behind
#: sees to it that there is one (several may have come back at once from a dead worker).
#:
#: ARGV[2] is the caller's time, by which signs of life are compared: Redis' own stands in its place, since a host whose
#: clock is a few seconds ahead would take all others for dead, and hand out their messages again and again.
#:
#: ARGV[9…] are dispatch.lua's own arguments of a command; "enqueue" has one more here, "producer", from a process that
#: takes no messages: dispatch.lua notes a sign of life for every caller, and maintenance would look for the unfinished
#: messages of each web process that was silent for a moment, by KEYS over the whole database.
#: "ack" has one more too: how many messages the caller takes next, fetched in the same round trip. After that number come,
#: there and in "fetch", the ids of all messages of the queue that the caller's process has (or "none"): what it was handed
#: besides it has not heard of, because Redis hung or the connection broke, and is handed out again. dramatiq would leave
#: such a message where it is until the worker ends.
_WAKING_DISPATCH = """
local function dispatch()
%(dispatch)s
end
local time = redis.call("time")
ARGV[2] = string.format("%%d", time[1] * 1000 + math.floor(time[2] / 1000))
local command, queue = ARGV[1], KEYS[1] .. ":" .. ARGV[3]
local function take_back(heard)
    local handed_out = KEYS[1] .. ":__acks__." .. ARGV[4] .. "." .. ARGV[3]
    for _, id in ipairs(redis.call("smembers", handed_out)) do
        if not heard[id] then
            redis.call("srem", handed_out, id)
            if redis.call("hexists", queue .. ".msgs", id) == 1 then
                redis.call("lpush", queue, id)
            end
        end
    end
end
local function heard_of(first)
    local ids = {}
    for i = first, #ARGV do
        ids[ARGV[i]] = true
    end
    return ids
end
if command == "fetch" and ARGV[10] then
    take_back(heard_of(10))
end
local reply = dispatch()
if command == "ack" and ARGV[10] then
    command, ARGV[1], ARGV[7], ARGV[9] = "fetch", "fetch", "1", ARGV[10]
    take_back(heard_of(11))
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
    """dramatiq's Redis broker, with consumers that are woken instead of polling."""

    def __init__(self, *, client: redis.Redis, middleware: Sequence[Middleware]) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=client,
            middleware=list(middleware),
            # At every command: it costs two look-ups in sorted sets that are all but empty, and a killed worker's
            # frame is found by the next fetch of any other instead of by one in a thousand.
            maintenance_chance=MAINTENANCE_SCALE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            dead_message_ttl=DEAD_MESSAGE_TTL,
        )
        self._consumes = False
        #: The ids of the messages of each queue that are worked on here; of queues whose consumers hold one at a time.
        self.at_work: defaultdict[str, set[str]] = defaultdict(set)
        stock = self.scripts["dispatch"].script
        text = stock.decode() if isinstance(stock, bytes) else stock
        self.scripts["dispatch"] = client.register_script(
            _WAKING_DISPATCH % {"dispatch": text, "ttl": keyspace.WAKE_TTL}
        )

    @property
    def consumer_class(self) -> type[WakingConsumer]:
        """What `consume` makes."""
        return WakingConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """A consumer of a queue, see `_prefetch`."""
        self._consumes = True
        return super().consume(queue_name, _prefetch(queue_name, prefetch), timeout)

    def do_enqueue(self, queue_name: str, message_id: str, data: bytes) -> None:
        """Put a message on its queue and wake a worker."""
        self._dispatch("enqueue")(  # type: ignore[no-untyped-call]
            queue_name, message_id, data, "worker" if self._consumes else "producer"
        )

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


class WakingConsumer(_RedisConsumer):
    """Takes messages off a queue, and sleeps in Redis while there are none."""

    def __init__(self, broker: WakingRedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._wake = keyspace.wake(broker.namespace, queue_name)
        self._room = threading.Event()
        #: Whether it holds one message at a time.
        self._alone = prefetch == 1

    def ack(self, message: MessageProxy) -> None:
        """Done with a message (called by the thread that worked on it): in the same round trip comes the next one.

        One message at a time: while one is worked on, the consumer's own thread waits for room and touches nothing.
        """
        redis_id, more = message.options["redis_message_id"], []
        if self._alone:
            more = [self.prefetch - self.outstanding_message_count + 1, *self._at_work(besides=redis_id)]
        try:
            fetched = _as_closed(self.broker.do_ack, self.queue_name, redis_id, *more)
            self.broker.at_work[self.queue_name].discard(redis_id)
            if self._alone:
                self._keep(fetched)
        finally:
            self.queued_message_ids.discard(message.message_id)
            self._room.set()

    def nack(self, message: MessageProxy) -> None:
        """Give a message up (called by the thread that worked on it)."""
        try:
            _as_closed(super().nack, message)
            self.broker.at_work[self.queue_name].discard(message.options["redis_message_id"])
        finally:
            self._room.set()

    def __next__(self) -> MessageProxy | None:
        """The next message, or None after a while without one."""
        # Cleared before it is looked at: an ack between the two is seen by the look.
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
        # Between the fetch and this pop a message may have come, but then its token has come with it.
        self.broker.client.blpop([self._wake], timeout=IDLE)
        return None

    def _at_work(self, besides: str | None = None) -> list[str]:
        """What of the queue this process has in hand, for `_WAKING_DISPATCH`."""
        return sorted(self.broker.at_work[self.queue_name] - {besides}) or ["none"]

    def _keep(self, fetched: list[bytes | None]) -> None:
        # A None in it is an id whose message has gone: another worker, thought dead, had finished it after all.
        self.message_cache = [data for data in fetched if data is not None]

    def close(self) -> None:
        """Give back what was fetched and not begun: this worker stops."""
        left, self.message_cache = self.message_cache, []
        _as_closed(self.requeue, [Message.decode(data) for data in left])


class PatientRabbitmqBroker(RabbitmqBroker):
    """dramatiq's RabbitMQ broker, one message at a time, which does not wait long for a server that hangs."""

    def __init__(self, *, url: str, middleware: Sequence[Middleware]) -> None:
        super().__init__(url=url, middleware=list(middleware))
        every: Any = self.parameters  # a list where the URL names several servers
        for parameters in every if isinstance(every, list) else [every]:
            parameters.socket_timeout = min(parameters.socket_timeout, CONNECT_TIMEOUT)
            parameters.stack_timeout = min(parameters.stack_timeout, CONNECT_TIMEOUT)

    @property
    def connection(self) -> Any:
        """This thread's connection. Where none can be made, that is the end of it: dramatiq would try five times more."""
        try:
            return RabbitmqBroker.connection.fget(self)  # type: ignore[attr-defined]
        except (AMQPConnectionError, AMQPConnectorException) as error:
            # The second is what pika says of a server that took the connection and then said nothing.
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]

    @connection.deleter
    def connection(self) -> None:
        RabbitmqBroker.connection.fdel(self)  # type: ignore[attr-defined]

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """A consumer of a queue, see `_prefetch`."""
        return super().consume(queue_name, _prefetch(queue_name, prefetch), timeout)


class DropOld(Middleware):
    """Lets messages that are too old to matter go, without a trace in the dead letters.

    An actor says how old by `max_age` in milliseconds. (dramatiq's own AgeLimit keeps what it drops for days, and
    compares the clocks of two machines.)
    """

    @property
    def actor_options(self) -> set[str]:
        """What an actor can say."""
        return {"max_age"}

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Skip it if it is too old."""
        max_age = broker.get_actor(message.actor_name).options.get("max_age")
        if max_age is not None and _now_ms() - message.message_timestamp > max_age:
            raise SkipMessage("older than its max_age")


def worker_middleware(settings: Settings, *resources: Middleware) -> list[Middleware]:
    """What surrounds each message in a worker, in order. Lean: each hook runs for every frame."""
    return [
        # Resources: what the work needs, made when the process has booted and disposed of at its end.
        *resources,
        # Observability: what is dropped below is counted, too.
        *tracing.middleware(settings, "worker"),
        *([Metering()] if settings.metrics_token is not None else []),
        # Whose request it is: known to every line that is logged from here on.
        Correlation(),
        # Flow control: what cannot matter any more is not worked on.
        DropOld(),
        # Safety: a frame that takes longer than anyone waits for it ends (between two steps of Python; C runs on).
        TimeLimit(time_limit=int(settings.frame_deadline * 1000), interval=500),
        # No Retries: a frame that failed has been answered by then, and the next one is on its way already.
    ]


class _Json(Encoder):
    """dramatiq's own encoding, JSON, at a fifth of its cost."""

    def encode(self, data: MessageData) -> bytes:
        return msgspec.json.encode(data)

    def decode(self, data: bytes) -> MessageData:
        decoded: MessageData = msgspec.json.decode(data)
        return decoded


def make_broker(settings: Settings, middleware: Sequence[Middleware] = ()) -> Broker:
    """The queue at QUEUE_URL, without connecting to it. For the web, which only sends, without middleware."""
    set_encoder(_Json())
    if settings.queue_url.startswith(("amqp://", "amqps://")):
        return PatientRabbitmqBroker(url=settings.queue_url, middleware=middleware)
    return WakingRedisBroker(client=make_redis(settings.queue_url, blocks_for=IDLE), middleware=middleware)


def ping(broker: Broker) -> None:
    """Raise, whatever fits, unless the queue answers."""
    if isinstance(broker, RabbitmqBroker):
        try:
            broker.connection.process_data_events(0)
        except Exception:
            del broker.connection  # this thread's; the next one to ask connects anew
            raise
    elif isinstance(broker, RedisBroker):
        broker.client.ping()


def _prefetch(queue_name: str, prefetch: int) -> int:
    """How many messages a consumer may hold: one, or as many as it likes of those that wait for their time (`.DQ`)."""
    return 1 if queue_name == q_name(queue_name) else prefetch


def _now_ms() -> int:
    return int(now() * 1000)


def _as_closed(call: Callable[_Args, _Reply], *args: _Args.args, **kwargs: _Args.kwargs) -> _Reply:
    """Tell of a lost or hung Redis as dramatiq expects it; it then connects anew after a pause."""
    try:
        return call(*args, **kwargs)
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
