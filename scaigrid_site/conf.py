"""Every setting of the installation: one typed reader, described fields, safe defaults.

`docs/settings.md` shows this table, and a test compares the two.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

import environ
import msgspec

from scaicore.model_options import ModelOptions

_HOST_ENTRY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:[0-9]{1,5})?")


# As Django compares them with a request's host: without scheme, port, path or underscore.
_DJANGO_HOST = re.compile(r"\*|\.?[a-z0-9-]+(\.[a-z0-9-]+)*|\[[a-f0-9]*:[a-f0-9.:]+\]", re.IGNORECASE)


class SettingInvalid(SystemExit):
    """A setting has a value that the program cannot start with; the text says which and what to do."""


def _described(doc: str, default: Any) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class Conf:
    """The installation's settings, read once at start from the environment."""

    DATABASE_URL: str = _described(
        "PostgreSQL 14 or newer, `postgresql://user:password@host:5432/name`. Empty: the embedded PostgreSQL 18.", ""
    )
    SCAIGRID_DATA: Path = _described("Folder of the embedded database and the generated secret key.", Path(".data"))
    SECRET_KEY: str = _described(
        "Signs sessions. Empty: generated once into `SCAIGRID_DATA`. Set it when several machines serve one site.", ""
    )
    HOST: str = _described("Address that the server listens on.", "127.0.0.1")
    PORT: int = _described("Port that the server listens on.", 8000)
    WORKERS: int = _described("Server processes. All state is in PostgreSQL, so any number gives the same answers.", 1)
    SECRET_KEY_FALLBACKS: tuple[str, ...] = _described(
        "Earlier secret keys, comma-separated. What they signed or sealed is still read; new things get `SECRET_KEY`.",
        (),
    )
    PUBLIC_URL: str = _described(
        "The address that people use, e.g. `https://grid.example.com`. Decides allowed hosts and secure cookies. "
        "Empty: `http://127.0.0.1:{PORT}`.",
        "",
    )
    EMAIL_URL: str = _described(
        "The mail server, e.g. `smtp+tls://user:password@mail.example.com:587`. Empty: no mail is sent, and nobody can "
        "have a forgotten password reset by mail.",
        "",
    )
    MAIL_FROM: str = _described("The sender of mails.", "scaigrid@localhost")
    ALLOWED_HOSTS: tuple[str, ...] = _described(
        "More host names, comma-separated, under which the web pages answer.", ()
    )
    CORS_ALLOWED_ORIGINS: tuple[str, ...] = _described(
        "Origins of other sites whose pages may call `/v1` and `/mcp` from the browser, comma-separated, each like "
        "`https://chat.example.com`.",
        (),
    )
    METRICS_ADDRESS: str = _described(
        "Where Prometheus reads the metrics, as `host:port`; they are never on the public port. Empty: nothing is "
        "counted.",
        "",
    )
    OTEL_EXPORTER_OTLP_ENDPOINT: str = _described(
        "Where traces go, by OTLP over HTTP, such as `http://collector:4318`. Empty: nothing is traced.",
        "",
    )
    ACCESS_LOG: bool = _described(
        "Write a line of the log for each request; a proxy in front does that already.", False
    )
    MAX_BODY_BYTES: int = _described("Largest accepted request body, in bytes.", 20_000_000)
    HEAD_TIMEOUT_S: float = _described(
        "How long the URL and headers of a request may take to arrive, in seconds; also how long a new connection may "
        "be silent.",
        10.0,
    )
    BODY_TIMEOUT_S: float = _described("How long the body of a request may take to arrive, in seconds.", 120.0)
    READER_TIMEOUT_S: float = _described(
        "How long a caller may read nothing of an answer before it is hung up on, in seconds.", 60.0
    )
    MAX_UNFINISHED_REQUESTS: int = _described(
        "Requests that each process waits for at the same time. Beyond, the one that has taken longest is hung up on.",
        1000,
    )
    MAX_RUNS: int = _described(
        "Calls that each process works on at the same time, those that wait for a model included. Further ones wait in "
        "line.",
        500,
    )
    MAX_QUEUED: int = _described(
        "Calls that may wait in line for one of `MAX_RUNS` to end. Beyond, a call answers 503 at once.", 500
    )
    QUEUE_S: float = _described("How long a call may wait in line, in seconds; then it answers 503.", 5.0)
    USAGE_GATHER_S: float = _described(
        "How long finished runs are gathered before they are written to the ledger together, in seconds. "
        "What was not written is lost when the process is killed outright.",
        0.02,
    )
    MAX_RUNS_PER_TENANT: int = _described(
        "Runs of one tenant at the same time in each process. Beyond, a call answers 429.", 400
    )
    MAX_RUNS_PER_KEY: int = _described(
        "Runs of one key at the same time in each process. Beyond, a call answers 429.", 200
    )
    MAX_STREAMS_PER_KEY: int = _described(
        "Streams that one key may have open in each process. Beyond, a call answers 429.", 200
    )
    RUN_DEADLINE_S: float = _described(
        "Longest time that one call of a Core may run, in seconds, the Cores that it calls included.", 300.0
    )
    MAX_RUNS_PER_REQUEST: int = _described(
        "How many runs of Cores one request may cause: its own, and those of the Cores that call each other.", 200
    )
    MAX_TOKENS_PER_REQUEST: int = _described(
        "How many tokens language models may report for one request, in all of its runs together.", 1_000_000
    )
    ENTITY_WAIT_S: float = _described(
        "How long a call waits for another call of its entity before it answers 409, in seconds.", 30.0
    )
    MAX_ENTITIES_PER_USER: int = _described(
        "Most entities that one Core keeps for each user, or for its tenant where the tenant shares them. A new one "
        "beyond answers 429; those that exist go on to work.",
        10_000,
    )
    OUTBOUND_ALLOWED_HOSTS: tuple[str, ...] = _described(
        "Hosts that flows and model providers may call although their addresses are not public, comma-separated, "
        "each `host` or `host:port`. Every other host must be public.",
        (),
    )
    IMAGE_ALLOWED_HOSTS: tuple[str, ...] = _described(
        "Hosts from which images that callers link are fetched although their addresses are not public, "
        "comma-separated, each `host` or `host:port`. Every other host must be public.",
        (),
    )
    MODEL_PROVIDERS: str = _described(
        'Model providers of every tenant, as JSON: `{"ref": {"base_url": "…/v1", "api_key": "…", "timeout_s": 60, '
        '"options": {}}}`. Key, seconds and options may be left out; the hosts need not be public. '
        "A tenant's own provider of the same ref wins.",
        "{}",
    )
    TRACE_DAYS: int = _described("How long run traces are kept, in days.", 14)
    USAGE_DAYS: int = _described(
        "How long usage records are kept, in days; the sums of each day stay. 0: nothing is removed.", 0
    )
    STORED_DAYS: int = _described(
        "How long answers that callers have stored are kept, in days. 0: nothing is stored, whatever a caller says.",
        30,
    )
    KEEP_ALIVE_S: float = _described("Silence after which a stream sends a comment line, in seconds.", 15.0)
    DATABASE_POOL_SIZE: int = _described("Connections that each process keeps for chat calls.", 8)
    DATABASE_TIMEOUT_S: float = _described(
        "How long a request waits for the database before it answers 503, in seconds: for a connection and its "
        "statements together. Commands wait as long as it takes.",
        5.0,
    )
    DRAIN_S: float = _described(
        "How long after SIGTERM new calls are still taken while others run, in seconds. `/healthz/ready` answers 503 "
        "meanwhile, so that load balancers send no more. A process without calls ends at once.",
        5.0,
    )
    SHUTDOWN_TIMEOUT_S: int = _described("How long running calls may finish after SIGTERM, in seconds.", 30)
    LEAN_DOOR: bool = _described(
        "Answer `POST /v1/chat/completions` in front of Django. Off: the DRF view answers; same answers, slower.", True
    )
    LOG_LEVEL: str = _described("`DEBUG`, `INFO`, `WARNING` or `ERROR`.", "INFO")
    LOG_FORMAT: str = _described("`console` for people, `json` for machines.", "console")
    DEBUG: bool = _described("Django's debug pages. Never on a machine that others reach.", False)

    @property
    def public_url(self) -> str:
        """The address that people use, without a trailing slash."""
        # A server on the IPv6 loopback alone does not answer at the other one.
        loopback = "[::1]" if self.HOST == "::1" else "127.0.0.1"
        return (self.PUBLIC_URL or f"http://{loopback}:{self.PORT}").rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether people reach the site over TLS, so that cookies can insist on it."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def cookie_suffix(self) -> str:
        """What the names of cookies end with: the port, where the address names one.

        Browsers keep cookies by host and not by port, so two installations on one host would sign each other out.
        """
        port = urlsplit(self.public_url).port
        return f"_{port}" if port else ""

    @property
    def model_providers(self) -> dict[str, dict[str, Any]]:
        """The operator's model providers by ref."""
        given: dict[str, dict[str, Any]] = json.loads(self.MODEL_PROVIDERS)
        return given

    @property
    def hosts(self) -> list[str]:
        """Host names that a request may name; loopback is always among them."""
        return [
            urlsplit(self.public_url).hostname or "127.0.0.1",
            "127.0.0.1",
            "localhost",
            "[::1]",
            *self.ALLOWED_HOSTS,
        ]


