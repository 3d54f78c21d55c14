"""Pydantic models of the stack configuration: every key, its type, unit, range and default.

Defaults live here and nowhere else. Keys are camelCase in YAML and snake_case in Python. What one
field alone can say is said here; what needs two fields is in `rules` and `service_rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.settings.cluster_models import ClusterSettings
from components.settings.database_models import DatabaseSettings
from components.settings.kinds import (
    Address,
    Algorithm,
    ConfigName,
    DomainName,
    ErrorCode,
    FaultName,
    FileName,
    HttpUrl,
    Integer,
    InterfaceName,
    LibvirtUri,
    MachineName,
    NamespaceName,
    Network,
    PackageName,
    PathEnd,
    Port,
    UnitName,
    UrlPath,
    UserName,
    Weight,
    check_host_key,
    check_sha512,
)
from components.settings.section import Section
from components.settings.storage_models import StorageSettings
from components.settings.visits_models import VisitsSettings


class NetworkSettings(Section):
    """The lab's one private network."""

    cidr: Network | None = None
    """The lab's network; unset: 10.16.<number>.0/24."""
    vip: Address | None = None
    """The load balancers' VIP; unset: host 100 of the network, as in the course."""
    interface: InterfaceName = "eth0"
    """The machines' network interface that carries the VIP."""
    domain: DomainName = "lab.internal"
    """Domain name of the machines."""
    dns: tuple[Address, ...] = ()
    """Name servers of the machines; empty: the network's gateway."""
    management: tuple[Network, ...] = ()
    """Networks from which SSH and the statistics page are reached; empty: the gateway alone."""


class MachineCounts(Section):
    """How many machines of each kind the `full` topology has."""

    load_balancer: Annotated[Integer, Field(ge=1, le=2)] = 2
    app: Annotated[Integer, Field(ge=1, le=20)] = 3
    database: Annotated[Integer, Field(ge=0, le=2)] = 2
    storage: Annotated[Integer, Field(ge=0, le=9)] = 3


class Size(Section):
    """What one virtual machine gets; unset fields come from the roles' needs."""

    memory_mib: Annotated[Integer, Field(ge=256, le=1048576)] | None = None
    """Memory in MiB."""
    vcpus: Annotated[Integer, Field(ge=1, le=64)] | None = None
    """Virtual processors."""
    disk_gib: Annotated[Integer, Field(ge=4, le=4096)] | None = None
    """System disk in GiB (sparse)."""


class ExistingHost(Section):
    """A machine that is there already."""

    address: Address
    """Its address on the lab's network."""
    port: Port = 22
    """SSH port."""
    user: UserName | None = None
    """SSH user with sudo and no password; unset: `machines.user`."""
    host_key: Annotated[str, AfterValidator(check_host_key)]
    """Public SSH host key, one line (`ssh-ed25519 AAAA...`): pinned."""
    identity: str = ""
    """Anything that changes when the machine is reinstalled; it is then configured again."""


class MachineSettings(Section):
    """The lab's machines."""

    provider: Literal["libvirt", "existing"] = "libvirt"
    """`libvirt` makes virtual machines, `existing` uses hosts that are there."""
    counts: MachineCounts = MachineCounts()
    sizes: dict[MachineName, Size] = {}
    """Sizes by machine name; `default` is for all that are not named."""
    hosts: dict[MachineName, ExistingHost] = {}
    """The existing machines by name; every machine of the topology, no other."""
    user: UserName = "lab"
    """Administrator of every machine: SSH key only, sudo without password."""
    ready_timeout_s: Annotated[Integer, Field(ge=10, le=7200)] = 900
    """Seconds a machine may take to answer over SSH and to end cloud-init."""
    firewall: bool = True
    """Render and load the nftables rules that the roles declare."""
    network_namespace: NamespaceName | None = None
    """Network namespace of this host in which existing machines are reached (the rig's)."""
    private_key_file: FileName | None = None
    """File with the SSH private key for existing machines; unset: the stack's own key."""


