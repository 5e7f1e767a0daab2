"""The embedded PostgreSQL: shared by every process of the installation, stopped when the last one ends.

    url = postgres.attach(Path(".data"))   # started, or joined where it runs; let go when this process ends
    postgres.watch()                       # and started again if it dies meanwhile

`postmaster` finds the running server, `cluster` starts and stops it, `sharing` says who does so when, `watcher` looks
after it. Each of these acts is a line in the log.
"""

from scaigrid_site.postgres.cluster import Cluster, NotStarted
from scaigrid_site.postgres.sharing import attach, watch

__all__ = ["Cluster", "NotStarted", "attach", "watch"]