def read(environment: Mapping[str, str]) -> Conf:
    """The settings in `environment`; a value of the wrong type or range stops the program with a sentence."""
    reader = environ.Env()
    reader.ENVIRON = environment
    hints = get_type_hints(Conf)
    values = {f.name: _value(reader, f.name, hints[f.name], f.default) for f in fields(Conf)}
    conf = Conf(**values)
    _check(conf)
    return conf


def _value(reader: environ.Env, name: str, kind: type, default: Any) -> Any:
    if name not in reader.ENVIRON or reader.ENVIRON[name] == "":
        return default
    if kind is str:
        return reader.ENVIRON[name]
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in reader.ENVIRON[name].split(",") if part.strip())
    try:
        return kind(reader.ENVIRON[name]) if kind is Path else reader.get_value(name, cast=kind)
    except ValueError:
        raise SettingInvalid(f"{name} must be a {kind.__name__}, not {reader.ENVIRON[name]!r}.") from None


def _check(conf: Conf) -> None:
    for name in (
        "PORT",
        "WORKERS",
        "MAX_BODY_BYTES",
        "DATABASE_POOL_SIZE",
        "RUN_DEADLINE_S",
        "MAX_RUNS_PER_REQUEST",
        "MAX_TOKENS_PER_REQUEST",
        "TRACE_DAYS",
        "ENTITY_WAIT_S",
        "MAX_ENTITIES_PER_USER",
        "KEEP_ALIVE_S",
        "HEAD_TIMEOUT_S",
        "BODY_TIMEOUT_S",
        "READER_TIMEOUT_S",
        "MAX_UNFINISHED_REQUESTS",
        "MAX_RUNS",
        "QUEUE_S",
        "MAX_RUNS_PER_TENANT",
        "MAX_RUNS_PER_KEY",
        "MAX_STREAMS_PER_KEY",
        "DATABASE_TIMEOUT_S",
    ):
        if getattr(conf, name) <= 0:
            raise SettingInvalid(f"{name} must be greater than 0.")
    for name in ("DRAIN_S", "MAX_QUEUED", "USAGE_GATHER_S", "USAGE_DAYS", "STORED_DAYS"):
        if getattr(conf, name) < 0:
            raise SettingInvalid(f"{name} must be 0 or greater.")
    _check_words(conf)
    _check_outbound(conf)
    _check_providers(conf)