class ImageSettings(Section):
    """The disk image of the virtual machines."""

    path: FileName | None = None
    """A local qcow2 file; unset with no `url`: the golden image of `make image`."""
    url: HttpUrl | None = None
    """Where to download an official cloud image."""
    sha512: Annotated[str, AfterValidator(check_sha512)] | None = None
    """SHA-512 of the image in hexadecimal; required with `url`."""


class LibvirtSettings(Section):
    """The libvirt host."""

    uri: LibvirtUri = "qemu:///system"
    """libvirt connection URI."""
    acceleration: Literal["auto", "kvm", "qemu"] = "auto"
    """`auto` uses KVM only after a boot probe has proven it; `qemu` is emulation."""
    firmware: Literal["bios", "uefi"] = "bios"
    pool_dir: FileName | None = None
    """Directory under which the stack's storage pool is; unset: /var/lib/libvirt/images."""
    image: ImageSettings = ImageSettings()


class CheckSettings(Section):
    """How a back end's servers are checked."""

    kind: Literal["http", "tcp"] = "http"
    path: UrlPath = "/health"
    status: Annotated[Integer, Field(ge=100, le=599)] = 200


class AclSettings(Section):
    """A named condition: true when every field that is given matches (any of its values)."""

    path_beg: tuple[UrlPath, ...] = ()
    path_end: tuple[PathEnd, ...] = ()
    src: tuple[Network, ...] = ()
    """Client networks."""
    internal: bool = False
    """The client is in the lab's own network."""


class BackendSettings(Section):
    """A further back end on the app servers."""

    port: Port
    algorithm: Algorithm = "roundrobin"
    servers: tuple[MachineName, ...] = ()
    """Machines with the app role; empty: all of them."""
    check: CheckSettings = CheckSettings()


class RouteSettings(Section):
    """`use_backend backend if acl and acl ...`; the first route that matches is taken."""

    backend: ConfigName
    acls: Annotated[tuple[ConfigName, ...], Field(min_length=1)]


class StatsSettings(Section):
    """HAProxy's statistics page."""

    port: Port = 8404
    refresh_s: Annotated[Integer, Field(ge=1, le=3600)] = 10
    """Seconds between reloads of the page in the browser."""


class TlsSettings(Section):
    """The certificate of the https front end."""

    certificate_file: FileName | None = None
    """PEM file with certificate, chain and private key; unset: one is made for the stack."""
    redirect: bool = True
    """Answer plain http with a redirect (301) to https."""


COURSE_ACLS = {
    "is_api": AclSettings.model_validate({"pathBeg": ["/api"]}),
    "is_static": AclSettings.model_validate({"pathEnd": [".jpg", ".png", ".css", ".js"]}),
    "is_admin": AclSettings.model_validate({"pathBeg": ["/admin"]}),
    "is_internal": AclSettings(internal=True),
}
COURSE_BACKENDS = {
    "api_back": BackendSettings(port=3000, algorithm="leastconn"),
    "static_back": BackendSettings(port=8081),
    "admin_back": BackendSettings(port=8082),
}
COURSE_ROUTES = (
    RouteSettings(backend="api_back", acls=("is_api",)),
    RouteSettings(backend="static_back", acls=("is_static",)),
    RouteSettings(backend="admin_back", acls=("is_admin", "is_internal")),
)


