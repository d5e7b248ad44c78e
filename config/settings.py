"""Django settings: one file, read from the environment; safe by default, comfortable on a developer's machine.

Variables (all optional): ``HILLTOP_SECRET_KEY``, ``HILLTOP_SECRET_KEY_FALLBACKS``, ``HILLTOP_METRICS_TOKEN``,
``HILLTOP_DEBUG``, ``HILLTOP_HOSTS``, ``HILLTOP_ORIGINS``,
``HILLTOP_HTTPS``, ``HILLTOP_PROXIES``, ``HILLTOP_PREFIX``, ``HILLTOP_MAIL``, ``HILLTOP_MAIL_FROM``,
``HILLTOP_VAR``, ``HILLTOP_CACHE_BYTES``, ``HILLTOP_ERASURE_DAYS``, ``HILLTOP_INTAKE_ROOTS``, ``HILLTOP_BUCKETS``,
``HILLTOP_FETCH_NETWORKS``, ``HILLTOP_EVENT_DAYS``, ``HILLTOP_WEBHOOK_PAUSES``, ``HILLTOP_QUIET``, ``HILLTOP_SLACK_TOKEN``,
``HILLTOP_SLACK_SIGNING_SECRET``, ``HILLTOP_SLACK_API``,
``HILLTOP_STORAGE``, ``HILLTOP_LOG``, ``HILLTOP_MAX_BYTES``, ``HILLTOP_MAX_UPLOAD_BYTES``, ``HILLTOP_MAX_PIXELS``,
``HILLTOP_MIN_SIDE``, ``HILLTOP_PREDICT_SOCKET``, ``HILLTOP_PREDICT_VERSIONS``, ``HILLTOP_STATIC``, ``HILLTOP_WEIGHTS_DIR``,
``DATABASE_URL``. See docs/configuration.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.database import ROOT, var_dir
from config.postgres.lines import PatientConnection
from config.private import keep_private

BASE_DIR = ROOT
VAR = var_dir()


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def _list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def _secret_keys() -> list[str]:
    """From the environment; else a random one, made once and kept under ``var/`` readable by its owner only.

    The first signs; what the others signed is still believed. In the file a key is a line.
    """
    if key := os.environ.get("HILLTOP_SECRET_KEY"):
        return [key, *_list("HILLTOP_SECRET_KEY_FALLBACKS")]
    path = VAR / "secret-key"
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(64))
    return path.read_text().split() or [""]


SECRET_KEY, *SECRET_KEY_FALLBACKS = _secret_keys()
DEBUG = _flag("HILLTOP_DEBUG")
ALLOWED_HOSTS = _list("HILLTOP_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _list("HILLTOP_ORIGINS")
CSRF_FAILURE_VIEW = "labeling.gateway.errors.csrf_failure"
APPEND_SLASH = False  # labeling.gateway.slashes does it, in both directions and for every method
#: Where a proxy serves Hilltop below a path: "/hilltop". Whether the proxy takes it off the address does not matter.
PREFIX = os.environ.get("HILLTOP_PREFIX", "").strip("/")
PREFIX = f"/{PREFIX}" if PREFIX else ""
FORCE_SCRIPT_NAME = PREFIX or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = f"{PREFIX}/"

#: From the ground up. Receivers of one signal are called in this order.
ROOMS = [
    "people",
    "jobs",
    "catalog",
    "truth",
    "learning",
    "queue",
    "frontier",
    "monitors",
    "serving",
    "inspections",
    "explorer",
    "exchange",
    "erasure",
    "overview",
    "notify",
    "gateway",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "pgtrigger",
    "procrastinate.contrib.django",
    "rest_framework",
    "knox",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "drf_spectacular",
    "django_htmx",
    "django_prometheus",
    "csp",
    *(f"labeling.{room}" for room in ROOMS),
]
MIDDLEWARE = [
    "labeling.people.proxies.believe_trusted_proxies",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "labeling.gateway.permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "labeling.people.own_day.own_day",
    "django.middleware.common.CommonMiddleware",
    "labeling.gateway.sent_paths.SentPathsMiddleware",
    "labeling.gateway.whose_page.WhosePageMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "labeling.gateway.slashes.SlashMiddleware",
    "labeling.gateway.middleware.TokenOpensPhotosMiddleware",
    "labeling.gateway.middleware.PlainTextMiddleware",
    "labeling.gateway.middleware.RefusalMiddleware",
    "labeling.database.read_once.read_once_while_looking",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["labeling.people.templatetags.whose_page"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]

#: Seconds of silence after which a process looks whether the database is still there. People wait for pages; a job has time.
DATABASE_PATIENCE_S = float(
    os.environ.get("HILLTOP_DB_PATIENCE") or (0.9 if os.environ.get("HILLTOP_ROLE") == "web" else 10)
)
_database = dj_database_url.parse(os.environ.get("DATABASE_URL", "postgresql:///hilltop"))
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "config.postgres",
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            # A line that was cut without a word is noticed by the kernel.
            "connect_timeout": 2,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            **_database.get("OPTIONS", {}),
            "pool": {
                "min_size": 1,
                "max_size": int(os.environ.get("HILLTOP_DB_POOL", 24)),
                "timeout": min(DATABASE_PATIENCE_S, 0.9),
                # Each request has the pool try anew; trying ever more seldom would prolong every outage.
                "reconnect_timeout": 0,
                "connection_class": PatientConnection,
            },
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_RESET_TIMEOUT = 3 * 86_400
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Two-step sign-in and single sign-on are django-allauth's; its own pages, sign-up and counts are not used (docs/decisions).
ACCOUNT_ADAPTER = "labeling.people.sign_on.NoSignUp"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = False
ACCOUNT_FORMS = {"reauthenticate": "labeling.people.second_step.PasswordAgainForm"}
MFA_ADAPTER = "labeling.people.second_step.EncryptedSecrets"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Hilltop"
MFA_TOTP_TOLERANCE = 1  # phones go half a minute wrong
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "labeling.people.second_step.CodeForm",
    "reauthenticate": "labeling.people.second_step.CodeAgainForm",
}
SSO_ISSUER = os.environ.get("HILLTOP_SSO_ISSUER", "").rstrip("/")
SSO_NAME = os.environ.get("HILLTOP_SSO_NAME", "") or urlsplit(SSO_ISSUER).hostname or ""
SSO_GROUPS_CLAIM = os.environ.get("HILLTOP_SSO_GROUPS_CLAIM", "groups")
SSO_ROLES = json.loads(os.environ.get("HILLTOP_SSO_ROLES") or "{}")
SSO_CREATE = _flag("HILLTOP_SSO_CREATE")
# The issuer is part of whom an identity belongs to: another provider's person of the same number is another person.
SSO_ID = f"sso-{hashlib.sha256(SSO_ISSUER.encode()).hexdigest()[:16]}"
SOCIALACCOUNT_ADAPTER = "labeling.people.sign_on.SignOn"
# A form's answer may not lead to another site under the pages' content security policy, so a link leads there.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": SSO_ID,
                "name": SSO_NAME,
                "client_id": os.environ.get("HILLTOP_SSO_CLIENT_ID", ""),
                "secret": os.environ.get("HILLTOP_SSO_CLIENT_SECRET", ""),
                "settings": {
                    "server_url": SSO_ISSUER,
                    "scope": os.environ.get("HILLTOP_SSO_SCOPES", "openid profile email").split(),
                },
            }
        ]
        if SSO_ISSUER
        else [],
    }
}

# Mail, for one-time links: smtp://, smtp+tls:// (STARTTLS) or smtps://, with name and password percent-encoded.
_mail = urlsplit(os.environ.get("HILLTOP_MAIL", ""))
MAIL_IS_SET_UP = bool(_mail.hostname)
EMAIL_HOST, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = (
    unquote(part or "") for part in (_mail.hostname, _mail.username, _mail.password)
)
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.scheme == "smtp+tls", _mail.scheme == "smtps"
EMAIL_PORT = _mail.port or {"smtp+tls": 587, "smtps": 465}.get(_mail.scheme, 25)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("HILLTOP_MAIL_FROM", "hilltop@localhost")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = os.environ.get("TZ", "UTC")
USE_TZ = True

# Static files, and photos. Photos never pass through MEDIA_URL: a view checks membership and serves renditions only.
STATIC_URL = f"{PREFIX}/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
FILES_HERE = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"location": str(VAR / "photos")},
}
STORAGES = {
    "default": json.loads(os.environ.get("HILLTOP_STORAGE") or json.dumps(FILES_HERE)),
    # "hashed" serves what collectstatic made, under names that browsers may keep for ever.
    "staticfiles": {
        "BACKEND": "config.static.HashedStaticFilesStorage"
        if os.environ.get("HILLTOP_STATIC") == "hashed"
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
        # No secret, and perhaps served by another account.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
FILE_UPLOAD_HANDLERS = [
    "labeling.gateway.sent_paths.SentPathHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20
# A project of 500 classes has a row of four fields for each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
DATA_UPLOAD_MAX_NUMBER_FILES = 2000

# Hilltop's own.
METRICS_TOKENS = _list("HILLTOP_METRICS_TOKEN")  # several, while one takes another's place
DEMO = _flag("HILLTOP_DEMO")  # the sign-in page says where the demo's accounts are printed
EMBEDDINGS_DIR = VAR / "embeddings"
MODELS_DIR = VAR / "models"
BACKBONES_DIR = VAR / "backbones"  # fitted to projects' own photos
BUNDLES_DIR = VAR / "bundles"  # model versions that were taken out
# A project adapts its backbone to its photos by itself when it has so many, and each time they double; 0 is never.
ADAPT_AFTER = int(os.environ.get("HILLTOP_ADAPT_AFTER", 200))
FINE_TUNE_EPOCHS = int(os.environ.get("HILLTOP_FINE_TUNE_EPOCHS", 12))
SELF_SUPERVISION_EPOCHS = int(os.environ.get("HILLTOP_SELF_SUPERVISION_EPOCHS", 100))
WEIGHTS_DIR = Path(os.environ["HILLTOP_WEIGHTS_DIR"]) if os.environ.get("HILLTOP_WEIGHTS_DIR") else None
STAGING_DIR = VAR / "staging"
#: Where the store is elsewhere these folders are this machine's copies of it: so much of them is kept.
CACHE_BYTES = int(os.environ.get("HILLTOP_CACHE_BYTES", 50 * 10**9))
#: For so long what was asked to be erased can be brought back, where nobody says otherwise.
ERASURE_DAYS = int(os.environ.get("HILLTOP_ERASURE_DAYS", 14))
keep_private([VAR / "photos", STAGING_DIR, EMBEDDINGS_DIR, MODELS_DIR, BACKBONES_DIR, BUNDLES_DIR])
INTAKE_ROOTS = [Path(p).resolve() for p in _list("HILLTOP_INTAKE_ROOTS", str(VAR / "intake"))]
# Name -> OPTIONS of django-storages' S3Storage, of buckets and prefixes of which a project's admins may take photos.
BUCKETS = json.loads(os.environ.get("HILLTOP_BUCKETS") or "{}")
# Private networks whose addresses a table of photos may name; see labeling/http/public_addresses.py.
FETCH_NETWORKS = [ip_network(network, strict=False) for network in _list("HILLTOP_FETCH_NETWORKS")]
#: Events, and what became of them, are kept for so long.
EVENTS_KEPT = timedelta(days=int(os.environ.get("HILLTOP_EVENT_DAYS", 30)))
#: Seconds between the attempts of one delivery: a day in all.
WEBHOOK_PAUSES = [
    float(pause) for pause in _list("HILLTOP_WEBHOOK_PAUSES", "5,60,600,3600,10800,21600,50400")
]
#: Nobody is told of events: a copy is not to call those whom the original tells.
QUIET = _flag("HILLTOP_QUIET")
# Slack: the bot's token, what its requests are signed with, and where its API is (elsewhere only for tests).
SLACK_TOKEN = os.environ.get("HILLTOP_SLACK_TOKEN", "")
SLACK_SIGNING_SECRET = os.environ.get("HILLTOP_SLACK_SIGNING_SECRET", "")
SLACK_API = os.environ.get("HILLTOP_SLACK_API", "https://slack.com/api/")
INTAKE_MAX_BYTES = int(os.environ.get("HILLTOP_MAX_BYTES", 40 * 2**20))
#: All that one upload may hold: photos, or a zip of them.
UPLOAD_MAX_BYTES = int(os.environ.get("HILLTOP_MAX_UPLOAD_BYTES", 4 * 2**30))
INTAKE_MAX_PIXELS = int(os.environ.get("HILLTOP_MAX_PIXELS", 100_000_000))
#: Of one archive. A data set of 100,000 photos, with its lists, comes in again.
INTAKE_MAX_ZIP_MEMBERS = 250_000
INTAKE_MAX_ZIP_BYTES = 50 * 2**30
INTAKE_MIN_SIDE = int(os.environ.get("HILLTOP_MIN_SIDE", 32))

# Predictions: where the web processes of this machine find the service, and how many model versions it keeps in memory.
PREDICT_SOCKET = Path(os.environ.get("HILLTOP_PREDICT_SOCKET") or VAR / "predict.sock")
PREDICT_VERSIONS = int(os.environ.get("HILLTOP_PREDICT_VERSIONS", 8))

# Jobs: only a worker loads the task modules (they import torch); the web process defers by name.
IS_WORKER = os.environ.get("HILLTOP_ROLE") == "worker"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks" if IS_WORKER else ""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "EXCEPTION_HANDLER": "labeling.gateway.errors.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.ScopedRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "login": "20/min",
        "export": "60/hour",
        "intake": "600/min",
        "inspections": "6000/min",
        "predict": "6000/min",
        "train": "60/min",
        "capture": "120/min",  # of all who have one link
        "feed": "120/hour",  # of each address
    },
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
KNOX_TOKEN_MODEL = "people.Token"  # noqa: S105
SPECTACULAR_SETTINGS = {
    "TITLE": "Hilltop",
    "DESCRIPTION": "Human-in-the-loop labeling of inspection photos, from the extremes inward.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # Values of a choice stand where they are used: shared names for them would change with every new field.
    "POSTPROCESSING_HOOKS": ["labeling.gateway.webhooks_schema.add_webhooks"],
    "OAS_VERSION": "3.1.0",
}

# Security.
_https = _flag("HILLTOP_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
if _https:
    # Browsers take such names over HTTPS and from this very host alone; below a path they are less strict.
    _host_only = "__Secure-" if PREFIX else "__Host-"
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_host_only}sessionid", f"{_host_only}csrftoken"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
# Proxies of which it is believed from where, and by which protocol, somebody came. The header that Django reads is there
# only when one of them sent it; see labeling/people/proxies.py.
TRUSTED_PROXIES = [ip_network(network, strict=False) for network in _list("HILLTOP_PROXIES")]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

_formatter = "json" if os.environ.get("HILLTOP_LOG") == "json" else "plain"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s", "datefmt": "%H:%M:%S"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": _formatter}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "psycopg.pool": {"level": "ERROR"},  # three lines for each request, as long as the database is away
        "django.request": {"level": "ERROR"},
    },
}
