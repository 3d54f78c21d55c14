"""Say whether this machine has an IPv4 address: at every change, and every so often.

Sent to the machine and run there by its own Python, 3.9 at least; standard library only. Arguments:
the address, and the seconds between two words. On standard output one JSON object a line:
`{"t": CLOCK, "has": true}`. Each line of standard input (a number) is answered by
`{"t": CLOCK, "pong": NUMBER}`. CLOCK is this machine's monotonic clock. It ends with its input, and
when nobody has asked anything for a minute.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator

RTMGRP_IPV4_IFADDR = 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
REQUEST_DUMP = 0x301
IFA_LOCAL = 2
MESSAGE = struct.Struct("=IHHII")
ADDRESS = struct.Struct("=BBBBI")
ATTRIBUTE = struct.Struct("=HH")
ALONE_S = 60


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, content) of each netlink message."""
    while len(data) >= MESSAGE.size:
        length, kind, _, _, _ = MESSAGE.unpack_from(data)
        yield kind, data[MESSAGE.size : length]
        data = data[(length + 3) & ~3 :]


def local_address(content: bytes) -> tuple[int, bytes]:
    """(index of the interface, address) of a message about an address."""
    index = ADDRESS.unpack_from(content)[4]
    rest = content[ADDRESS.size :]
    while len(rest) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(rest)
        if kind == IFA_LOCAL:
            return index, rest[ATTRIBUTE.size : length]
        rest = rest[(max(length, ATTRIBUTE.size) + 3) & ~3 :]
    return index, b""


class Addresses:
    """On which interfaces an address is, told by the kernel."""

    def __init__(self, address: str) -> None:
        self.wanted = socket.inet_aton(address)
        self.netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.netlink.bind((0, RTMGRP_IPV4_IFADDR))
        self.netlink.setblocking(False)
        self.ask()

    def ask(self) -> None:
        """Ask for all addresses; until the answer is complete nothing is known."""
        self.interfaces: set[int] = set()
        self.is_known = False
        request = ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
        head = MESSAGE.pack(MESSAGE.size + len(request), RTM_GETADDR, REQUEST_DUMP, 1, 0)
        self.netlink.send(head + request)

    def read(self) -> None:
        """Take in everything that the kernel has said."""
        while True:
            try:
                data = self.netlink.recv(1 << 17)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.ask()  # it had more to say than there was room for
                continue
            for kind, content in messages(data):
                self.take(kind, content)

    def take(self, kind: int, content: bytes) -> None:
        if kind == NLMSG_ERROR:
            number = -struct.unpack_from("=i", content)[0]
            sys.exit(f"the kernel does not say its addresses: {os.strerror(number)}")
        if kind == NLMSG_DONE:
            self.is_known = True
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            index, address = local_address(content)
            if address == self.wanted:
                (self.interfaces.add if kind == RTM_NEWADDR else self.interfaces.discard)(index)


def say(**words: object) -> None:
    os.write(1, (json.dumps(words) + "\n").encode())


def main(address: str, every_s: float) -> None:
    addresses = Addresses(address)
    poll = select.poll()
    poll.register(addresses.netlink, select.POLLIN)
    poll.register(0, select.POLLIN)
    said: bool | None = None
    next_at = asked_at = time.monotonic()
    while time.monotonic() - asked_at < ALONE_S:
        ready = dict(poll.poll(max(0, (next_at - time.monotonic()) * 1000)))
        if 0 in ready:
            questions = os.read(0, 4096)
            if not questions:
                return
            asked_at = time.monotonic()
            for number in questions.split():
                say(t=time.monotonic(), pong=int(number))
        addresses.read()
        now, has = time.monotonic(), bool(addresses.interfaces)
        if addresses.is_known and (has != said or now >= next_at):
            say(t=now, has=has)
            said = has
        while next_at <= now:
            next_at += every_s


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