class LoadBalancerSettings(Section):
    """The load balancer pair."""

    engine: Literal["haproxy", "nginx"] = "haproxy"
    """The load balancer program."""
    vrid: Annotated[Integer, Field(ge=1, le=255)] | None = None
    """VRRP virtual router id, unique on its network segment; unset: from the lab's number."""
    http_port: Port = 80
    https_port: Port = 443
    tls: TlsSettings = TlsSettings()
    algorithm: Algorithm = "roundrobin"
    weights: dict[MachineName, Weight] = {}
    """Weight of an app server, 0-256; unset: 1."""
    backup: tuple[MachineName, ...] | None = None
    """App servers used only when no other is left; unset: the last of three or more."""
    stickiness: Literal["none", "cookie", "source"] = "none"
    """How a client is kept on its app server; the pair shares what it knows."""
    check: CheckSettings = CheckSettings()
    max_connections: Annotated[Integer, Field(ge=16, le=1000000)] = 4096
    stats: StatsSettings = StatsSettings()
    acls: dict[ConfigName, AclSettings] = COURSE_ACLS
    backends: dict[ConfigName, BackendSettings] = COURSE_BACKENDS
    routes: tuple[RouteSettings, ...] = COURSE_ROUTES
    error_files: dict[ErrorCode, FileName] = {}
    """HTML files of the lab's own error pages by status; others are the built-in ones."""


class OwnApplication(Section):
    """A user's application instead of the course's web server."""

    package: PackageName
    """Package of the distribution (or of a repository that the image knows)."""
    unit: UnitName
    """systemd unit to enable and start."""
    port: Port
    health_path: UrlPath = "/health"


class AppServerSettings(Section):
    """The application servers."""

    port: Port = 8080
    application: OwnApplication | None = None
    """Your own application; unset: the course's web server with its `/health`."""
    visits: VisitsSettings = VisitsSettings()


class FaultLimits(Section):
    """What one fault may cost at most."""

    outage_ms: Annotated[Integer, Field(ge=0, le=3600000)] | None = None
    """Longest outage in milliseconds; unset: from the prediction and the tolerance."""
    failed_requests: Annotated[Integer, Field(ge=0, le=1000000)] | None = None
    """Requests that may fail; unset: none where the fault should cost none."""


class DrillSettings(Section):
    """What a drill may do to this lab, and what it is judged by."""

    allowed: bool = False
    """The lab may be broken on purpose."""
    interval_ms: Annotated[Integer, Field(ge=1, le=10000)] | None = None
    """Milliseconds between two requests of a client; unset: 10, with `relaxed` timers 500."""
    slow_ms: Annotated[Integer, Field(ge=1, le=60000)] | None = None
    """An answer that takes longer is no service any more; unset: 250, with `relaxed` timers 2000.
    Milliseconds."""
    request_timeout_s: Annotated[Integer, Field(ge=1, le=60)] = 10
    """Seconds after which a client gives up."""
    tolerance_percent: Annotated[Integer, Field(ge=100, le=1000)] = 150
    """An outage may last this share of the predicted one, plus `tolerance_ms` and two intervals."""
    tolerance_ms: Annotated[Integer, Field(ge=0, le=60000)] = 500
    """Milliseconds for what no timer knows: the machines' own work, a busy host."""
    limits: dict[FaultName, FaultLimits] = {}
    """Limits of single faults, by name."""


class Settings(Section):
    """The whole stack configuration."""

    number: Annotated[Integer, Field(ge=0, le=250)] | None = None
    """The lab's number on its host: decides network and VRID; unset: from the stack's name."""
    topology: Literal["full", "compact"] = "compact"
    """`full`: ten machines, as the course draws it; `compact`: three that carry all roles."""
    timers: Literal["course", "relaxed", "standard", "fast"] = "standard"
    """The set of detection timers."""
    network: NetworkSettings = NetworkSettings()
    machines: MachineSettings = MachineSettings()
    libvirt: LibvirtSettings = LibvirtSettings()
    load_balancer: LoadBalancerSettings = LoadBalancerSettings()
    app_server: AppServerSettings = AppServerSettings()
    cluster: ClusterSettings = ClusterSettings()
    database: DatabaseSettings = DatabaseSettings()
    storage: StorageSettings = StorageSettings()
    drill: DrillSettings = DrillSettings()
