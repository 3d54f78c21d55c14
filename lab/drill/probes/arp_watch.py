"""Ask the wire who has an address, and hear who announces that it is its own.

The questions come from a MAC address that nobody has. An answer to this host's own would change
what its kernel knows of the address: the looking would repair what a client has to wait for, and
hide that an announcement was lost.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Mapping

from lab.drill.probes.arp_frames import ETHERTYPE_ARP, REPLY, parse, question, text_of
from lab.drill.probes.arp_rounds import Rounds
from lab.drill.probes.prober import READ, Prober

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP = 1
PACKET_MR_UNICAST = 3
_MEMBERSHIP = struct.Struct("IHH8s")
LOCAL_UNICAST = 0x02
"""First byte of a MAC address that was not given out by a maker of hardware."""
LINK_IS_DOWN = {errno.ENETDOWN, errno.ENETUNREACH, errno.ENOBUFS}
LONGEST_FRAME = 2048


class ArpWatch:
    """A question in each slot, on one interface."""

    in_flight = 0

    def __init__(
        self, prober: Prober, *, probe: str, device: str, address: str, names: Mapping[str, str]
    ) -> None:
        """Raises OSError without the right to raw sockets, or without the interface."""
        self._prober = prober
        self._probe = probe
        self._address = address
        self._mac = bytes([LOCAL_UNICAST]) + os.urandom(5)
        self._rounds = Rounds(names, self._say)
        self._question = question(self._mac, address)
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ETHERTYPE_ARP)
        )
        self._socket.bind((device, ETHERTYPE_ARP))
        # Otherwise the interface would not take in what is sent to an address that it has not.
        wanted = _MEMBERSHIP.pack(socket.if_nametoindex(device), PACKET_MR_UNICAST, 6, self._mac)
        self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, wanted)
        prober.watch(self._socket.fileno(), self._ready, READ)

    def look(self, _slots: range) -> None:
        """One question, however many are due: they would have the same answer."""
        # The event is the question's: whoever owns the address then answers it.
        self._take(time.monotonic())
        self._rounds.asked(time.monotonic())
        try:
            self._socket.send(self._question)
        except OSError as error:
            if error.errno not in LINK_IS_DOWN:
                raise

    def tend(self, _now: float) -> None:
        """Nothing takes long here."""

    def cut_off(self, _now: float) -> None:
        """Nothing is in flight."""
        self._socket.close()

    def _ready(self, _events: int, now: float) -> None:
        self._take(now)

    def _take(self, now: float) -> None:
        while True:
            try:
                frame, (_, _, kind, *_) = self._socket.recvfrom(LONGEST_FRAME)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in LINK_IS_DOWN:
                    raise
                return
            arp = parse(frame)
            if kind == socket.PACKET_OUTGOING or arp is None or arp.sender_ip != self._address:
                continue
            if arp.operation == REPLY and arp.target_mac == text_of(self._mac):
                self._rounds.answered(now, arp.sender_mac)
            else:
                self._rounds.announced(now, arp.sender_mac)

    def _say(self, t: float, owners: tuple[str, ...]) -> None:
        self._prober.output.emit(
            {
                "kind": "owner",
                "t": round(t, 6),
                "source": self._probe,
                "owners": owners,
                "probe": self._probe,
            }
        )
