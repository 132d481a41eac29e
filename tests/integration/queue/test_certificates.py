"""rediss:// to a server that has signed its own certificate: refused, unless REDIS_CERTIFICATES=none (Heroku)."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from kombu.exceptions import OperationalError

from shared.queue.broker import make_broker
from shared.queue.trying import try_to_send
from shared.redis.client import make_redis
from shared.settings import Settings
from tests.integration.tls import TlsFront
from workers.events import cloudevents


@pytest.fixture
def tls_url(redis_url: str, tmp_path: Path) -> Iterator[str]:
    front = TlsFront(urlsplit(redis_url).port or 0, tmp_path)
    yield f"rediss://localhost:{front.port}/0"
    front.close()


def _pictures(settings: Settings) -> None:
    with make_redis(settings.redis_url) as client:
        assert client.ping()


def _queue(settings: Settings) -> None:
    broker = make_broker(settings)
    try:
        try_to_send(broker)
    finally:
        broker.close()


def _events(settings: Settings) -> None:
    with cloudevents.connect(settings.events_url) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        connection.default_channel.client.ping()


PARTS = [_pictures, _queue, _events]


@pytest.mark.parametrize("part", PARTS)
def test_none_takes_a_certificate_that_the_server_has_signed_itself(
    part: Callable[[Settings], None], tls_url: str
) -> None:
    part(Settings(_env_file=None, redis_url=tls_url, redis_certificates="none"))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("chosen", [{}, {"redis_certificates": "required"}])
def test_else_it_is_refused(part: Callable[[Settings], None], chosen: dict[str, Any], tls_url: str) -> None:
    with pytest.raises((redis.ConnectionError, OperationalError, ssl.SSLError), match="CERTIFICATE_VERIFY_FAILED"):
        part(Settings(_env_file=None, redis_url=tls_url, **chosen))
