# Built by docker, buildah and podman alike. BASE needs python3 (3.11 or newer) with venv; it is the only thing fetched
# besides the wheels of the two lock files.
ARG BASE=docker.io/library/python:3.13-slim-bookworm

FROM ${BASE} AS build
# Where pip reads certificates, on a network that has an authority of its own.
ARG PIP_CERT=
WORKDIR /srv/scaigrid
COPY requirements.lock requirements-tracing.lock ./
RUN python3 -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --only-binary :all: -r requirements.lock -r requirements-tracing.lock
COPY manage.py LICENSE ./
COPY identity identity
COPY scaicore scaicore
COPY publishing publishing
COPY chatapi chatapi
COPY webui webui
COPY scaigrid_site scaigrid_site
COPY static static
COPY templates templates
COPY flows flows
RUN .venv/bin/python -m compileall -q identity scaicore publishing chatapi webui scaigrid_site

FROM ${BASE}
WORKDIR /srv/scaigrid
COPY --from=build /srv/scaigrid /srv/scaigrid
# Nothing is written below /srv; what an installation without DATABASE_URL or SECRET_KEY keeps goes to SCAIGRID_DATA.
ENV HOST=0.0.0.0 PORT=8000 SCAIGRID_DATA=/data LOG_FORMAT=json PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD [".venv/bin/python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz/live', timeout=4)"]
ENTRYPOINT [".venv/bin/python", "manage.py"]
CMD ["serve"]
