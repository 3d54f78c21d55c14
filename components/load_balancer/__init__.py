"""A pair of load balancers with one VIP: HAProxy and keepalived. Pure: values in, files out."""

from components.load_balancer.args import (
    Acl,
    Backend,
    ErrorPage,
    HttpCheck,
    LoadBalancerArgs,
    Peer,
    Route,
    Server,
    Stats,
    StatsLogin,
    TcpCheck,
    Tls,
)
from components.load_balancer.engine import (
    load_balancer_files,
    load_balancer_firewall,
    load_balancer_plan,
)

__all__ = [
    "Acl",
    "Backend",
    "ErrorPage",
    "HttpCheck",
    "LoadBalancerArgs",
    "Peer",
    "Route",
    "Server",
    "Stats",
    "StatsLogin",
    "TcpCheck",
    "Tls",
    "load_balancer_files",
    "load_balancer_firewall",
    "load_balancer_plan",
]
