"""Settings, read once from the environment; a bad value stops the start and names itself."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SANDBOX_SECRET_KEY = "sk_test_sandbox"  # noqa: S105 - the sandbox's public default
SANDBOX_PUBLISHABLE_KEY = "pk_test_sandbox"
STRIPE_API_BASE = "https://api.stripe.com"
KEY_BYTES = 32
MAX_FEE_BPS = 2_000
MIN_SECRET = 16
MIN_JWT_SECRET = 32
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")
_BROKERS = re.compile(r"[A-Za-z0-9._-]+:[0-9]{1,5}(,[A-Za-z0-9._-]+:[0-9]{1,5})*")
_ARN = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_.-]+")
_MINOR = re.compile(r"([A-Z]{3})=([0-9]{1,11})")


class BadSetting(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """The brokers that facts are published to, and how they are spoken to."""

    brokers: str
    security: str
    mechanism: str | None
    username: str | None
    password: str | None = field(repr=False)
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """The one SNS topic or SQS queue that facts are published to."""

    topic_arn: str | None
    queue_url: str | None
    region: str | None
    endpoint_url: str | None

    @property
    def is_fifo(self) -> bool:
        """Whether the topic or queue keeps the order of each object."""
        return (self.topic_arn or self.queue_url or "").endswith(".fifo")


@dataclass(frozen=True, slots=True)
class BusSettings:
    """Where facts are published: to streams always, elsewhere where it is set up."""

    stream_length: int
    payments_topic: str
    webhooks_topic: str
    group: str
    kafka: KafkaSettings | None
    aws: AwsSettings | None

    @property
    def sinks(self) -> tuple[str, ...]:
        """The consumers of facts that publish them elsewhere than to streams."""
        named = (("bus_kafka", self.kafka), ("bus_aws", self.aws))
        return tuple(name for name, setting in named if setting is not None)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides; secrets do not appear in its printed form."""

    database_url: str = field(repr=False)
    database_admin_url: str | None = field(repr=False)
    database_owner_url: str | None = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    encryption_keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    blind_index_key: bytes = field(repr=False)
    public_url: str
    realtime_url: str
    provider_origin: str
    provider_api_base: str
    stripe_secret_key: str = field(repr=False)
    stripe_publishable_key: str
    stripe_webhook_secret: str = field(repr=False)
    fee_bps: int
    late_success: str
    refund_undo_seconds: int
    refund_approval: Mapping[str, int]
    demo: bool
    data: str
    smtp_url: str | None = field(repr=False)
    mail_from: str
    log_level: str
    trusted_proxies: int
    bus: BusSettings
    api_rate_per_key: int
    metrics_token: str | None = field(repr=False, default=None)

    @property
    def is_sandbox(self) -> bool:
        """Whether the stand-in provider is used: then no real money can move."""
        return self.provider_api_base != STRIPE_API_BASE

    @property
    def livemode(self) -> bool:
        """Whether the provider's key is a live one."""
        return self.stripe_secret_key.startswith(("sk_live_", "rk_live_"))

    @property
    def is_https(self) -> bool:
        """Whether people reach the portal by https, so that cookies can insist on it."""
        return self.public_url.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """The name of the cookie that carries a person's session."""
        return f"{'__Host-' if self.is_https else ''}paydeck_{self.port}_session"

    @property
    def port(self) -> int:
        """The port of the public address, which the cookie names carry."""
        parts = urlsplit(self.public_url)
        return parts.port or (443 if parts.scheme == "https" else 80)


