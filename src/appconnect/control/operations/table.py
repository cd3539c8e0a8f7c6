"""The table of all operations."""

from typing import Final

from appconnect.control.operations.activity import ACTIVITY
from appconnect.control.operations.admin_tokens import ADMIN_TOKENS
from appconnect.control.operations.clients import CLIENTS
from appconnect.control.operations.explain import EXPLAINING
from appconnect.control.operations.keys import KEYS
from appconnect.control.operations.operation import AnyOperation
from appconnect.control.operations.routes import ROUTES
from appconnect.control.operations.sessions import SESSIONS
from appconnect.control.operations.settings import SETTINGS
from appconnect.control.operations.site import SITE
from appconnect.control.operations.users import USERS

OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    *CLIENTS,
    *EXPLAINING,
    *SETTINGS,
    *KEYS,
    *SITE,
    *ROUTES,
    *USERS,
    *ACTIVITY,
    *SESSIONS,
    *ADMIN_TOKENS,
)
