"""One trace from a client's request through the queue to the worker's statements, seen by a collector of OTLP over HTTP."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.api.conftest import SESSIONS
from tests.integration.api.test_frames import jpeg
from tests.integration.api.test_server import Server
from tests.integration.workers.service import Service, WorkerProcess

ROOT = Path(__file__).parents[4]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
#: Milliseconds after which spans are sent by themselves: later than the test.
LATE = "120000"
CALLER = f"00-{TRACE}-00f067aa0ba902b7-01"


class Collector(ThreadingHTTPServer):
    """Takes spans, as a collector does."""

    daemon_threads = False  # so that closing waits for what is under way

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.block_on_close = True
        self.spans: list[tuple[str, Span]] = []
        self.raw: list[bytes] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, trace_id: str) -> dict[str, tuple[str, Span]]:
        """By name, whose it is and the span."""
        return {span.name: (who, span) for who, span in list(self.spans) if span.trace_id.hex() == trace_id}


class _Receive(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            facts = {a.key: a.value.string_value for a in resource.resource.attributes}
            self.server.raw.append(body)
            self.server.spans += [
                (facts["service.name"], span) for scope in resource.scope_spans for span in scope.spans
            ]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.shutdown()
    collector.server_close()


@pytest.fixture
def traced(redis_url: str, tmp_path: Path, collector: Collector) -> Iterator[tuple[Server, WorkerProcess]]:
    """A web process and a worker, both traced."""
    # The worker's vision is the real one: a picture without a face.
    service = Service(redis_url, tmp_path, identity=False, otel_exporter_otlp_endpoint=collector.url)
    service.start_workers(1, module="workers.main", OTEL_BSP_SCHEDULE_DELAY=LATE)
    server = Server(
        service.settings,
        tmp_path / "web.log",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY=LATE,
        IDENTITY="off",
    )
    try:
        yield server, service.workers[0]
    finally:
        server.stop()
        service.close()


@pytest.mark.slow
def test_one_trace_from_the_request_through_the_queue_to_the_rows(
    traced: tuple[Server, WorkerProcess], collector: Collector
) -> None:
    server, worker_process = traced
    session_id = server.http.post(SESSIONS).json()["session_id"]
    picture = jpeg(99)
    answer = server.http.post(
        f"{SESSIONS}/{session_id}/frame", files={"image": ("f.jpg", picture)}, headers={"traceparent": CALLER}
    )
    assert answer.status_code in (200, 422), answer.text
    server.http.get("/livez", headers={"traceparent": CALLER.replace(TRACE, "f" * 32)})
    # Nothing has been sent by itself yet: all of it is sent because the processes end.
    assert not collector.spans
    server.stop()
    worker_process.terminate()
    worker_process.ended()
    spans = collector.of(TRACE)
    who, request = spans[f"POST {SESSIONS}/<session_id>/frame"]
    assert who == "liveness-web"
    _, sending = spans["send frames"]
    worker, work = spans["work measure_frame"]
    assert worker == "liveness-worker"
    assert (sending.parent_span_id, work.parent_span_id) == (request.span_id, sending.span_id)
    assert (request.kind, sending.kind, work.kind) == (
        Span.SPAN_KIND_SERVER,
        Span.SPAN_KIND_PRODUCER,
        Span.SPAN_KIND_CONSUMER,
    )
    below = {span.name for who, span in spans.values() if span.parent_span_id == work.span_id and who == worker}
    assert below, "the worker's commands to Redis are part of it"
    # Nothing of a picture leaves, and nothing that idles is traced.
    assert not [raw for raw in collector.raw if b"JFIF" in raw or picture[100:140] in raw]
    assert "f" * 32 not in {span.trace_id.hex() for _, span in collector.spans}
    roots = {span.name for _, span in collector.spans if not span.parent_span_id}
    assert roots <= {f"POST {SESSIONS}"}


@pytest.mark.slow
def test_nothing_of_it_is_imported_unless_it_is_wanted() -> None:
    """redis-py imports some of OpenTelemetry for itself where it is installed; what we would bring is not there."""
    code = (
        "import sys; from api import create_app; from shared.settings import Settings;"
        "from shared.queue.broker import make_broker, worker_middleware;"
        "s = Settings(_env_file=None); create_app(s); worker_middleware(s);"
        "ours = ('opentelemetry.exporter', 'opentelemetry.instrumentation', 'opentelemetry.sdk.trace', 'requests');"
        "print([m for m in sys.modules if m.startswith(ours)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_missing_packages_are_told_of_at_the_start() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from api import create_app; from shared.settings import Settings\n"
        "create_app(Settings(_env_file=None, otel_exporter_otlp_endpoint='http://localhost:4318'))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert "requirements/tracing.txt" in done.stderr
