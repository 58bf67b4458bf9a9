"""The checkout that shoppers meet: one order, one link, one thing to do at a time."""

from webapp.web.checkout import payment_links
from webapp.web.checkout.demo import blueprint as demo_blueprint
from webapp.web.checkout.routes import blueprint

__all__ = ["blueprint", "demo_blueprint", "payment_links"]
