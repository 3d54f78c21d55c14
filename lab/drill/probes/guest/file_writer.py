"""Write numbered records into a file of a mounted volume, each on disk before it is acknowledged.

Sent to a client of the volume and run there by its own Python, 3.9 at least; standard library only.
Arguments: `write DIRECTORY NAME` or `read DIRECTORY NAME`.

`write`: each number on standard input is written as a record at its own place and fsync'ed, then
answered: `NUMBER ok` or `NUMBER REASON`. `read` prints the ranges of the numbers whose records are
there and whole, as JSON. Both refuse a directory in which nothing is mounted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path

SIZE = 64


def record(number: int) -> bytes:
    """The number and its digest: half a record, or another one's, is none."""
    text = f"{number:012d}"
    return f"{text} {hashlib.sha256(text.encode()).hexdigest()[:50]}\n".encode()


def is_mounted(directory: str) -> bool:
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return any(line.split()[1] == directory for line in lines)


def open_file(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def write(path: str) -> None:
    """Until the input ends. After an error the file is opened anew: the old handle is marked."""
    handle = -1
    for line in sys.stdin:
        number = int(line)
        try:
            if handle < 0:
                handle = open_file(path)
            os.pwrite(handle, record(number), number * SIZE)
            os.fsync(handle)
            said = "ok"
        except OSError as error:
            said = error.strerror or type(error).__name__
            if handle >= 0:
                with contextlib.suppress(OSError):
                    os.close(handle)
                handle = -1
        sys.stdout.write(f"{number} {said}\n")
        sys.stdout.flush()


def read(path: str) -> None:
    ranges: list[list[int]] = []
    data = Path(path).read_bytes()
    for number in range(len(data) // SIZE):
        if data[number * SIZE : (number + 1) * SIZE] != record(number):
            continue
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    sys.stdout.write(json.dumps(ranges))


def main(what: str, directory: str, name: str) -> None:
    if not is_mounted(directory):
        sys.exit(f"{directory} is not mounted")
    {"write": write, "read": read}[what](f"{directory}/{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
