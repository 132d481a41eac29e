"""Everything that is set from outside, by environment variables of the same names (or in a `.env` file).

Each process asks for its settings once, by `load_settings_or_exit()` where it starts and by `get_settings()` anywhere
else; they do not change while it runs. A new setting is one described field here and one line in `.env.example`.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.evidence_weights import read_weights
from shared.liveness.evidence import FITTED, Preset, Weighing
from shared.liveness.session import LONGEST_TRANSIT
from shared.redis.buckets import Rate

#: Seconds that lie between the API's giving up on a frame and the first moment at which a clock may fail its session:
#: a frame that was picked up just before its deadline must still find the session as it was.
JUDGING_TIME = 1.0

#: How a process that refuses to start because of a setting ends (sysexits.h: EX_CONFIG).
EXIT_CONFIG = 78


def _redis(url: str, before: ValidationInfo) -> str:
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return _with_certificates(url, before)


def _queue(url: str, before: ValidationInfo) -> str:
    if not url.startswith(("redis://", "rediss://", "unix://", "amqp://", "amqps://")):
        raise ValueError("must begin with redis://, rediss://, unix://, amqp:// or amqps://")
    if url.startswith("amqp") and url.endswith("//"):
        url = url[:-1] + "%2F"  # kombu's word for the virtual host "/", which pika takes for one without a name
    return _with_certificates(url, before)


def _with_certificates(url: str, before: ValidationInfo) -> str:
    """The address with REDIS_CERTIFICATES in it, where redis-py and kombu alike look for it.

    Also where it is `required`: kombu, unless it is told, takes any certificate.
    """
    if not url.startswith("rediss://") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs={before.data.get('redis_certificates', 'required')}"


def _database(url: str) -> str:
    # Platforms hand out postgres:// (Heroku) or postgresql://; SQLAlchemy would take these for psycopg 2.
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    if not url.startswith(("sqlite://", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:///, postgres:// or postgresql://")
    return url


def _rate(text: str) -> str:
    Rate.parse(text)
    return text


def _origins(text: str) -> str:
    for origin in filter(None, (part.strip() for part in text.split(","))):
        if not re.fullmatch(r"https?://[a-zA-Z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?", origin):
            raise ValueError(
                "must be origins with commas between, as in https://www.example.org, without a path or a star"
            )
    return text


def _weights(path: Path | None) -> Path | None:
    if path is not None:
        read_weights(path)
    return path


def _redis_url_before(data: dict[str, Any]) -> str:
    return str(data["redis_url"])


def _queue_url_before(data: dict[str, Any]) -> str:
    return str(data["queue_url"])


class Settings(BaseSettings):
    """The settings of web, workers and clock alike. Times are seconds where nothing else is said."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_file=".env",
        env_ignore_empty=True,  # `QUEUE_URL=` in a .env means: the default
        extra="ignore",  # the .env may hold variables of other programs
        hide_input_in_errors=True,  # an address holds a password
        validate_default=True,
    )

    # Before the addresses, into which it goes.
    redis_certificates: Literal["required", "none"] = Field(
        "required",
        description="Whether the certificate of a rediss:// server must be one that is trusted; none: encrypted, but to "
        "whomever answers, for platforms whose servers sign their own (Heroku), and for nothing else.",
    )
    redis_url: Annotated[str, AfterValidator(_redis)] = Field(
        "redis://localhost:6379/0",
        description="Redis for pictures on their way, answers, limits; and the queue, unless QUEUE_URL says otherwise.",
    )
    database_url: Annotated[str, AfterValidator(_database)] = Field(
        "sqlite:///var/liveness.db", description="Where sessions are kept: sqlite:///path or postgresql://…"
    )
    queue_url: Annotated[str, AfterValidator(_queue)] = Field(
        default_factory=_redis_url_before,
        description="What carries frames to the workers: redis://… or amqp://… (RabbitMQ). Default: REDIS_URL.",
    )
    events_url: Annotated[str, AfterValidator(_queue)] = Field(
        default_factory=_queue_url_before,
        description="Where events are published: redis://… or amqp://…. Default: QUEUE_URL.",
    )

    issuer: str = Field(
        "liveness",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="What this service calls itself, in events (`source`) and verdicts (`iss`): best its public address.",
    )
    events_retention_hours: float = Field(
        168.0,
        ge=1,
        le=24 * 366,
        description="Hours after which an event that could not be published (no broker, no process `events`) is given up.",
    )

    webhooks_private: bool = Field(
        False,
        description="Whether webhooks may lead into the network, and by plain http: for development. on or off.",
    )

    auth: Literal["auto", "required", "off"] = Field(
        "auto",
        description="Who is asked for an API key: auto: everyone, once the first key has been made (ops/keys); required: "
        "everyone, also before; off: nobody, for a service that something else guards.",
    )
    token_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="From which session tokens are signed and subjects hashed; the same for all web processes. Default: one "
        "that is made once and kept in the database.",
    )
    client_sees_verdict: bool = Field(
        True,
        description="Whether answers to session tokens and client keys carry is_live; off: it is null there, and only a "
        "server key reads the verdict. on or off.",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "",
        description="Other sites whose pages may call this API from a browser: https://www.example.org, with commas "
        "between. Default: none.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="How many proxies are before this service that add to X-Forwarded-For; the address of a client is the "
        "one that the first of them saw.",
    )
    limit_sessions_by_key: Annotated[str, AfterValidator(_rate)] = Field(
        "1200/minute", description="How many sessions each API key may create: 30/minute, 5/second, off."
    )
    limit_sessions_by_address: Annotated[str, AfterValidator(_rate)] = Field(
        "30/minute",
        description="How many sessions may be created from an address (IPv6: a /64) with client keys, or without any.",
    )
    limit_frames: Annotated[str, AfterValidator(_rate)] = Field(
        "20/second", description="How many frames each session may submit; a client sends 5 to 10 a second."
    )

    session_ttl: float = Field(300.0, ge=10, le=86400, description="A session that has not ended by then expires.")
    frame_deadline: float = Field(
        5.0,
        gt=0,
        le=LONGEST_TRANSIT - JUDGING_TIME,
        description="A frame that no worker has answered by then gets a 503 and is not worked on any more.",
    )
    frame_ttl: float = Field(
        15.0, ge=LONGEST_TRANSIT, le=300, description="A picture that nobody has come for is gone from Redis by then."
    )
    retention_hours: float = Field(
        24.0, ge=0, le=24 * 366, description="Hours that the row of an ended session is kept."
    )
    audit_days: float = Field(
        90.0, ge=0, le=3660, description="Days that the audit trail keeps who did what to a session."
    )
    tombstone_days: float = Field(
        90.0, ge=0, le=3660, description="Days that it is kept that a session was deleted, when, and by whom."
    )
    attempts: int = Field(
        5, ge=0, le=1000, description="How many failed sessions a subject may have in ATTEMPTS_WINDOW; 0: any number."
    )
    attempts_window: float = Field(
        3600.0, ge=60, le=30 * 86400, description="Seconds for which a failed session counts."
    )
    preset: Preset = Field(
        Preset.STANDARD,
        description="How much evidence a verdict asks for, unless a session's creation says otherwise: docs/evidence.md.",
    )

    liveness_threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="The least score of a live session, in place of the preset's; not where a session names a preset.",
    )
    evidence_weights: Annotated[Path | None, AfterValidator(_weights)] = Field(
        None, description="A file of weights made by ops/evaluate --fit, in place of those that the service comes with."
    )

    identity: bool = Field(
        True, description="Whether the faces of a session are compared: it must be one person all the way. on or off."
    )

    frames_per_session: int = Field(
        8, ge=1, le=1000, description="Frames of one session that may be under way; what comes beside them gets a 429."
    )
    frames_per_worker: int = Field(
        24,
        ge=1,
        le=10_000,
        description="Frames of all sessions that may be under way, for each worker process; what comes beside them gets a "
        "503 before it is read, and from three quarters of them on what comes of a session that has not begun. Fewer than "
        "the web's threads, who have to refuse it.",
    )
    frame_wait: float = Field(
        2.0,
        gt=0,
        le=LONGEST_TRANSIT,
        description="Seconds that the oldest waiting frame may have waited; while it has, others get a 503.",
    )

    max_frame_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="A larger picture is refused before it is read."
    )
    max_pixels: int = Field(
        25_000_000, ge=10_000, le=200_000_000, description="A picture with more is refused before it is decoded."
    )
    landmarks: Literal["mesh", "dlib"] = Field(
        "mesh", description="Which engine finds the points of a face. The licence of dlib's excludes commercial use."
    )
    models_dir: Path = Field(Path("var/models"), description="The directory of the models.")

    port: int = Field(8000, ge=1, le=65535, description="The port that the web process listens on.")
    web_concurrency: int = Field(1, ge=1, le=64, description="Number of web processes.")
    web_threads: int = Field(
        64, ge=1, le=512, description="Threads of each web process; a frame holds one until it is answered."
    )
    worker_processes: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Number of worker processes; each works on one frame at a time. Default: one a processor.",
    )

    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Whoever asks for /metrics must send it. Without it there is no such address, and nothing is counted.",
    )
    lab: bool = Field(
        False,
        description="Whether there is a page /lab that plots what the judges see, and the call that it asks. For "
        "development. on or off.",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None, pattern="^https?://", description="Where traces are sent, by OTLP over HTTP. Unset: no traces."
    )
    otel_traces_sampler_arg: float = Field(1.0, ge=0, le=1, description="The share of requests that is traced.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="The least that is logged.")
    log_format: Literal["console", "json"] = Field("console", description="console for people, json for machines.")

    @cached_property
    def weighing(self) -> Weighing:
        """What verdicts go by: the file at EVIDENCE_WEIGHTS, else what the service comes with."""
        return FITTED if self.evidence_weights is None else read_weights(self.evidence_weights)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process. Raises pydantic's ValidationError where one is wrong."""
    return Settings()


def load_settings_or_exit() -> Settings:
    """`get_settings()`; where one is wrong, this process ends with a sentence that names the variable."""
    try:
        return get_settings()
    except ValidationError as error:
        refuse(what_is_wrong(error))


def what_is_wrong(error: ValidationError) -> str:
    """One sentence that names each variable that is wrong, and says why; never its value, which may be a secret."""
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        if fault["type"] == "default_factory_not_called":
            continue  # it would have been taken from another one, and that one is named already
        reason = fault["msg"].removeprefix("Value error, ")
        faults.append(f"{'.'.join(str(part) for part in fault['loc']).upper()} {_as_clause(reason)}")
    return "Not started, because of the settings: " + "; ".join(faults) + "."


def refuse(sentence: str) -> NoReturn:
    """End this process, saying why."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
    raise SystemExit(EXIT_CONFIG)


def _as_clause(reason: str) -> str:
    # pydantic says "Input should be …": after the variable's name that reads better without its subject.
    return reason.replace("Input should be", "should be", 1).rstrip(".")
