"""The storage of the whole lab: a file is there whichever machine is lost, and is healed."""

from __future__ import annotations

import os

from tests.support.rig_whole import WholeLab

CLIENTS = ("app1", "app2", "app3")
MOUNT = "/mnt/gluster"
LOST = "gluster2"
"""It has a brick and nothing else."""


def test_a_file_put_through_one_client_is_on_every_brick_and_client(lab: WholeLab) -> None:
    content = os.urandom(300_000)
    assert lab.put_file("steady.bin", content) == 201
    lab.await_copies("steady.bin", content)
    for client in CLIENTS:
        size = lab.run(client, "stat", "--format=%s", f"{MOUNT}/uploads/steady.bin")
        assert int(size) == len(content), client


def test_files_are_read_and_written_while_a_server_is_lost_and_it_is_healed(
    healed: WholeLab,
) -> None:
    before, during = os.urandom(100_000), os.urandom(100_000)
    assert healed.put_file("before.bin", before) == 201
    healed.power_off(LOST)
    assert healed.put_file("during.bin", during) == 201
    assert healed.get_file("before.bin") == before
    assert healed.get_file("during.bin") == during
    healed.power_on(LOST)
    healed.await_copies("during.bin", during)
    healed.await_copies("before.bin", before)
