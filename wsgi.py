"""Settings, create_app, done."""

from jobs.subscriptions import ROUTES
from webapp import config, realtime
from webapp.app import create_app

settings = config.read()
app = create_app(settings, ROUTES)


def socket_app(environ, start_response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103
    return _socket()(environ, start_response)
