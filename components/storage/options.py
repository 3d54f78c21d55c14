"""The options of a volume, and how its clients mount it. Pure."""

from __future__ import annotations

from components.storage.args import StorageArgs, Volume

HEAL_TIMEOUT_S = 60
"""Between two looks for what must be healed where nothing told the daemon; Gluster's own: 600."""
KEEPALIVE = {
    # Those of Gluster's own group `virt` (extras/group-virt.example).
    "server.keepalive-time": "10",
    "server.keepalive-interval": "2",
    "server.keepalive-count": "5",
}


def volume_options(args: StorageArgs, volume: Volume) -> dict[str, str]:
    """What the volume is set to: the lab's options, and over them the settings' own."""
    timers = args.timers
    allowed = sorted({n.address for n in (*args.servers, *volume.clients)})
    own = {
        # A client writes while it reaches a majority of the copies. Without one it gets errors,
        # instead of copies that say different things.
        "cluster.quorum-type": "auto",
        # Off: each server rebalances by itself. The first that is done with a folder lets clients
        # trust its layout, and files that another still holds are not found (glusterfs issue 973).
        "cluster.lookup-optimize": "off",
        "cluster.heal-timeout": str(HEAL_TIMEOUT_S),
        "network.ping-timeout": str(timers.ping_timeout_s),
        "auth.allow": ",".join(map(str, allowed)),
        **KEEPALIVE,
    }
    if timers.tcp_user_timeout_s:
        own["client.tcp-user-timeout"] = str(timers.tcp_user_timeout_s)
        own["server.tcp-user-timeout"] = str(timers.tcp_user_timeout_s)
    return {**own, **volume.options}


def mount_source(args: StorageArgs, volume: Volume) -> str:
    """`server:/volume`: from where the client gets the volume's description, and no more."""
    return f"{args.servers[0].name}:/{volume.name}"


def mount_options(args: StorageArgs) -> str:
    """The other servers give the description too; the mount waits for the network."""
    others = ":".join(server.name for server in args.servers[1:])
    return f"_netdev,backup-volfile-servers={others}"


def mount_command(args: StorageArgs, volume: Volume) -> str:
    """The same for a person's terminal."""
    source = mount_source(args, volume)
    return f"mount -t glusterfs -o {mount_options(args)} {source} {volume.mount}"
