# One image for every process of the Procfile: `docker run … IMAGE worker`; without a name it is web. ops/deploy/docker has all of them.
# Runs as nobody in particular, and with a read-only root if /tmp and /app/var are tmpfs.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app

# Everything locked, by hash, from wheels: nothing is compiled. Traces cost nothing until OTEL_EXPORTER_OTLP_ENDPOINT is set.
COPY requirements/runtime.txt requirements/tracing.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --only-binary :all: -r requirements/runtime.txt -r requirements/tracing.txt

# The models, checked by their SHA-256. LANDMARKS=dlib would bring points whose licence excludes commercial use (NOTICE).
COPY ops/__init__.py ops/
COPY ops/run/ ops/run/
ARG LANDMARKS=mesh
RUN --mount=type=cache,target=/root/.cache/pip MODELS_DIR=/models python -m ops.run.models "$LANDMARKS" identity


FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin liveness
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /models /models
COPY LICENSE NOTICE Procfile ./
COPY bin/ bin/
COPY migrations/ migrations/
COPY ops/ ops/
COPY shared/ shared/
COPY workers/ workers/
COPY api/ api/
# Compiled here, since later nothing is written.
RUN python -m compileall -q api ops shared workers && mkdir var && chown liveness var
ARG LANDMARKS=mesh
# AUTH=required: an image runs where others reach it, and no mistyped DATABASE_URL may open it.
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MODELS_DIR=/models LANDMARKS=$LANDMARKS LOG_FORMAT=json PORT=8000 AUTH=required
USER 10001
EXPOSE 8000
# Of web. The others listen nowhere: they end when they cannot go on, and /readyz says who is missing.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/livez', timeout=4)"]
ENTRYPOINT ["bin/role"]
CMD ["web"]
