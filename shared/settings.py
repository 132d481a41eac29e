"""The settings of the service, read from environment variables or a `.env` file.

A field `frame_ttl` is set by the variable `FRAME_TTL`. Each process reads its settings once, by `load_settings_or_exit()`
where it starts and by `get_settings()` elsewhere; they do not change while the process runs. To add a setting, add a
described field here and a line in `.env.example`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared import database_address
from shared.addresses import bare, read
from shared.evidence_model import EvidenceModel, read_model, with_curve
from shared.liveness.evidence import FITTED, Preset, Weighing
from shared.liveness.session import LONGEST_TRANSIT
from shared.policy import Policy
from shared.redis.buckets import Rate
from shared.redis.client import SCHEMES, SENTINEL_EXAMPLE, check_address, is_sentinel
from shared.weights_file import read_weights

#: Seconds between a frame's deadline and the first moment at which a clock may fail its session: a frame that a worker
#: fetches just before the deadline must still find the session running.
JUDGING_TIME = 1.0

#: Exit status of a process that refuses to start because of a setting (EX_CONFIG of sysexits.h).
EXIT_CONFIG = 78


def _redis_address(url: str, validated: ValidationInfo) -> str:
    if not url.startswith(SCHEMES):
        raise ValueError(f"must begin with {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}")
    example = SENTINEL_EXAMPLE if is_sentinel(url) else "redis://:password@host:6379/0"
    url = _with_certificates(str(read(url, example)), validated)
    check_address(url)
    return url


def _queue_address(url: str, validated: ValidationInfo) -> str:
    if url.startswith(SCHEMES):
        return _redis_address(url, validated)
    if not url.startswith(("amqp://", "amqps://")):
        raise ValueError(f"must begin with {', '.join(SCHEMES)}, amqp:// or amqps://")
    # Several servers may be named, with semicolons between.
    return ";".join(_rabbitmq_address(one) for one in re.split(r";(?=amqps?://)", url))


def _rabbitmq_address(url: str) -> str:
    address = read(url, "amqp://user:password@host:5672/%2F")
    if not address.hosts or "," in address.hosts:
        raise ValueError("must name a host, as in amqp://user:password@host:5672/%2F")
    if address.path == "//":  # kombu reads "//" as the virtual host "/", pika as one with an empty name
        address = replace(address, path="/%2F")
    return str(address)


def _with_certificates(url: str, validated: ValidationInfo) -> str:
    """A rediss:// address with REDIS_CERTIFICATES as its `ssl_cert_reqs`, which both redis-py and kombu read.

    `required` is written out too, because kombu accepts any certificate by default.
    """
    if not url.startswith("rediss") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs={validated.data.get('redis_certificates', 'required')}"


def _database_address(url: str, validated: ValidationInfo) -> str:
    # Platforms give postgres:// (Heroku) or postgresql://, for which SQLAlchemy would load psycopg 2.
    if url.startswith(("postgres://", "postgresql://", "postgresql+psycopg://")):
        return database_address.postgresql(url, validated.data.get("database_prepared", "auto"))
    if not url.startswith("sqlite://"):
        raise ValueError("must begin with sqlite:///, postgres:// or postgresql://")
    if not re.match(r"sqlite:///[^?]", url) or url.startswith("sqlite:///:memory:"):
        raise ValueError("must name a file, as in sqlite:///var/liveness.db: several processes share the rows")
    return url


def _rate(text: str) -> str:
    Rate.parse(text)
    return text


#: Origins that the pages of apps have without a host: of a file, and of a file or a frame that has none of its own.
_WITHOUT_HOST = frozenset({"null", "file://"})


def _origins(text: str) -> str:
    for origin in filter(None, (part.strip() for part in text.split(","))):
        if not (_is_origin(origin) or origin.lower() in _WITHOUT_HOST):
            raise ValueError(
                "must be origins with commas between, as in https://www.example.org or capacitor://localhost, or the words "
                "null or file://, without a path (not even a slash at the end) or a star"
            )
    return text


def _ancestors(text: str) -> str:
    for origin in filter(None, (part.strip() for part in text.split(","))):
        if not _is_origin(origin):
            raise ValueError(
                "must be origins with commas between, as in https://www.example.org, without a path (not even a slash at "
                "the end) or a star"
            )
    return text


def _is_origin(text: str) -> bool:
    """Whether a text is an origin: of the web, or an app's own scheme with a host, as capacitor://localhost."""
    found = re.fullmatch(
        r"([a-zA-Z][a-zA-Z0-9+.-]*)://(?:([a-zA-Z0-9._-]+)|\[([0-9a-fA-F:.]+)\])(:\d{1,5})?", text, re.ASCII
    )
    if found is None:
        return False
    scheme, _, address, port = found.groups()
    if address is not None and not (scheme.lower() in ("http", "https") and _is_address(address, version=6)):
        return False
    return port is None or int(port[1:]) <= 65535


