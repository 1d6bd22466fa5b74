"""Settings: one file, everything from the environment, nothing unsafe by default.

Two ways to run, one code path (design section 9): without DATABASE_URL and REDIS_URL the product is *embedded*
(SQLite and an own broker in the data directory); with them it is production. Any secret NAME may instead be
given as NAME_FILE. Wrong combinations are system checks with ids in `twinweb/checks.py`.
"""

from datetime import timedelta
from pathlib import Path

import celery.schedules  # noqa: F401  (fails here, with a clear trace, when requirements are not installed)
from csp.constants import NONE, SELF

from twinweb.env import (
    data_directory,
    database,
    env,
    example_watch,
    flag,
    origin,
    redis_url,
    role_mapping,
    secret_key,
    smart_key,
    vapid_key,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = data_directory(BASE_DIR)

DEBUG = flag("DEBUG", default=False)
SECRET_KEY = secret_key(DATA_DIR)
# Former keys: what was signed or sealed under them can still be read.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
EMBEDDED = not env.str("DATABASE_URL", default="")
DEMO = flag("TWINWEB_DEMO", default=EMBEDDED)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_FAILURE_VIEW = "recovery.views.errors.old_form"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people and systems reach us; used in links and FHIR fullUrls behind a proxy.
PUBLIC_URL = env.str("PUBLIC_URL", default="")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "rest_framework",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "oauth2_provider",
    "recovery",
    "integrations",
    "twinweb",
]

MIDDLEWARE = [
    "twinweb.streaming.StreamMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "twinweb.static_files.StaticFilesMiddleware",
    "twinweb.middleware.CompressPagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "twinweb.middleware.RequestIdMiddleware",
    "twinweb.middleware.HospitalClockMiddleware",
    "integrations.smart.cors.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "twinweb.sessions.SessionClockMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "twinweb.middleware.LoginByDefaultMiddleware",
    "twinweb.sessions.SecondFactorMiddleware",
    "twinweb.portal.PortalLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "integrations.smart.frames.FrameMiddleware",
    "twinweb.middleware.NoStoreMiddleware",
    "twinweb.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "twinweb.urls"
ASGI_APPLICATION = "twinweb.asgi.application"
WSGI_APPLICATION = "twinweb.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "twinweb.context.product",
            ],
        },
    }
]

# ---- storage ---
DATABASES = {"default": database(DATA_DIR)}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Deferred transactions gave "database is locked" for 70 % of concurrent read-then-write transactions;
    # IMMEDIATE with WAL gave none. FULL survives a power cut (design section 9).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;"
        " PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# On SQLite as well: opening the file, its pragmas and the checkpoint on closing cost more than most requests.
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
# Plans kept by PostgreSQL for the statements of the ingest path. Off behind a pooler that shares sessions and does not
# follow prepared statements and DEALLOCATE ALL (PgBouncer before 1.22 in transaction mode).
PREPARED_STATEMENTS = flag("PREPARED_STATEMENTS", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = redis_url()
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# ---- people ---
AUTH_USER_MODEL = "recovery.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Five wrong passwords for one name from one address close that door for five minutes, counted in the database so that
# all processes count together. Name and address together: an outsider cannot lock out a ward (ASVS 5, 6.3.1).
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "twinweb.client_address.client_address"
AXES_LOCKOUT_CALLABLE = "recovery.views.errors.too_many"
AXES_HTTP_RESPONSE_CODE = 429
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# A session ends after a quiet time; at the latest SESSION_COOKIE_AGE after sign-in (twinweb/sessions.py).
IDLE_TIME_STAFF = timedelta(minutes=env.int("IDLE_MINUTES_STAFF", default=15))
IDLE_TIME_PATIENTS = timedelta(minutes=env.int("IDLE_MINUTES_PATIENTS", default=30))
# Roles that see nothing until they added a second factor; everyone may add one.
MFA_REQUIRED_ROLES = env.list("MFA_REQUIRED_ROLES", default=[] if EMBEDDED or DEMO else ["administrator"])
ACCOUNT_ADAPTER = "twinweb.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "twinweb.sign_in.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": "120/m/ip"}  # a ward shares one address, and a passkey cannot be guessed
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "twinweb"
# A clock may be half a minute off; a code counts once all the same.
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED  # browsers trust localhost without HTTPS, and nothing else
# Single sign-on with the hospital's identity provider (OpenID Connect); off without OIDC_ISSUER (docs/production.md).
OIDC_ISSUER = env.str("OIDC_ISSUER", default="").rstrip("/")
OIDC_USERNAME_CLAIM = env.str("OIDC_USERNAME_CLAIM", default="preferred_username")
OIDC_ROLE_CLAIM = env.str("OIDC_ROLE_CLAIM", default="groups")
OIDC_ROLES = role_mapping("OIDC_ROLES")
OIDC_NAME = env.str("OIDC_NAME", default="hospital account")
SOCIALACCOUNT_ADAPTER = "twinweb.sign_in.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "hospital",
                "name": OIDC_NAME,
                "client_id": env.str("OIDC_CLIENT_ID", default=""),
                "secret": env.str("OIDC_CLIENT_SECRET", default=""),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}

