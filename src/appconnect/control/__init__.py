"""Everything an administrator can do, one function per action: check → change → audit event."""
