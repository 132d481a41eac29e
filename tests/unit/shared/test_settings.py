from __future__ import annotations

import pytest
from kombu import Connection
from pika import URLParameters
from pydantic import ValidationError

from shared import settings
from shared.settings import EXIT_CONFIG, Settings, get_settings, load_settings_or_exit


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """No variable and no .env from outside."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()


def test_the_queue_and_the_events_follow_redis_unless_told_otherwise(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:1/2")
    assert Settings().queue_url == Settings().events_url == "redis://elsewhere:1/2"
    monkeypatch.setenv("QUEUE_URL", "amqp://rabbit")
    assert Settings().queue_url == Settings().events_url == "amqp://rabbit"
    monkeypatch.setenv("EVENTS_URL", "redis://events")
    assert Settings().events_url == "redis://events"
    assert Settings().redis_url == "redis://elsewhere:1/2"


@pytest.mark.parametrize("path", ["", "/", "//", "/%2F"])
def test_every_spelling_of_rabbitmqs_first_virtual_host_means_it_to_queue_and_events(monkeypatch, path):
    monkeypatch.setenv("QUEUE_URL", f"amqp://u:p@h:5672{path}")
    assert URLParameters(Settings().queue_url).virtual_host == "/"
    assert Connection(Settings().events_url).virtual_host == "/"


@pytest.mark.parametrize("certificates", ["required", "none"])
def test_every_tls_address_of_redis_says_which_certificates_it_takes(monkeypatch, certificates):
    monkeypatch.setenv("REDIS_CERTIFICATES", certificates)
    monkeypatch.setenv("REDIS_URL", "rediss://:p@h:6380")
    monkeypatch.setenv("EVENTS_URL", "rediss://e/1?client_name=me")
    assert Settings().redis_url == Settings().queue_url == f"rediss://:p@h:6380?ssl_cert_reqs={certificates}"
    assert Settings().events_url == f"rediss://e/1?client_name=me&ssl_cert_reqs={certificates}"
    monkeypatch.setenv("REDIS_URL", "redis://h")
    monkeypatch.setenv("EVENTS_URL", "amqps://h")
    assert (Settings().redis_url, Settings().events_url) == ("redis://h", "amqps://h")


def test_an_address_that_names_its_certificates_is_left_alone(monkeypatch):
    monkeypatch.setenv("REDIS_CERTIFICATES", "none")
    monkeypatch.setenv("REDIS_URL", "rediss://h?ssl_cert_reqs=required")
    assert Settings().redis_url == "rediss://h?ssl_cert_reqs=required"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_psycopg_3(monkeypatch, scheme):
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://u:p@h/d")
    assert Settings().database_url == "postgresql+psycopg://u:p@h/d"


def test_an_empty_variable_means_the_default(monkeypatch):
    monkeypatch.setenv("QUEUE_URL", "")
    assert Settings().queue_url == Settings().redis_url


def test_a_dotenv_file_is_read_where_there_is_one_and_the_environment_wins(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("PORT=1234\nSESSION_TTL=60\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("SESSION_TTL", "90")
    assert (Settings().port, Settings().session_ttl) == (1234, 90.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "\n"), ("", "\r\n"), (" \t", " "), ("\ufeff", "\n"), ('"', '"\n'), ("'", "'"), ("\u200b", "\u00a0")],
)
def test_what_a_file_or_a_platform_leaves_around_a_value_is_not_part_of_it(monkeypatch, before, after):
    given = {
        "TOKEN_SECRET": "s" * 32,
        "METRICS_TOKEN": "m" * 16,
        "REDIS_URL": "redis://:p@h:1/0",
        "QUEUE_URL": "amqp://u:p@h:1/v",
        "DATABASE_URL": "postgresql+psycopg://u:p@h:1/d",
        "ISSUER": "https://liveness.example.org",
        "PORT": "8001",
        "LAB": "on",
        "PRESET": "strict",
        "LOG_FORMAT": "json",
        "STATE_DIR": "var/state",
        "CORS_ORIGINS": "https://www.example.org",
        "LIMIT_FRAMES": "9/second",
    }
    plain = Settings(_env_file=None, **{name.lower(): value for name, value in given.items()})
    for name, value in given.items():
        monkeypatch.setenv(name, f"{before}{value}{after}")
    assert Settings(_env_file=None) == plain
    assert plain.token_secret is not None
    assert plain.token_secret.get_secret_value() == "s" * 32


@pytest.mark.parametrize("nothing", ["\n", " ", '""', "''\n", "\ufeff"])
def test_a_value_of_nothing_else_means_the_default(monkeypatch, nothing):
    monkeypatch.setenv("QUEUE_URL", nothing)
    monkeypatch.setenv("TOKEN_SECRET", nothing)
    assert Settings().queue_url == Settings().redis_url
    assert Settings().token_secret is None


def test_quotes_within_a_value_are_part_of_it(monkeypatch):
    secret = '"' + "s" * 15 + '"' + "s" * 15
    monkeypatch.setenv("TOKEN_SECRET", secret)
    assert Settings().token_secret.get_secret_value() == secret


def test_a_dotenv_file_of_windows_is_read(tmp_path):
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfPORT=1234\r\nLAB=on\r\n")
    assert (Settings().port, Settings().lab) == (1234, True)


def test_one_in_another_encoding_is_told_in_a_sentence(tmp_path, capsys):
    (tmp_path / ".env").write_bytes("PORT=1234\n".encode("utf-16"))
    with pytest.raises(SystemExit) as exit_:
        load_settings_or_exit()
    assert exit_.value.code == EXIT_CONFIG
    assert "UTF-8" in capsys.readouterr().err


def test_every_setting_is_described_and_none_can_be_changed():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "localhost:6379"),
        ("QUEUE_URL", "http://x"),
        ("EVENTS_URL", "kafka://x"),
        ("DATABASE_URL", "mysql://u:secret@h/d"),
        ("SESSION_TTL", "soon"),
        ("FRAME_DEADLINE", "0"),
        ("FRAME_DEADLINE", "60"),
        ("RETENTION_HOURS", "-1"),
        ("LANDMARKS", "guess"),
        ("PORT", "70000"),
        ("WORKER_PROCESSES", "0"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_one_refuses_the_start_with_one_sentence_that_names_it(monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as exit_:
        load_settings_or_exit()
    said = capsys.readouterr().err
    assert exit_.value.code == EXIT_CONFIG
    assert name in said
    assert said.count("\n") == 1
    assert "secret" not in said
    named = {field.upper() for field in Settings.model_fields if field.upper() in said}
    assert named == {name}


def test_right_ones_start(monkeypatch):
    monkeypatch.setenv("FRAME_DEADLINE", "2.5")
    assert load_settings_or_exit() is get_settings()
    assert settings.get_settings().frame_deadline == 2.5