# ---- security (HTTPS is on unless the product runs embedded on loopback) ---
HTTPS = flag("TWINWEB_HTTPS", default=not EMBEDDED)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:  # a browser takes these names only with Secure, for the whole host and for no other (ASVS 5, 3.3)
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_HTTPONLY = True
# EHRs that may show our pages in a frame (https://ehr.hospital.example ...). Browsers send no Lax cookie into a frame
# of another site, so with such a frame the cookies say None, which they take from HTTPS alone; forms keep their token.
EHR_FRAME_ORIGINS = env.list("EHR_FRAME_ORIGINS", default=[])
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "None" if EHR_FRAME_ORIGINS and HTTPS else "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_SSL_REDIRECT = HTTPS and flag("SECURE_SSL_REDIRECT", default=False)
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = flag("TWINWEB_BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        # Browsers hold the redirect that follows a form to this list too, and single sign-on begins with a form.
        "form-action": [SELF, *([origin(OIDC_ISSUER)] if OIDC_ISSUER else [])],
        "frame-ancestors": EHR_FRAME_ORIGINS or [NONE],
    }
}
# A FHIR transaction of 5,000 entries is about 4 MB; beyond this the door answers 413.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY_BYTES", default=16 * 1024 * 1024)

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

# ---- backtests (administrators replay an export) ---
# Uploads and results, a folder a run; web and trainer must both see it.
BACKTEST_FILES = Path(env.str("BACKTEST_FILES", default=str(DATA_DIR / "backtests")))
BACKTEST_EXPORTS = env.str("BACKTEST_EXPORTS", default="")  # administrators may point at exports below it; "": none
MAX_BACKTEST_UPLOAD = env.int("MAX_BACKTEST_UPLOAD_BYTES", default=2 * 1024**3)
MAX_BACKTEST_UNPACKED = env.int("MAX_BACKTEST_UNPACKED_BYTES", default=40 * 1024**3)

# ---- bulk exports ---
# Files of exports, a folder each, until they expire; web and workers must both see it.
EXPORT_FILES = Path(env.str("EXPORT_FILES", default=str(DATA_DIR / "exports")))

# ---- subscriptions (rest-hooks; integrations/subscriptions) ---
# Hosts that may be called ("": any public one), and whether a receiver may live on this machine, there without TLS too.
SUBSCRIPTION_HOSTS = frozenset(one.lower() for one in env.list("SUBSCRIPTION_HOSTS", default=[]))
SUBSCRIPTION_ALLOW_LOOPBACK = flag("SUBSCRIPTION_ALLOW_LOOPBACK", default=False)

# ---- HL7 v2 over MLLP (manage.py mllp; 0: not offered) ---
MLLP_PORT = env.int("MLLP_PORT", default=0)
MLLP_HOST = env.str("MLLP_HOST", default="127.0.0.1")
MLLP_PEERS = env.list("MLLP_PEERS", default=["127.0.0.0/8", "::1"])  # addresses or networks that may connect
MLLP_TLS_CERT = env.str("MLLP_TLS_CERT", default="")
MLLP_TLS_KEY = env.str("MLLP_TLS_KEY", default="")
MLLP_TLS_CLIENT_CA = env.str("MLLP_TLS_CLIENT_CA", default="")  # given, senders must show a certificate of it
# JSON: assigning authority in CX-4 -> system of the identifier in FHIR; so that both doors find one patient.
HL7_IDENTIFIER_SYSTEMS = env.json("HL7_IDENTIFIER_SYSTEMS", default={})

