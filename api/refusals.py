"""401s: counted for each network, so that nobody may try keys without end or fill the log with it.

Only requests that are refused take a token, so that one client with a wrong key harms nobody else in its network.
"""

from __future__ import annotations

import structlog
from redis.exceptions import RedisError

from api import addresses
from api.context import BEYOND
from api.problems import ProblemError
from api.resources import resources
from shared.api_keys import id_of
from shared.redis import buckets, keyspace
from shared.redis.buckets import Bucket, Rate

log = structlog.get_logger(__name__)


def refusal(code: str, given: str = "") -> ProblemError:
    """The error for a request without a valid credential: the problem `code`, or `too_many_refusals` beyond the limit.

    Each one within the limit is logged with the coarse network of the client and the id of the API key in `given`, if there
    is one in it. Without Redis all are within the limit.
    """
    level = None
    rate = Rate.parse(resources().settings.limit_refusals_by_address)
    if rate is not None:
        key = keyspace.limit("refusals", addresses.network(addresses.CUSTOMER))
        try:
            (level,) = buckets.take(resources().redis, [Bucket("refusals", key, rate)])
        except RedisError as error:
            log.warning("limits.open", error=repr(error))
    if level is not None and level.wait > 0:
        return ProblemError(BEYOND, retry_after=level.wait)
    log.warning(
        "access.refused", problem=code, network=addresses.network(addresses.COARSE), claimed_key_id=id_of(given)
    )
    return ProblemError(code)
