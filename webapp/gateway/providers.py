"""Which providers there are in this process; chosen by settings alone."""

from __future__ import annotations

from webapp.config import Settings
from webapp.gateway import stripe_adapter, tokenising
from webapp.gateway.port import Provider
from webapp.gateway.stripe_adapter import StripeKeys, StripeProvider

DEFAULT = "stripe"
_providers: dict[str, Provider] = {}


def use(settings: Settings) -> None:
    """Set up the process's providers; called once at start. Real keys need no other change."""
    keys = StripeKeys(
        api_base=settings.provider_api_base,
        secret_key=settings.stripe_secret_key,
        webhook_secrets=tuple(
            secret.strip() for secret in settings.stripe_webhook_secret.split(",")
        ),
        livemode=settings.livemode,
    )
    put(StripeProvider(keys))
    tokenising.use(settings)


def preload() -> None:
    """Import all that a provider needs, ahead of a fork; nothing is set up or sent."""
    stripe_adapter.preload()


def put(one: Provider) -> None:
    """Make `one` the provider of its name."""
    _providers[one.name] = one


def provider(name: str = DEFAULT) -> Provider:
    """Return the provider of that name; raises KeyError when settings know none."""
    return _providers[name]
