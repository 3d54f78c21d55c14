"""storage-tool: what has to be done to the shared storage, or asked of it, on one of its machines.

The storage's component installs this package beside /usr/local/lib/ha-lab/storage-tool; plans call
it, and `lab storage` and the drill do. Standard library only, Python 3.9 or later. Every command
may be repeated: what is right already is left alone. Gluster's own command can hang for two minutes
where a server has vanished, so every call of it has an end.

`parse` is pure. Exit status 0: done. 1: not possible; the reason is on stderr. Lines that begin
with `note: ` are for the user.
"""