def read(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `env` (the process's own by default); raises BadSetting."""
    source = os.environ if env is None else env
    port = _number(source, "PORT", "8000", low=1, high=65_533)
    stripe_key = source.get("STRIPE_SECRET_KEY") or SANDBOX_SECRET_KEY
    sandboxed = stripe_key == SANDBOX_SECRET_KEY
    provider = _url(source, "PROVIDER_ORIGIN", f"http://127.0.0.1:{port + 2}")
    return Settings(
        database_url=_database(source, "DATABASE_URL"),
        database_admin_url=_database(source, "DATABASE_ADMIN_URL")
        if "DATABASE_ADMIN_URL" in source
        else None,
        database_owner_url=_database(source, "DATABASE_OWNER_URL")
        if "DATABASE_OWNER_URL" in source
        else None,
        redis_url=_valkey(source),
        secret_key=_secret(source, "SECRET_KEY"),
        jwt_secret=_secret(source, "JWT_SECRET", least=MIN_JWT_SECRET),
        encryption_keys=_keys(source),
        blind_index_key=_key(source, "BLIND_INDEX_KEY", _required(source, "BLIND_INDEX_KEY")),
        public_url=_url(source, "PUBLIC_URL", f"http://localhost:{port}"),
        realtime_url=_url(source, "REALTIME_URL", f"http://localhost:{port + 1}"),
        provider_origin=provider if sandboxed else "https://js.stripe.com",
        provider_api_base=_url(
            source, "PROVIDER_API_BASE", provider if sandboxed else STRIPE_API_BASE
        ),
        stripe_secret_key=stripe_key,
        stripe_publishable_key=_publishable(source, sandboxed=sandboxed),
        stripe_webhook_secret=_required(source, "STRIPE_WEBHOOK_SECRET"),
        fee_bps=_number(source, "FEE_BPS", "200", low=0, high=MAX_FEE_BPS),
        late_success=_choice(source, "LATE_SUCCESS", "REFUND", ("REFUND", "ASK")),
        refund_undo_seconds=_number(source, "REFUND_UNDO_SECONDS", "30", low=0, high=86_400),
        refund_approval=_by_currency(source, "REFUND_APPROVAL"),
        demo=source.get("PAYDECK_DEMO", "") == "1",
        data=source.get("PAYDECK_DATA", ".data"),
        smtp_url=source.get("SMTP_URL") or None,
        mail_from=source.get("MAIL_FROM", "Paydeck <no-reply@paydeck.invalid>"),
        log_level=_choice(source, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        trusted_proxies=_number(source, "TRUSTED_PROXIES", "0", low=0, high=5),
        bus=_bus(source),
        api_rate_per_key=_number(source, "API_RATE_PER_KEY", "1000", low=1, high=1_000_000),
        metrics_token=_secret(source, "METRICS_TOKEN") if source.get("METRICS_TOKEN") else None,
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        message = f"{name} is not set; see .env.example"
        raise BadSetting(message)
    return value


def _database(env: Mapping[str, str], name: str) -> str:
    value = _required(env, name)
    for old in ("postgres://", "postgresql://"):
        if value.startswith(old):
            value = "postgresql+psycopg://" + value.removeprefix(old)
    if not value.startswith("postgresql+psycopg://"):
        message = f"{name} must be an address such as postgresql://user:password@host/paydeck"
        raise BadSetting(message)
    return value


def _secret(env: Mapping[str, str], name: str, *, least: int = MIN_SECRET) -> str:
    value = _required(env, name)
    if len(value) < least:
        message = f"{name} must have at least {least} characters"
        raise BadSetting(message)
    return value


def _valkey(env: Mapping[str, str]) -> str:
    value = _required(env, "REDIS_URL")
    if not value.startswith(("redis://", "rediss://", "unix://")):
        message = "REDIS_URL must begin with redis://, rediss:// (TLS) or unix://"
        raise BadSetting(message)
    return value


def _bus(env: Mapping[str, str]) -> BusSettings:
    return BusSettings(
        stream_length=_number(env, "BUS_STREAM_LENGTH", "5000", low=100, high=10_000_000),
        payments_topic=_shaped(env, "KAFKA_TOPIC_PAYMENTS", "payment-events", _TOPIC),
        webhooks_topic=_shaped(env, "KAFKA_TOPIC_WEBHOOKS", "webhooks.delivery", _TOPIC),
        group=_shaped(env, "KAFKA_GROUP_ID", "payments-service", _TOPIC),
        kafka=_kafka(env) if env.get("KAFKA_BROKERS") else None,
        aws=_aws(env) if env.get("SNS_TOPIC_ARN") or env.get("SQS_QUEUE_URL") else None,
    )


def _kafka(env: Mapping[str, str]) -> KafkaSettings:
    _needs_extra("KAFKA_BROKERS", "confluent_kafka", "kafka")
    ways = ("PLAINTEXT", "SSL", "SASL_SSL")
    security = _choice(env, "KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", ways)
    is_signed_in = security == "SASL_SSL"
    if env.get("KAFKA_SASL_PASSWORD") and not is_signed_in:
        message = (
            "KAFKA_SASL_PASSWORD needs KAFKA_SECURITY_PROTOCOL=SASL_SSL; it never goes in clear"
        )
        raise BadSetting(message)
    mechanisms = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
    return KafkaSettings(
        brokers=_shaped(env, "KAFKA_BROKERS", "", _BROKERS, such_as="host:9092,other:9092"),
        security=security,
        mechanism=_choice(env, "KAFKA_SASL_MECHANISM", "SCRAM-SHA-512", mechanisms)
        if is_signed_in
        else None,
        username=_required(env, "KAFKA_SASL_USERNAME") if is_signed_in else None,
        password=_required(env, "KAFKA_SASL_PASSWORD") if is_signed_in else None,
        ca_file=_file(env, "KAFKA_SSL_CA_FILE"),
    )


def _aws(env: Mapping[str, str]) -> AwsSettings:
    topic, queue = env.get("SNS_TOPIC_ARN"), env.get("SQS_QUEUE_URL")
    if topic and queue:
        message = (
            "SQS_QUEUE_URL cannot be set beside SNS_TOPIC_ARN; subscribe the queue to the topic"
        )
        raise BadSetting(message)
    _needs_extra("SNS_TOPIC_ARN" if topic else "SQS_QUEUE_URL", "boto3", "aws")
    such_as = "arn:aws:sns:eu-west-1:123456789012:paydeck.fifo"
    arn = _shaped(env, "SNS_TOPIC_ARN", "", _ARN, such_as=such_as) if topic else None
    ways = ("https://", "http://") if env.get("AWS_ENDPOINT_URL") else ("https://",)
    if queue and not queue.startswith(ways):
        message = "SQS_QUEUE_URL must be the queue's address, which begins with https://"
        raise BadSetting(message)
    return AwsSettings(
        topic_arn=arn,
        queue_url=queue or None,
        region=env.get("AWS_REGION") or (arn.split(":")[3] if arn else None),
        endpoint_url=_url(env, "AWS_ENDPOINT_URL", "") if env.get("AWS_ENDPOINT_URL") else None,
    )


def _needs_extra(name: str, module: str, extra: str) -> None:
    """Refuse a setting whose library is not installed, naming the file that installs it."""
    if importlib.util.find_spec(module) is None:
        message = f"{name} needs the {extra} extra: pip install -r requirements-{extra}.txt"
        raise BadSetting(message)


def _shaped(
    env: Mapping[str, str], name: str, default: str, shape: re.Pattern[str], *, such_as: str = ""
) -> str:
    value = env.get(name) or default
    if not shape.fullmatch(value):
        message = f"{name} must be such as {such_as or default}, not {value!r}"
        raise BadSetting(message)
    return value


def _file(env: Mapping[str, str], name: str) -> str | None:
    value = env.get(name) or None
    if value is not None and not os.path.isfile(value):  # noqa: PTH113 - a path, read elsewhere
        message = f"{name} must be a file that can be read, not {value!r}"
        raise BadSetting(message)
    return value


def _keys(env: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    keys = []
    for place, part in enumerate(_required(env, "ENCRYPTION_KEY").split(",")):
        key_id, colon, body = part.rpartition(":")
        keys.append((key_id if colon else f"k{place + 1}", _key(env, "ENCRYPTION_KEY", body)))
    return tuple(keys)


def _key(_env: Mapping[str, str], name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as wrong:
        message = f"{name} must be {KEY_BYTES} bytes in base64"
        raise BadSetting(message) from wrong
    if len(key) != KEY_BYTES:
        message = f"{name} must be {KEY_BYTES} bytes in base64, not {len(key)}"
        raise BadSetting(message)
    return key


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    value = (env.get(name) or default).rstrip("/")
    if not _is_origin(value):
        message = f"{name} must be an origin such as https://pay.example.com, not {value!r}"
        raise BadSetting(message)
    return value


def _is_origin(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    bare = f"{parts.scheme}://{parts.netloc}" == value and "@" not in parts.netloc
    return parts.scheme in {"http", "https"} and bool(host) and bare


def _number(env: Mapping[str, str], name: str, default: str, *, low: int, high: int) -> int:
    value = env.get(name) or default
    if not (value.isascii() and value.isdecimal()) or not low <= int(value) <= high:
        message = f"{name} must be a whole number from {low} to {high}, not {value!r}"
        raise BadSetting(message)
    return int(value)


def _by_currency(env: Mapping[str, str], name: str) -> dict[str, int]:
    """Return minor units by currency, from words such as `INR=5000000,USD=60000`."""
    found = {}
    for one in filter(None, (part.strip() for part in env.get(name, "").split(","))):
        matched = _MINOR.fullmatch(one)
        if matched is None:
            message = f"{name} must be such as INR=5000000,USD=60000, not {one!r}"
            raise BadSetting(message)
        found[matched[1]] = int(matched[2])
    return found


def _choice(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = (env.get(name) or default).upper()
    if value not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}, not {value!r}"
        raise BadSetting(message)
    return value


def _publishable(env: Mapping[str, str], *, sandboxed: bool) -> str:
    value = env.get("STRIPE_PUBLISHABLE_KEY") or (SANDBOX_PUBLISHABLE_KEY if sandboxed else "")
    if not value.startswith("pk_"):
        message = "STRIPE_PUBLISHABLE_KEY must be set beside STRIPE_SECRET_KEY; it begins with pk_"
        raise BadSetting(message)
    return value