def _check_words(conf: Conf) -> None:
    if conf.PORT > 65535:
        raise SettingInvalid("PORT must be at most 65535.")
    for name in ("USAGE_DAYS", "STORED_DAYS"):
        if getattr(conf, name) > 36_500:
            raise SettingInvalid(f"{name} must be at most 36500.")
    if urlsplit(conf.public_url).scheme not in ("http", "https"):
        raise SettingInvalid("PUBLIC_URL must start with http:// or https://.")
    if conf.EMAIL_URL and conf.EMAIL_URL.partition("://")[0] not in environ.Env.EMAIL_SCHEMES:
        raise SettingInvalid("EMAIL_URL must start with one of " + ", ".join(sorted(environ.Env.EMAIL_SCHEMES)) + ".")
    if conf.METRICS_ADDRESS and not re.fullmatch(r"[^\s/]+:[0-9]{1,5}", conf.METRICS_ADDRESS):
        raise SettingInvalid("METRICS_ADDRESS must be host:port, such as 127.0.0.1:9464.")
    _check_traces(conf.OTEL_EXPORTER_OTLP_ENDPOINT)
    _check_addresses(conf)
    if conf.LOG_FORMAT not in ("console", "json"):
        raise SettingInvalid("LOG_FORMAT must be console or json.")
    if conf.LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingInvalid("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")


