"""Addresses of servers as platforms and people write them."""

from __future__ import annotations

import pytest
from kombu.utils.url import parse_url as kombus
from pika import URLParameters
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError
from sqlalchemy import make_url

from shared.db import make_engine
from shared.redis.client import make_redis, sentinels_of
from shared.settings import Settings, what_is_wrong

#: Passwords as generators make them; none is percent-encoded.
PASSWORDS = ["p@ss", "p/a?b#c", "a:b@c/d", "50%off", "%", "#", "/", "?x", "a b", "ü", "p@h:1/0?x#", "[x]", "a&b=c;d,e"]


def database(url: str) -> str:
    return Settings(_env_file=None, database_url=url).database_url


def complaint(**given: str) -> str:
    with pytest.raises(ValidationError) as raised:
        Settings(_env_file=None, **given)
    return what_is_wrong(raised.value)


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_may_hold_anything(password: str) -> None:
    settings = Settings(
        _env_file=None,
        database_url=f"postgres://user:{password}@host:5432/rows?sslmode=require",
        redis_url=f"redis://user:{password}@host:6379/1",
        queue_url=f"amqp://user:{password}@host:5672/%2F",
    )
    parsed = make_url(settings.database_url)
    assert (parsed.username, parsed.password, parsed.host, parsed.port) == ("user", password, "host", 5432)
    assert (parsed.database, parsed.query) == ("rows", {"sslmode": "require"})
    assert conninfo_to_dict(settings.database_url.replace("+psycopg", ""))["password"] == password
    options = make_redis(settings.redis_url).connection_pool.connection_kwargs
    assert (options["username"], options["password"], options["host"], options["db"]) == ("user", password, "host", 1)
    rabbitmq = URLParameters(settings.queue_url)
    assert (rabbitmq.credentials.password, rabbitmq.host, rabbitmq.virtual_host) == (password, "host", "/")
    assert kombus(settings.queue_url)["password"] == password


@pytest.mark.parametrize("password", ["p%40ss", "p%2Fa%3Fb%23c", "%25", "plain"])
def test_one_that_is_encoded_stays_as_it_is(password: str) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert database(f"{scheme}://u:{password}@h/d") == f"postgresql+psycopg://u:{password}@h/d"
    assert Settings(_env_file=None, redis_url=f"redis://:{password}@h").redis_url == f"redis://:{password}@h"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("postgres://u:p@ep-a-pooler.eu.neon.tech/d?sslmode=require&channel_binding=require", None),
        ("postgresql://u.ref:p@aws-0.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1", ""),
        ("postgres://u:p@h:25061/d?sslmode=require", None),
        ("postgres://u:p@h/d?sslmode=require&supa=base-pooler.x", "sslmode=require"),
        ("postgres://u:p@h/d?ssl=true", "sslmode=require"),
        ("postgres://u:p@h/d?sslmode=no-verify&uselibpqcompat=true", "sslmode=require"),
        ("postgres://u:p@h/d?schema=public&pool_timeout=5", ""),
        ("postgres://u@server:p@h/d", None),
        ("postgres://u:p@[::1]:5432/d", None),
        ("postgres://u:p@h/d?options=endpoint%3Dep-x", None),
        ("postgresql:///d?host=/var/run/postgresql", None),
        ("postgres://u:p@h/d?prepared_statements=false", "prepared_statements=false"),
    ],
)
def test_what_platforms_and_other_clients_write(given: str, read: str | None) -> None:
    """read: the parameters that are left; None: those that were given."""
    url = make_url(database(given))
    make_engine(database(given)).dispose()
    query = "&".join(f"{name}={value}" for name, value in url.query.items())
    assert query == (given.partition("?")[2].replace("%3D", "=") if read is None else read)


def test_several_hosts_are_named_as_sqlalchemy_names_them() -> None:
    url = make_url(database("postgres://u:p@h1:5432,h2:5433/d?target_session_attrs=read-write"))
    assert url.query["host"] == ("h1:5432", "h2:5433")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://u:hunter2@host:54x2/d", "DATABASE_URL must have a number from 1 to 65535 as its port"),
        ("postgres://u:hunter2@host:70000/d", "DATABASE_URL must have a number from 1 to 65535 as its port"),
        ("postgres://u:hunter2@host/d?foo=hunter2", "has the parameter `foo`"),
        ("postgres://u:hunter2@host/d?sslmode=hunter2", "has a wrong `sslmode`: it must be one of disable, allow"),
        ("postgres://u:hunter2@host/d/e", "must end with the name of one database"),
        ("postgres://u:hunter2@ho st/d", "cannot be read"),
        ("postgres//u:hunter2@host/d", "must begin with sqlite:///"),
        ("mysql://u:hunter2@host/d", "must begin with sqlite:///"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_a_database_that_cannot_be_is_one_sentence_without_what_is_secret(url: str, said: str) -> None:
    sentence = complaint(database_url=url)
    assert said in sentence
    assert "hunter2" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["redis_url", "queue_url", "events_url"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:hunter2@host:63x/0", "must have a number from 1 to 65535 as its port"),
        ("redis://:hunter2@host/zero", "must end with the number of a database"),
        ("redis://:hunter2@host?family=0", "has the parameter `family`"),
        ("redis://:hunter2@host?socket_timeout=hunter2", "has a wrong parameter"),
        ("rediss://:hunter2@host?ssl_cert_reqs=hunter2", "has a wrong parameter"),
        ("redis+sentinel://:hunter2@host:26379", "must name the primary"),
        ("redis+sentinel://:hunter2@/mymaster/0", "must name at least one Sentinel"),
        ("redis+sentinel://:hunter2@host/mymaster/zero", "must name the primary and the number"),
        ("sentinel://:hunter2@host/mymaster", "must begin with redis://"),
        ("host:6379", "must begin with redis://"),
    ],
)
def test_a_redis_that_cannot_be(name: str, url: str, said: str) -> None:
    sentence = complaint(**{name: url})
    assert f"{name.upper()} {said}" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("amqp://", "must name a host"),
        ("amqp://u:hunter2@host:x/v", "must have a number"),
        ("amqps://u:hunter2@a:1,b:1/v", "must name a host"),
    ],
)
def test_a_rabbitmq_that_cannot_be(url: str, said: str) -> None:
    sentence = complaint(queue_url=url)
    assert f"QUEUE_URL {said}" in sentence
    assert "hunter2" not in sentence


def test_several_rabbitmqs() -> None:
    assert Settings(_env_file=None, queue_url="amqp://u:p#@a;amqp://b").queue_url == "amqp://u:p%23@a;amqp://b"


def test_an_address_of_sentinels() -> None:
    url = "rediss+sentinel://me:p%40ss@a:1,b,[::1]:3/my-primary/2?sentinel_password=other&ssl_cert_reqs=none"
    addresses, name, options, own = sentinels_of(url)
    assert addresses == [("a", 1), ("b", 26379), ("::1", 3)]
    assert name == "my-primary"
    assert (options["username"], options["password"], options["db"]) == ("me", "p@ss", 2)
    assert (own["password"], own["ssl"], own["ssl_cert_reqs"]) == ("other", True, "none")
    assert "sentinel_password" not in options


def test_sentinels_over_tls_are_checked_as_redis_is() -> None:
    settings = Settings(_env_file=None, redis_url="rediss+sentinel://a/mymaster", redis_certificates="none")
    assert settings.redis_url == "rediss+sentinel://a/mymaster?ssl_cert_reqs=none"
