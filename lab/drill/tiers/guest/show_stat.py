"""Prints what HAProxy on this machine knows about its servers, as CSV."""

import socket
import sys

SOCKET = "/run/haproxy/admin.sock"

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
    connection.settimeout(5)
    try:
        connection.connect(SOCKET)
        connection.sendall(b"show stat\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError as error:
        sys.exit(f"HAProxy does not answer on {SOCKET}: {error}")
sys.stdout.write(answer.decode())
