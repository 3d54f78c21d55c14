"""A pair of load balancers with one VIP: HAProxy and keepalived. Pure: values in, files out."""

from components.load_balancer.args import LoadBalancerArgs, Peer
from components.load_balancer.backends import (
    Backend,
    HttpCheck,
    Server,
    TcpCheck,
    TcpServer,
    TcpService,
)
from components.load_balancer.engine import (
    load_balancer_files,
    load_balancer_firewall,
    load_balancer_plan,
)
from components.load_balancer.frontends import Acl, ErrorPage, Route, Stats, StatsLogin, Tls

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
    "TcpServer",
    "TcpService",
    "Tls",
    "load_balancer_files",
    "load_balancer_firewall",
    "load_balancer_plan",
]
