"""Settings: read from the environment alone, named when they are wrong, silent when printed."""

from __future__ import annotations

import base64
import os

import pytest

from webapp import config

KEY = base64.b64encode(bytes(32)).decode()
GOOD = {
    "DATABASE_URL": "postgresql://paydeck_web:hush-1@localhost/paydeck",
    "DATABASE_ADMIN_URL": "postgres://paydeck_admin:hush-2@localhost/paydeck",
    "DATABASE_OWNER_URL": "postgresql+psycopg://paydeck_owner:hush-3@localhost/paydeck",
    "REDIS_URL": "redis://:hush-4@localhost/0",
    "SECRET_KEY": "hush-5-of-some-length",
    "ENCRYPTION_KEY": f"old:{KEY},new:{base64.b64encode(b'hush-6'.ljust(32)).decode()}",
    "BLIND_INDEX_KEY": base64.b64encode(b"hush-7".ljust(32)).decode(),
    "STRIPE_SECRET_KEY": "sk_live_hush-8",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_shown",
    "STRIPE_WEBHOOK_SECRET": "whsec_hush-9",
    "SMTP_URL": "smtp://user:hush-10@localhost",
}


@pytest.mark.requirement("S2-81")
def test_secrets_come_from_the_environment_and_are_not_in_what_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    with pytest.raises(config.BadSetting):
        config.read()
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    settings = config.read()
    assert settings.secret_key == "hush-5-of-some-length"
    assert settings.encryption_keys[1][1].startswith(b"hush-6")
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings)


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "ENCRYPTION_KEY",
        "BLIND_INDEX_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ],
)
@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_setting_that_is_missing_stops_the_start_with_its_name(
    name: str, value: str | None
) -> None:
    env = {other: text for other, text in GOOD.items() if other != name}
    if value is not None:
        env[name] = value
    with pytest.raises(config.BadSetting, match=rf"^{name} is not set"):
        config.read(env)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("DATABASE_URL", "mysql://localhost/paydeck"),
        ("DATABASE_ADMIN_URL", "localhost"),
        ("DATABASE_OWNER_URL", ""),
        ("SECRET_KEY", "short"),
        ("ENCRYPTION_KEY", "not base64!"),
        ("ENCRYPTION_KEY", base64.b64encode(bytes(31)).decode()),
        ("ENCRYPTION_KEY", f"{KEY},k2:short"),
        ("BLIND_INDEX_KEY", base64.b64encode(bytes(33)).decode()),
        ("PUBLIC_URL", "localhost:8000"),
        ("PUBLIC_URL", "https://pay.example.com/portal"),
        ("REALTIME_URL", "ftp://localhost"),
        ("PROVIDER_ORIGIN", "javascript:alert(1)"),
        ("PROVIDER_API_BASE", "//api.stripe.com"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_live_the_wrong_one"),
        ("FEE_BPS", "2.5"),
        ("FEE_BPS", "2001"),
        ("LOG_LEVEL", "LOUD"),
        ("TRUSTED_PROXIES", "many"),
    ],
)
def test_a_bad_setting_stops_the_start_with_its_name(name: str, value: str) -> None:
    with pytest.raises(config.BadSetting, match=rf"^{name}\b") as told:
        config.read({**GOOD, name: value})
    assert not value.startswith("sk_") or value not in str(told.value)


def test_a_key_of_ones_own_means_stripe_and_a_live_one_means_real_money() -> None:
    live = config.read(GOOD)
    assert (live.is_sandbox, live.livemode) == (False, True)
    assert live.provider_api_base == "https://api.stripe.com"
    test = config.read({**GOOD, "STRIPE_SECRET_KEY": "sk_test_mine"})
    assert (test.is_sandbox, test.livemode) == (False, False)
    without = {name: value for name, value in GOOD.items() if not name.startswith("STRIPE_S")}
    stand_in = config.read(without)
    assert (stand_in.is_sandbox, stand_in.livemode) == (True, False)
    assert stand_in.provider_api_base == "http://127.0.0.1:8002"


def test_three_ports_stand_side_by_side_and_cookies_carry_theirs() -> None:
    settings = config.read({**GOOD, "PORT": "9100"})
    assert settings.public_url == "http://localhost:9100"
    assert settings.realtime_url == "http://localhost:9101"
    assert settings.session_cookie == "paydeck_9100_session"
    safe = config.read({**GOOD, "PUBLIC_URL": "https://pay.example.com/"})
    assert safe.session_cookie == "__Host-paydeck_443_session"
