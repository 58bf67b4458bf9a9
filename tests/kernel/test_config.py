"""Settings are read once; a bad one stops the start with its own name and shows no secret."""

from __future__ import annotations

import base64

import pytest

from webapp import config
from webapp.config import BadSetting

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.urlsafe_b64encode(bytes(range(32, 64))).decode()
GOOD = {
    "DATABASE_URL": "postgresql://paydeck_web:hunter2@localhost/paydeck",
    "REDIS_URL": "redis://localhost",
    "SECRET_KEY": "a secret of sixteen or more",
    "JWT_SECRET": "a secret of thirty-two letters or more",
    "ENCRYPTION_KEY": KEY,
    "BLIND_INDEX_KEY": KEY,
    "STRIPE_WEBHOOK_SECRET": "whsec_hunter2",
}


def test_the_least_that_is_needed_is_enough_and_is_the_sandbox() -> None:
    settings = config.read(GOOD)
    assert settings.public_url == "http://localhost:8000"
    assert settings.realtime_url == "http://localhost:8001"
    assert settings.provider_origin == settings.provider_api_base == "http://127.0.0.1:8002"
    assert settings.is_sandbox
    assert not settings.livemode
    assert not settings.demo
    assert settings.fee_bps == 200
    assert settings.session_cookie == "paydeck_8000_session"
    assert settings.database_url.startswith("postgresql+psycopg://")


def test_limits_are_set_for_each_currency() -> None:
    assert config.read(GOOD).refund_approval == {}
    given = config.read(GOOD | {"REFUND_APPROVAL": "INR=5000000, JPY=90000"})
    assert given.refund_approval == {"INR": 5_000_000, "JPY": 90_000}


@pytest.mark.requirement("S2-81")
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [None, "", "   "])
def test_what_is_needed_and_missing_is_named(name: str, value: str | None) -> None:
    given = {key: one for key, one in GOOD.items() if key != name}
    if value is not None:
        given[name] = value
    with pytest.raises(BadSetting, match=f"^{name} "):
        config.read(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REFUND_APPROVAL", "5000000"),
        ("REFUND_APPROVAL", "INR=5000000;USD=60000"),
        ("REFUND_APPROVAL", "inr=-5"),
        ("DATABASE_URL", "mysql://localhost/paydeck"),
        ("DATABASE_URL", "localhost"),
        ("DATABASE_ADMIN_URL", "sqlite://"),
        ("DATABASE_OWNER_URL", "x"),
        ("SECRET_KEY", "short"),
        ("JWT_SECRET", "a secret of sixteen or more"),
        ("ENCRYPTION_KEY", "not base64 !"),
        ("ENCRYPTION_KEY", base64.b64encode(b"short").decode()),
        ("ENCRYPTION_KEY", base64.b64encode(b"x" * 33).decode()),
        ("ENCRYPTION_KEY", f"{KEY},"),
        ("ENCRYPTION_KEY", f"k2:{KEY},k1:x"),
        ("BLIND_INDEX_KEY", "é"),
        ("PORT", "0"),
        ("PORT", "65534"),
        ("PORT", "eight"),
        ("PORT", "-1"),
        ("PORT", "٨٠٠٠"),
        ("PUBLIC_URL", "pay.example.com"),
        ("PUBLIC_URL", "ftp://pay.example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://pay.example.com/shop"),
        ("PUBLIC_URL", "https://pay.example.com?x=1"),
        ("PUBLIC_URL", "https://user:password@pay.example.com"),
        ("PUBLIC_URL", "https://pay.example.com:99999"),
        ("PUBLIC_URL", "https://[::1"),
        ("REALTIME_URL", "ws://pay.example.com"),
        ("PROVIDER_ORIGIN", "javascript:alert(1)"),
        ("PROVIDER_API_BASE", "api.stripe.com"),
        ("FEE_BPS", "2.9"),
        ("FEE_BPS", "2001"),
        ("FEE_BPS", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("TRUSTED_PROXIES", "6"),
        ("TRUSTED_PROXIES", "yes"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_test_hunter2"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} must") as wrong:
        config.read(GOOD | {name: value})
    assert "hunter2" not in str(wrong.value)


def test_with_its_own_keys_the_provider_itself_is_spoken_to() -> None:
    keys = {"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_PUBLISHABLE_KEY": "pk_live_x"}
    settings = config.read(GOOD | keys)
    assert settings.provider_api_base == "https://api.stripe.com"
    assert settings.livemode
    assert not settings.is_sandbox
    with pytest.raises(BadSetting, match=r"^STRIPE_PUBLISHABLE_KEY "):
        config.read(GOOD | {"STRIPE_SECRET_KEY": "sk_live_x"})
    assert not config.read(GOOD | {**keys, "STRIPE_SECRET_KEY": "sk_test_x"}).livemode


def test_keys_are_named_and_the_first_one_seals() -> None:
    settings = config.read(GOOD | {"ENCRYPTION_KEY": f"new:{OTHER_KEY},{KEY}"})
    assert [name for name, _ in settings.encryption_keys] == ["new", "k2"]
    assert settings.encryption_keys[0][1] == bytes(range(32, 64))


@pytest.mark.parametrize(
    ("url", "port", "cookie"),
    [
        ("https://pay.example.com", 443, "__Host-paydeck_443_session"),
        ("https://pay.example.com:8443", 8443, "__Host-paydeck_8443_session"),
        ("http://pay.example.com", 80, "paydeck_80_session"),
        ("http://localhost:9000/", 9000, "paydeck_9000_session"),
    ],
)
def test_the_public_address_decides_about_cookies(url: str, port: int, cookie: str) -> None:
    settings = config.read(GOOD | {"PUBLIC_URL": url})
    assert (settings.port, settings.session_cookie) == (port, cookie)
    assert settings.is_https is url.startswith("https")


@pytest.mark.requirement("S2-81")
def test_printed_settings_show_no_secret() -> None:
    shown = repr(config.read(GOOD | {"SMTP_URL": "smtp://user:hunter2@mail.example"}))
    for secret in ("hunter2", GOOD["SECRET_KEY"], GOOD["JWT_SECRET"], KEY):
        assert secret not in shown