# ---- apps and systems that come with OAuth (SMART App Launch; integrations/smart) ---
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth2_provider.AccessToken"  # noqa: S105  (the name of a model)
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth2_provider.RefreshToken"  # noqa: S105
OAUTH2_PROVIDER_GRANT_MODEL = "oauth2_provider.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth2_provider.IDToken"  # noqa: S105
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oauth2_provider.DeviceGrant"
SMART_KEY_FILE = Path(env.str("SMART_KEY_FILE", default=str(DATA_DIR / "smart-signing-key.pem")))
# Key addresses (jwks_uri) of backend services: only these hosts ("": any public one), loopback only where asked for.
SMART_JWKS_HOSTS = env.list("SMART_JWKS_HOSTS", default=[])
SMART_ALLOW_LOOPBACK = flag("SMART_ALLOW_LOOPBACK", default=False)
# Backend services may register themselves (RFC 7591). For test instances: whoever reaches the port gets a client.
SMART_OPEN_REGISTRATION = flag("SMART_OPEN_REGISTRATION", default=False)
# EHRs that may launch our pages (JSON: [{"iss": "https://...", "client_id": "..."}, ...]).
EHR_ISSUERS = env.json("EHR_ISSUERS", default=[])
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "integrations.smart.validator.SmartValidator",
    "SCOPES_BACKEND_CLASS": "integrations.smart.validator.SmartScopes",
    "OAUTH2_BACKEND_CLASS": "integrations.smart.core.SmartCore",
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": smart_key(SMART_KEY_FILE),
    "OIDC_ISS_ENDPOINT": "",
    "PKCE_REQUIRED": True,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "ID_TOKEN_EXPIRE_SECONDS": 3600,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 90 * 86_400,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}

# ---- messages that leave the house (docs/alerts.md) ---
# Without EMAIL_HOST no e-mail is sent, and nobody is told that one was.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_IS_SET_UP = bool(EMAIL_HOST)
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="twinweb@localhost")
# Signs push messages (RFC 8292); VAPID_SUBJECT is whom a push service may write to: mailto: or https:.
VAPID_KEY_FILE = Path(env.str("VAPID_KEY_FILE", default=str(DATA_DIR / "vapid-key.pem")))
VAPID_PRIVATE_KEY = vapid_key(VAPID_KEY_FILE)
VAPID_SUBJECT = env.str("VAPID_SUBJECT", default="mailto:twinweb@localhost")
# Hosts inside the house that may be called (a pager gateway, say); loopback only where asked for.
EGRESS_PRIVATE_HOSTS = env.list("EGRESS_PRIVATE_HOSTS", default=[])
EGRESS_ALLOW_LOOPBACK = flag("EGRESS_ALLOW_LOOPBACK", default=False)

# ---- language and time ---
LANGUAGE_CODE = "en"
# The languages in which the patient's pages are complete (twinweb/portal.py); staff pages are English.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
# The hospital's clock: postoperative days are counted in hours, but people read local times.
HOSPITAL_TIME_ZONE = env.str("HOSPITAL_TIME_ZONE", default="UTC")
# Whom patients call when it cannot wait; without it their pages say "your emergency number".
EMERGENCY_NUMBER = env.str("EMERGENCY_NUMBER", default="")
# A patient's message is promised an answer within so many minutes of the pathway's watch hours [G].
MESSAGE_REPLY_MINUTES = env.int("MESSAGE_REPLY_MINUTES", default=240)
# Reminders by SMS: the gateway's address and token, and the secret with which it signs what arrives. Blank: no SMS.
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", default="")
SMS_GATEWAY_TOKEN = env.str("SMS_GATEWAY_TOKEN", default="")
SMS_INBOUND_SECRET = env.str("SMS_INBOUND_SECRET", default="")
# Makers of wearables whose readings patients may let us ask for (JSON; recovery/vendors/providers.py, docs/portal.md).
# The demonstration brings one that is not real.
WEARABLE_PROVIDERS = env.json("WEARABLE_PROVIDERS", default=[example_watch()] if DEMO else [])
# New episodes that arrive over FHIR are entrusted to this team (its key) until somebody assigns them.
INTAKE_TEAM = env.str("INTAKE_TEAM", default="intake")

# Whose numbers the record numbers are that people type when they enrol a patient: the identifier system of the EHR.
RECORD_NUMBER_SYSTEM = env.str("RECORD_NUMBER_SYSTEM", default="https://twinweb.example/record-number")

# ---- static files ---
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "staticfiles")))
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns without it, even where the finders serve
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = False
if not EMBEDDED:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# Bearer token that /metrics asks for; without it /metrics is closed in production.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# ---- logs: JSON lines on stdout, no patient data ---
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "twinweb.logs.JsonFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.server": {"level": "WARNING"}},
}

# W008: the front proxy redirects to HTTPS. W021: the browsers' preload list is the domain owner's decision.
# oauth2_provider.W005: our consent page adds `iss` itself. W008: http redirect addresses are taken on loopback only.
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W021", "oauth2_provider.W005", "oauth2_provider.W008"]
