"""Every detection timer of the lab, in four named sets, and what they mean in seconds.

`course` holds the course's own values, or where it is silent the defaults of the daemons it
installs. `relaxed` is for hosts without KVM or with more virtual processors than real ones,
`standard` for a healthy lab, `fast` for machines that are never starved of CPU.

A timer is a trade: below the longest stall of a machine (a paused virtual CPU, a full disk queue)
a faster timer does not find failures sooner, it invents them. Units are in the names. This module
knows no daemon's syntax; the renderers of each service do.
"""

from components.timers.kinds import (
    CorosyncTimers,
    Engine,
    GlusterTimers,
    HaproxyTimers,
    MonitorTimers,
    ReplicationTimers,
    Timers,
    TimersName,
    VrrpTimers,
)
from components.timers.predict import explain, predict
from components.timers.predict_nginx import nginx_max_fails
from components.timers.sets import TIMERS, timers_named
from components.timers.terms import Predicted

__all__ = [
    "TIMERS",
    "CorosyncTimers",
    "Engine",
    "GlusterTimers",
    "HaproxyTimers",
    "MonitorTimers",
    "Predicted",
    "ReplicationTimers",
    "Timers",
    "TimersName",
    "VrrpTimers",
    "explain",
    "nginx_max_fails",
    "predict",
    "timers_named",
]
