"""A web server that knows when each connection came: `python -m bench.arrivals`.

It prints its port, serves until its standard input ends, and then prints the moments, in seconds on
the monotonic clock, as one line of JSON. The kernel stamps the first packet of each connection as
it comes in: when this process gets a processor does not matter. Needs root.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys

from lab.drill.probes.wall_clock import difference

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"
ETHERTYPE_IPV4 = 0x0800
SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("ll")
ETHERNET, IPV4 = 14, 20
"""Bytes of these headers on loopback, where no options are."""
SYN_ALONE, SYN_AND_ACK = 0x02, 0x12
LONGEST = 65536


def main() -> None:
    moments: list[float] = []
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server, _wire() as wire:
        port: int = server.getsockname()[1]
        print(port, flush=True)
        while sys.stdin not in (ready := select.select([server, wire, sys.stdin], [], [])[0]):
            if wire in ready:
                moments += _first_packet(wire, port)
            if server in ready:
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(ANSWER)
    print(json.dumps(moments), flush=True)


def _wire() -> socket.socket:
    """All that comes in on loopback, stamped."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_IPV4))
    wire.bind(("lo", ETHERTYPE_IPV4))
    wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return wire


def _first_packet(wire: socket.socket, port: int) -> list[float]:
    """When it came, if this packet begins a connection to the port."""
    frame, stamps, _, (_, _, kind, *_) = wire.recvmsg(LONGEST, 1024)
    tcp = frame[ETHERNET + IPV4 :]
    if kind == socket.PACKET_OUTGOING or len(tcp) < 14 or frame[ETHERNET + 9] != 6:
        return []
    if struct.unpack_from("!H", tcp, 2)[0] != port or tcp[13] & SYN_AND_ACK != SYN_ALONE:
        return []
    seconds, nanoseconds = _STAMP.unpack(stamps[0][2])
    return [seconds + nanoseconds / 1e9 - difference()]


if __name__ == "__main__":
    main()