def _is_address(text: str, version: int | None = None) -> bool:
    try:
        found = ip_address(text)
    except ValueError:
        return False
    return version is None or found.version == version


def _addresses(text: str) -> str:
    if text and not all(_is_address(part.strip()) for part in text.split(",")):
        raise ValueError("must be IP addresses with commas between, as in 0.0.0.0,::")
    return text


def _hosts(text: str) -> str:
    for host in filter(None, (part.strip() for part in text.split(","))):
        if not (host == "*" or re.fullmatch(r"[a-zA-Z0-9._-]+", host) or _is_address(host, version=6)):
            raise ValueError("must be names or addresses with commas between, without ports, or a star")
    return text


#: Addresses of the service's own pages: below one of these names, a path and a page could not be told apart.
_PAGES = frozenset({"/docs", "/lab", "/openapi.json", "/livez", "/readyz", "/metrics"})


def _base_path(text: str) -> str:
    path = text.rstrip("/")
    if path and not re.fullmatch(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+", path, re.ASCII):
        raise ValueError("must be a path, as in /liveness, of letters, digits, dots, hyphens and underscores")
    if path in _PAGES:
        raise ValueError("must not be the address of one of the service's own pages")
    return path


def _weights(path: Path | None) -> Path | None:
    if path is not None:
        read_weights(path)
    return path


def _policy(text: str, validated: ValidationInfo) -> str:
    Policy.parse(text, validated.data.get("preset", Preset.STANDARD))
    return text


def _policy_beside(text: str, validated: ValidationInfo) -> str:
    """A policy that can be met together with POLICY."""
    default = validated.data.get("preset", Preset.STANDARD)
    own, general = Policy.parse(text, default), Policy.parse(validated.data.get("policy", text), default)
    try:
        _ = own & general
    except ValueError:
        raise ValueError("cannot be met together with POLICY: change one of them") from None
    return text


def _model(path: Path | None) -> Path | None:
    if path is not None:
        read_model(path)
    return path


def _redis_url_of(validated: dict[str, Any]) -> str:
    return str(validated["redis_url"])


def _queue_url_of(validated: dict[str, Any]) -> str:
    return str(validated["queue_url"])


class Settings(BaseSettings):
    """The settings of the processes web, worker, events and clock alike.

    Times are in seconds unless a name or description gives another unit. The descriptions become docs/settings.md.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        env_file=".env",
        env_file_encoding="utf-8-sig",  # Windows' editors begin a file with a byte order mark
        env_ignore_empty=True,  # `QUEUE_URL=` in a .env means the default
        extra="ignore",  # the .env may hold variables of other programs
        hide_input_in_errors=True,  # an address may hold a password
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _without_what_is_around(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Every value without the newline of its file, quotes and the like; a value of nothing else means the default."""
        mended = {name: bare(value) if isinstance(value, str) else value for name, value in given.items()}
        return {name: value for name, value in mended.items() if value != "" or given[name] == ""}

    # Declared before the addresses, whose validators read these two.
    redis_certificates: Literal["required", "none"] = Field(
        "required",
        description="How the TLS certificate of a rediss:// server is checked. required: it must be signed by a trusted "
        "authority. none: the connection is encrypted but the server is not authenticated; only for platforms whose Redis "
        "uses self-signed certificates, such as Heroku.",
    )
    database_prepared: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether statements are prepared in PostgreSQL, which saves it some work. auto: unless the connection "
        "leads to a pooler, such as PgBouncer, which may give each transaction another server. on: also behind a pooler "
        "that follows prepared statements (PgBouncer from 1.21, with max_prepared_statements). off: never.",
    )
    redis_url: Annotated[str, AfterValidator(_redis_address)] = Field(
        "redis://localhost:6379/0",
        description="Address of the Redis that holds pictures of frames, answers, rate limits and other short-lived data: "
        "redis://, rediss:// or unix://; redis+sentinel://host:26379,host2:26379/mymaster/0 (or rediss+sentinel://) for the "
        "primary that Redis Sentinel names. Not a Redis Cluster. Give the service a database number of its own: its keys "
        "carry no prefix. ops/up starts a Redis if this is not set.",
    )
    database_url: Annotated[str, AfterValidator(_database_address)] = Field(
        "sqlite:///var/liveness.db",
        description="Address of the database that holds sessions, API keys, events and the audit trail: sqlite:///path, "
        "postgres://… or postgresql://…, also that of a pooler. Use PostgreSQL if processes run on more than one machine.",
    )
    queue_url: Annotated[str, AfterValidator(_queue_address)] = Field(
        default_factory=_redis_url_of,
        description="Address of the message broker that carries frames to the workers: one as in REDIS_URL for Redis, "
        "amqp:// or amqps:// for RabbitMQ. Default: REDIS_URL.",
    )
    events_url: Annotated[str, AfterValidator(_queue_address)] = Field(
        default_factory=_queue_url_of,
        description="Address of the message broker on which session events are published, and from which webhooks are "
        "fed; the same schemes as QUEUE_URL. Default: QUEUE_URL.",
    )

    issuer: str = Field(
        "liveness",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="The name by which the service identifies itself in events (`source`) and signed verdicts (`iss`); "
        "best its public address, such as https://liveness.example.org. Printable ASCII without spaces.",
    )
    events_retention_hours: float = Field(
        168.0,
        ge=1,
        le=24 * 366,
        description="Hours for which an event that cannot be published is kept and retried, because the broker is down or "
        "the process `events` does not run. Older events are deleted unpublished; a higher value survives longer "
        "outages.",
    )

    webhooks_private: bool = Field(
        False,
        description="Whether webhooks may call addresses inside the private network, and plain http. Only for "
        "development: if on, whoever may register a webhook can make the service send requests to internal hosts. on or "
        "off.",
    )

    auth: Literal["auto", "required", "off"] = Field(
        "auto",
        description="Whether the API asks for an API key. auto: the API is open until the first key is created (ops/keys), "
        "and then requires one. required: a key is always required. off: no key is ever asked for; only behind "
        "something else that authenticates callers. While the API is open it serves this machine only, see BIND and "
        "ALLOWED_HOSTS.",
    )
    bind: Annotated[str, AfterValidator(_addresses)] = Field(
        "",
        description="IP addresses on which the web process listens, separated by commas: 0.0.0.0,:: for all. Default: all; "
        "while the API is open, those of this machine only (loopback). Naming others opens an open API to the network.",
    )
    allowed_hosts: Annotated[str, AfterValidator(_hosts)] = Field(
        "",
        description="Host names and addresses by which clients may call the service, separated by commas and without ports; "
        "* for any. Names of this machine (localhost, loopback addresses) are always allowed. Default: any; while the API "
        "is open, only those of this machine and of BIND, so that a website cannot reach it by a name of its own (DNS "
        "rebinding).",
    )
    token_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Secret from which the keys are derived that sign session tokens, hash subjects and encrypt the "
        "private keys of verdicts and the secrets of webhooks: at least 32 characters, the same for all web processes and "
        "`events`. Default: a random secret, created once and kept in the database. Changing it invalidates all session "
        "tokens, and webhooks need new secrets.",
    )
    client_sees_verdict: bool = Field(
        False,
        description="Whether answers to session tokens and `client` keys contain `is_live`. If off, `is_live` is null "
        "there, hints and confidence tell nothing of the verdict, and only a `server` key can read it. While no key is "
        "required, every caller sees the verdict. on or off.",
    )
    relying_party: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Name of the organisation that asks people for the check, which the page at / shows to them. A `server` "
        "key may name another at a session's creation. Default: no name is shown.",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "",
        description="Origins of other websites, and of apps' WebViews, whose pages may call the API (CORS), separated by "
        "commas: https://www.example.org,capacitor://localhost,http://localhost,file://. null stands for pages without an "
        "origin of their own. No paths, no wildcard. Default: none.",
    )
    frame_ancestors: Annotated[str, AfterValidator(_ancestors)] = Field(
        "",
        description="Origins of other websites that may show the page at / in an iframe, separated by commas, as for "
        'CORS_ORIGINS; their iframe needs allow="camera". Default: none but the service\'s own.',
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Exact number of reverse proxies in front of the service that append to X-Forwarded-For; limits and "
        "the audit trail then use the client address that the outermost of them saw. Too low: all clients share a proxy's "
        "address. Too high: clients can forge their address.",
    )
    base_path: Annotated[str, AfterValidator(_base_path)] = Field(
        default_factory=lambda: os.environ.get("SCRIPT_NAME", ""),
        description="Path below which a proxy serves the service, such as /liveness; the proxy may take it off or leave it. "
        "Default: SCRIPT_NAME of the environment; without it, with TRUSTED_PROXIES above 0, what the proxy says in "
        "X-Forwarded-Prefix; else none.",
    )
    limit_sessions_by_key: Annotated[str, AfterValidator(_rate)] = Field(
        "1200/minute",
        description="How many sessions each API key may create: a number, a slash and second, minute, hour or day; or off. "
        "Further creations get a 429.",
    )
    limit_sessions_by_address: Annotated[str, AfterValidator(_rate)] = Field(
        "30/minute",
        description="How many sessions each client address (of IPv6: each /64 network, and each /48 eight times as many) "
        "may create with a `client` key or without a key: a number, a slash and second, minute, hour or day; or off. "
        "`server` keys are exempt.",
    )
    limit_frames: Annotated[str, AfterValidator(_rate)] = Field(
        "20/second",
        description="How many frames each session may submit: a number, a slash and second, minute, hour or day; or off. "
        "Clients send 5 to 10 a second; frames beyond the limit get a 429 and do not harm the session.",
    )
    limit_frames_by_address: Annotated[str, AfterValidator(_rate)] = Field(
        "12000/minute",
        description="How many frames each client address (of IPv6: each /64 network, and each /48 eight times as many) may "
        "submit, written as LIMIT_FRAMES. A check takes about 120 frames. `server` keys are exempt; further frames get a "
        "429.",
    )
    limit_frames_by_key: Annotated[str, AfterValidator(_rate)] = Field(
        "6000/second",
        description="How many frames may be submitted with each API key and with the tokens of its sessions, written as "
        "LIMIT_FRAMES. Further frames get a 429.",
    )

    limit_refusals_by_address: Annotated[str, AfterValidator(_rate)] = Field(
        "60/minute",
        description="How many requests without a valid key or token each client address (of IPv6: each /64 network) may "
        "send: a number, a slash and second, minute, hour or day; or off. Further ones get a 429 in place of a 401 and are "
        "not logged; requests with a valid key are not counted.",
    )

    session_ttl: float = Field(
        300.0,
        ge=10,
        le=86400,
        description="Seconds after its creation at which a session that has not ended expires. Idempotency keys, face "
        "descriptors and portraits in Redis live about as long, so a higher value keeps biometric data longer.",
    )
    frame_deadline: float = Field(
        5.0,
        gt=0,
        le=LONGEST_TRANSIT - JUDGING_TIME,
        description="Seconds that a request waits for a worker's answer to its frame. After that the request gets a 503 "
        "and workers skip the frame; it is also the longest that a worker may work on one message. A lower value frees "
        "web threads earlier under overload, but refuses frames that would have been answered.",
    )
    frame_ttl: float = Field(
        15.0,
        ge=LONGEST_TRANSIT,
        le=300,
        description="Seconds after which Redis deletes the picture of a frame that was never answered; normally it is "
        "deleted with the answer. A higher value only keeps the pictures of lost frames longer.",
    )
    retention_hours: float = Field(
        24.0,
        ge=0,
        le=24 * 366,
        description="Hours for which an ended session (challenges, verdict, findings), its published events and its webhook "
        "deliveries stay in the database.",
    )
    audit_days: float = Field(
        90.0,
        ge=0,
        le=3660,
        description="Days for which the audit trail keeps each entry: which API key did what to which session.",
    )
    tombstone_days: float = Field(
        90.0,
        ge=0,
        le=3660,
        description="Days for which the service remembers that a session was deleted, when, and by which API key.",
    )
    attempts: int = Field(
        5,
        ge=0,
        le=1000,
        description="How many failed sessions one `subject` may have within ATTEMPTS_WINDOW before further creations get a "
        "429; sessions that have not ended count as failed. 0: no limit.",
    )
    attempts_window: float = Field(
        3600.0,
        ge=60,
        le=30 * 86400,
        description="Seconds for which a failed session counts against its subject, see ATTEMPTS. A higher value slows "
        "down attackers, and locks out honest people who failed for longer.",
    )
    preset: Preset = Field(
        Preset.STANDARD,
        description="How much evidence a session needs to be judged live, if its creation names no preset: lenient, "
        "standard or strict. The stricter, the fewer attacks pass and the more honest people are turned away.",
    )
    policy: Annotated[str, AfterValidator(_policy)] = Field(
        "any",
        description="Bounds of what any caller may ask for at a session's creation, separated by spaces, such as "
        "preset=standard.. num_challenges=3.. timeout_seconds=..10; or any. Other creations get a 422.",
    )
    client_policy: Annotated[str, AfterValidator(_policy_beside)] = Field(
        "preset=default.. num_challenges=3.. timeout_seconds=..15 kinds=3..",
        description="The same for `client` keys without a policy of their own, beside POLICY; `default` stands for PRESET. "
        "any: these keys may choose as weak a check as POLICY permits.",
    )

    liveness_threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Lowest score, between 0 and 1, at which a session is judged live. It replaces the threshold of PRESET "
        "and does not apply to sessions whose creation names a preset. Higher: fewer attacks pass, and more honest people "
        "are turned away. Default: the preset's threshold.",
    )
    evidence_weights: Annotated[Path | None, AfterValidator(_weights)] = Field(
        None,
        description="Path of a file of weights and thresholds that `ops/evaluate --fit` made from your own recordings. "
        "Default: the weights that come with the service.",
    )

    evidence_model: Annotated[Path | None, AfterValidator(_model)] = Field(
        None,
        description="Path of a model of your own, an ONNX file with a description (.toml) beside it, that looks at faces "
        "now and then: docs/models.md. All processes read the description; only the process `worker_identity`, which runs "
        "the model, needs the ONNX file. Default: none.",
    )

    identity: bool = Field(
        True,
        description="Whether the faces of a session are compared, so that a session in which another person takes over "
        "fails. off needs no process `worker_identity`, and creations with a reference picture are refused. on or off.",
    )

    frames_per_session: int = Field(
        8,
        ge=1,
        le=1000,
        description="Most frames of one session that may be in progress at once, waiting or being measured; further frames "
        "get a 429. A lower value leaves more of the workers to other sessions.",
    )
    frames_per_worker: int = Field(
        24,
        ge=1,
        le=10_000,
        description="Most frames of all sessions together that may be in progress at once, for each worker process; further "
        "frames get a 503 with Retry-After before their picture is read, and from three quarters of this number on, so do "
        "frames of sessions that have not begun. A higher value admits more load and makes frames wait longer. Keep it "
        "times the worker processes below the number of web threads.",
    )
    frame_wait: float = Field(
        2.0,
        gt=0,
        le=LONGEST_TRANSIT,
        description="Seconds that the oldest waiting frame may have waited for a worker; beyond that, new frames get a 503 "
        "with Retry-After until the workers catch up. A lower value refuses frames earlier and keeps answers fast.",
    )

    max_frame_bytes: int = Field(
        4 * 1024 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        description="Largest picture that is accepted, in bytes; a larger one is refused before it is read.",
    )
    max_pixels: int = Field(
        12_500_000,
        ge=10_000,
        le=200_000_000,
        description="Largest frame that is accepted, in pixels (width × height); a larger one is refused before it is "
        "queued. Frames are measured at 640 pixels of width; the default admits 4K video and a phone's 4032 × 3024. A "
        "higher value lets each frame cost a worker more time and memory.",
    )
    max_reference_pixels: int = Field(
        12_500_000,
        ge=10_000,
        le=200_000_000,
        description="Largest reference picture that is accepted, in pixels (width × height); the default admits a phone's "
        "4032 × 3024.",
    )
    landmarks: Literal["mesh", "dlib"] = Field(
        "mesh",
        description="Model that finds the points of a face. mesh: MediaPipe's face mesh, 468 points, Apache-2.0. dlib: 68 "
        "points; the licence of its training data excludes commercial use, and where the eyes look is not measured.",
    )
    state_dir: Path = Field(
        Path("var"),
        description="Directory in which the service remembers, in the file `closed`, that API keys have been made. With "
        "AUTH=auto and a database without keys it then refuses to start: DATABASE_URL probably names the wrong database.",
    )
    models_dir: Path = Field(
        Path("var/models"),
        description="Directory that holds the model files; a relative path starts at the working directory.",
    )
    docs_site: Path = Field(
        Path("var/site"),
        description="Directory of the documentation that `ops/docs` has built; the web process serves it at /docs/. Where "
        "it does not exist, /docs/ leads to /docs.",
    )

    port: int = Field(8000, ge=1, le=65535, description="TCP port on which the web process listens.")
    web_concurrency: int = Field(
        1,
        ge=1,
        le=64,
        description="Number of web processes. One serves many clients, since web threads mostly wait; raise it if the web "
        "process uses a whole processor.",
    )
    web_threads: int = Field(
        64,
        ge=1,
        le=512,
        description="Threads of each web process; each frame holds one until it is answered. Keep WEB_THREADS × "
        "WEB_CONCURRENCY above FRAMES_PER_WORKER × all worker processes, so that threads are left to refuse what is too "
        "much.",
    )
    worker_processes: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Number of worker processes that measure frames; each works on one frame at a time and uses up to one "
        "processor. Default: one for each processor with ops/up, else 2.",
    )

    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Bearer token that Prometheus must send to read /metrics: at least 16 characters, the same for all web "
        "processes; the others need only METRICS. Default: unset; then /metrics does not exist.",
    )
    metrics: bool = Field(
        False,
        description="Whether a process counts for /metrics without knowing METRICS_TOKEN: for workers, events and clock. A "
        "process that knows METRICS_TOKEN counts anyway. on or off.",
    )
    lab: bool = Field(
        False,
        description="Whether the page /lab, which plots the measurements of the camera's face live, and the API call behind "
        "it exist. For development. on or off.",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        pattern="^https?://",
        description="Base address of the OpenTelemetry collector to which traces are sent by OTLP over HTTP; needs the "
        "packages of requirements/tracing.txt. Default: unset; no traces.",
    )
    otel_traces_sampler_arg: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of requests that are traced, from 0 (none) to 1 (all).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest severity that is logged: DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="Format of log lines. console: for people at a terminal. json: one JSON object per line."
    )

    @property
    def counts(self) -> bool:
        """Whether this process counts for /metrics."""
        return self.metrics or self.metrics_token is not None

    @cached_property
    def weighing(self) -> Weighing:
        """The weights of the evidence: those in the file EVIDENCE_WEIGHTS, else those that come with the service."""
        weighing = FITTED if self.evidence_weights is None else read_weights(self.evidence_weights)
        return with_curve(weighing, self.model)

    @cached_property
    def model(self) -> EvidenceModel | None:
        """The description of the operator's own model; None if there is none."""
        return None if self.evidence_model is None else read_model(self.evidence_model)

    @property
    def needs_identity_worker(self) -> bool:
        """Whether the queue `identity` is used: for comparing faces, or for the operator's own model."""
        return self.identity or self.evidence_model is not None


