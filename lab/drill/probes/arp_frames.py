"""ARP over Ethernet: the bytes of a question, and what a frame says. Pure."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

ETHERTYPE_ARP = 0x0806
REQUEST, REPLY = 1, 2
BROADCAST = b"\xff" * 6
NOBODY = b"\x00" * 6
_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")


@dataclass(frozen=True, slots=True)
class Arp:
    """What one frame says."""

    operation: int
    sender_mac: str
    sender_ip: str
    target_mac: str


def question(mac: bytes, address: str) -> bytes:
    """Who has this address? Asked as RFC 5227 asks: from no address, so that nobody who hears it
    learns anything from it."""
    ethernet = _ETHERNET.pack(BROADCAST, mac, ETHERTYPE_ARP)
    wanted = socket.inet_aton(address)
    return ethernet + _ARP.pack(1, 0x0800, 6, 4, REQUEST, mac, b"\x00" * 4, NOBODY, wanted)


def parse(frame: bytes) -> Arp | None:
    """What the frame says; None: it is no ARP for IPv4."""
    if len(frame) < _ETHERNET.size + _ARP.size:
        return None
    if _ETHERNET.unpack_from(frame)[2] != ETHERTYPE_ARP:
        return None
    hardware, protocol, _, _, operation, mac, address, target, _ = _ARP.unpack_from(
        frame, _ETHERNET.size
    )
    if (hardware, protocol) != (1, 0x0800):
        return None
    return Arp(operation, text_of(mac), socket.inet_ntoa(address), text_of(target))


def text_of(mac: bytes) -> str:
    """`02:00:00:00:00:01`."""
    return mac.hex(":")
