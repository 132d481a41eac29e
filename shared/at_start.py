"""Checks when a program starts that it can work with the servers that its settings name.

A server that is away is waited for, since it may come; a Redis Cluster would refuse each frame for ever.
"""

from __future__ import annotations

from redis.exceptions import RedisError

from shared.redis.client import SCHEMES, make_redis
from shared.redis.trying import is_cluster, try_to_write, what_ails
from shared.settings import Settings, refuse

#: Seconds for which a Redis that hangs holds up a start.
PATIENCE = 1.0


def refuse_unusable(settings: Settings) -> None:
    """End the process with a sentence if a setting names a Redis Cluster."""
    seen = set()
    for name in ("redis_url", "queue_url", "events_url"):
        url: str = getattr(settings, name)
        if url.startswith(SCHEMES) and url not in seen:
            seen.add(url)
            with make_redis(url, patience=PATIENCE) as client:
                try:
                    try_to_write(client)
                except RedisError as error:
                    if is_cluster(error):
                        refuse(f"Not started: the server that {name.upper()} names {what_ails(error)}.")