#: The settings that are secrets of the service itself; the addresses of servers hold passwords as well.
SECRETS = frozenset({"token_secret", "metrics_token"})

#: Secrets that this process has given up, see `shared.own_secrets`.
_forgotten: set[str] = set()


def forget(secrets: Iterable[str]) -> None:
    """Leave these settings out of what `get_settings` returns, also where a .env file has them."""
    _forgotten.update(secrets)
    get_settings.cache_clear()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process. Raises pydantic's ValidationError if one is invalid."""
    settings = Settings()
    if not _forgotten:
        return settings
    return settings.model_copy(update={"metrics": settings.counts, **dict.fromkeys(_forgotten)})


def load_settings_or_exit() -> Settings:
    """The settings of this process; if one is invalid, end the process with a sentence that names the variable."""
    try:
        return get_settings()
    except ValidationError as error:
        refuse(what_is_wrong(error))
    except UnicodeDecodeError:
        refuse("Not started: the file .env is not written in UTF-8; save it again in that encoding.")


def what_is_wrong(error: ValidationError) -> str:
    """One sentence that names each invalid variable and the reason, but never the value, which may be a secret."""
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        if fault["type"] == "default_factory_not_called":
            continue  # its default is another setting's value, and that invalid setting is named already
        reason = fault["msg"].removeprefix("Value error, ")
        faults.append(f"{'.'.join(str(part) for part in fault['loc']).upper()} {_as_clause(reason)}")
    return "Not started, because of the settings: " + "; ".join(faults) + "."


def refuse(sentence: str) -> NoReturn:
    """Write the sentence to standard error and end this process with EXIT_CONFIG."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
    raise SystemExit(EXIT_CONFIG)


def _as_clause(reason: str) -> str:
    # pydantic's "Input should be …" reads better without its subject after the variable's name.
    return reason.replace("Input should be", "should be", 1).rstrip(".")