def _check_traces(endpoint: str) -> None:
    if not endpoint:
        return
    if not endpoint.startswith(("http://", "https://")):
        raise SettingInvalid("OTEL_EXPORTER_OTLP_ENDPOINT must start with http:// or https://.")
    if importlib.util.find_spec("opentelemetry") is None:
        raise SettingInvalid(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but what traces need is not installed: run "
            ".venv/bin/python -m pip install --require-hashes -r requirements-tracing.lock"
        )


def _check_addresses(conf: Conf) -> None:
    url = urlsplit(conf.public_url)
    if not url.hostname or url.path or url.query or url.fragment:
        raise SettingInvalid(
            "PUBLIC_URL must be scheme and host alone, such as https://grid.example.com: the site has no path."
        )
    for name in conf.ALLOWED_HOSTS:
        if not _DJANGO_HOST.fullmatch(name):
            raise SettingInvalid(f"ALLOWED_HOSTS must list host names without scheme, port or path, not {name!r}.")


def _check_outbound(conf: Conf) -> None:
    for origin in conf.CORS_ALLOWED_ORIGINS:
        if not re.fullmatch(r"https?://[^/?#\s*]+", origin):
            raise SettingInvalid(f"CORS_ALLOWED_ORIGINS must list scheme://host or scheme://host:port, not {origin!r}.")
    for name in ("OUTBOUND_ALLOWED_HOSTS", "IMAGE_ALLOWED_HOSTS"):
        for entry in getattr(conf, name):
            if not _HOST_ENTRY.fullmatch(entry):
                raise SettingInvalid(f"{name} must list host or host:port, not {entry!r}.")


def _check_providers(conf: Conf) -> None:
    """The text itself is never shown: it holds keys."""
    try:
        given = json.loads(conf.MODEL_PROVIDERS)
        wrong = [ref for ref, provider in given.items() if not _is_provider(ref, **provider)]
    except (ValueError, TypeError, AttributeError):
        raise SettingInvalid('MODEL_PROVIDERS must be JSON such as {"house": {"base_url": "…"}}.') from None
    if wrong:
        raise SettingInvalid(
            f"MODEL_PROVIDERS: {wrong[0][:80]!r} is not a ref with an http(s) base_url and seconds > 0, "
            "or has options that docs/flows.md does not list."
        )


def _is_provider(
    ref: str, *, base_url: str, api_key: str = "", timeout_s: float = 60.0, options: object = None
) -> bool:
    url = urlsplit(base_url)
    has_url = url.scheme in ("http", "https") and bool(url.hostname) and url.username is None
    has_key = isinstance(api_key, str) and (not api_key or (api_key.isascii() and api_key.isprintable()))
    has_time = not isinstance(timeout_s, bool) and 0 < timeout_s <= 3600
    return bool(ref) and has_url and has_key and has_time and (options is None or _are_options(options))


def _are_options(options: object) -> bool:
    try:
        msgspec.convert(options, ModelOptions)
    except msgspec.ValidationError:
        return False
    return True
