"""What the portal's processes have in common, loaded once before they are forked from it.

Here stands nothing that belongs to one of them: no setting, no connection, no thread.
"""

from __future__ import annotations

import wsgi
from jobs import context, inbox, mail, operations, queues, schedule, telling, wakeups
from webapp import gateway
from webapp.kernel import db

#: Imported so that they are shared; named, so that no one removes them as unused.
SHARED = (context, inbox, mail, operations, queues, schedule, telling, wakeups, wsgi)

db.preload()
gateway.preload()
