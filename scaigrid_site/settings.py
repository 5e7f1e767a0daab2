"""Django's settings, all of them drawn from `conf.Conf`."""

from __future__ import annotations

import os

import django_stubs_ext
import environ
from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF

from scaigrid_site import conf, logs
from scaigrid_site.bootstrap import ROOT

# Django's generic classes take their type argument at run time, too: `ModelAdmin[Tenant]`.
django_stubs_ext.monkeypatch()

CONF = conf.read(os.environ)
if not CONF.DATABASE_URL or not CONF.SECRET_KEY:
    raise conf.SettingInvalid("Start through `make serve` or manage.py, or set DATABASE_URL and SECRET_KEY.")

SECRET_KEY = CONF.SECRET_KEY
SECRET_KEY_FALLBACKS = list(CONF.SECRET_KEY_FALLBACKS)
DEBUG = CONF.DEBUG
ALLOWED_HOSTS = CONF.hosts
CSRF_TRUSTED_ORIGINS = [CONF.public_url]

INSTALLED_APPS = [
    "identity",
    "publishing",
    "chatapi",
    "webui",
    "scaigrid_site",
    "identity.apps.StaffConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "servestatic",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "corsheaders",
]
MIDDLEWARE = [
    "scaigrid_site.middleware.request_ids.stamp",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "scaigrid_site.middleware.host_names.HostNames",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "scaigrid_site.middleware.url_values.UrlValues",
]
# What a program's call goes through (`scaigrid_site.http.program_handler`): each of them asynchronous.
PROGRAM_MIDDLEWARE = MIDDLEWARE[:2]
ROOT_URLCONF = "scaigrid_site.urls"
ASGI_APPLICATION = "scaigrid_site.asgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": environ.Env.db_url_config(CONF.DATABASE_URL)
    | {"ENGINE": "publishing.db.postgresql", "CONN_HEALTH_CHECKS": True}
}
DATABASE_POOL_SIZE = CONF.DATABASE_POOL_SIZE
DATABASE_TIMEOUT_S = CONF.DATABASE_TIMEOUT_S
USAGE_GATHER_S = CONF.USAGE_GATHER_S
DRAIN_S = CONF.DRAIN_S
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["identity.backend.TenantBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
CAN_SEND_MAIL = bool(CONF.EMAIL_URL)
if CAN_SEND_MAIL:
    vars().update(environ.Env.email_url_config(CONF.EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = CONF.MAIL_FROM
PASSWORD_RESET_TIMEOUT = 3600
PUBLIC_URL = CONF.public_url
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

SESSION_COOKIE_NAME = f"sessionid{CONF.cookie_suffix}"
CSRF_COOKIE_NAME = f"csrftoken{CONF.cookie_suffix}"
# Django's own keeps them in a cookie that cannot be named.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONF.is_https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if CONF.is_https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONF.is_https else None
SECURE_REFERRER_POLICY = "same-origin"
CORS_ALLOWED_ORIGINS = list(CONF.CORS_ALLOWED_ORIGINS)
CORS_URLS_REGEX = r"^/(?:(?:oai/)?v1/|mcp/?$)"
# What OpenAI's SDK for browsers sends with every call.
STAINLESS = ("arch", "async", "lang", "os", "package-version", "retry-count", "runtime", "runtime-version", "timeout")
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "x-entity-id",
    "openai-organization",
    "openai-project",
    *(f"x-stainless-{name}" for name in STAINLESS),
    *(f"mcp-{name}" for name in ("protocol-version", "method", "name", "session-id")),
]
CORS_EXPOSE_HEADERS = [
    *("x-request-id", "x-scai-ignored-params", "x-should-retry", "retry-after", "x-scai-limit-warning"),
    *("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    *("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "static"]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = False

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "scaigrid_site.formats"

DATA_UPLOAD_MAX_MEMORY_SIZE = CONF.MAX_BODY_BYTES
MAX_BODY_BYTES = CONF.MAX_BODY_BYTES
HEAD_TIMEOUT_S = CONF.HEAD_TIMEOUT_S
BODY_TIMEOUT_S = CONF.BODY_TIMEOUT_S
READER_TIMEOUT_S = CONF.READER_TIMEOUT_S
MAX_UNFINISHED_REQUESTS = CONF.MAX_UNFINISHED_REQUESTS
METRICS_ADDRESS = CONF.METRICS_ADDRESS
OTEL_EXPORTER_OTLP_ENDPOINT = CONF.OTEL_EXPORTER_OTLP_ENDPOINT
ACCESS_LOG = CONF.ACCESS_LOG
MAX_RUNS = CONF.MAX_RUNS
MAX_QUEUED = CONF.MAX_QUEUED
QUEUE_S = CONF.QUEUE_S
MAX_RUNS_PER_TENANT = CONF.MAX_RUNS_PER_TENANT
MAX_RUNS_PER_KEY = CONF.MAX_RUNS_PER_KEY
MAX_STREAMS_PER_KEY = CONF.MAX_STREAMS_PER_KEY
RUN_DEADLINE_S = CONF.RUN_DEADLINE_S
MAX_RUNS_PER_REQUEST = CONF.MAX_RUNS_PER_REQUEST
MAX_TOKENS_PER_REQUEST = CONF.MAX_TOKENS_PER_REQUEST
ENTITY_WAIT_S = CONF.ENTITY_WAIT_S
MAX_ENTITIES_PER_USER = CONF.MAX_ENTITIES_PER_USER
TRACE_DAYS = CONF.TRACE_DAYS
USAGE_DAYS = CONF.USAGE_DAYS
STORED_DAYS = CONF.STORED_DAYS
KEEP_ALIVE_S = CONF.KEEP_ALIVE_S
LEAN_DOOR = CONF.LEAN_DOOR
OUTBOUND_ALLOWED_HOSTS = CONF.OUTBOUND_ALLOWED_HOSTS
IMAGE_ALLOWED_HOSTS = CONF.IMAGE_ALLOWED_HOSTS
MODEL_PROVIDERS = CONF.model_providers

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["publishing.api.policies.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "publishing.api.policies.KeyHasNoLimit",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["publishing.api.policies.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "publishing.api.policies.IgnoreAccept",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ScaiGrid Publish",
    "DESCRIPTION": "Publish agent flows as chat models, and call them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "ENUM_NAME_OVERRIDES": {"UserRoleEnum": "identity.models.Role"},
    "LICENSE": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": "/", "description": "This server"}],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "webhookSignature": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Hub-Signature-256",
                "description": "HMAC-SHA256 of the body with the webhook's secret; the flow's entry names the header.",
            }
        }
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
    "PREPROCESSING_HOOKS": ["publishing.api.openapi.one_path_each"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
}

LOGGING = logs.config(level=CONF.LOG_LEVEL, style=CONF.LOG_FORMAT)
