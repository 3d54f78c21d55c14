"""GlusterFS: replicated volumes on the storage machines, mounted on the app servers.

`plans` says what each machine gets, `guest` is the program there that does what must be decided on
the machine: an empty disk, the pool's members, what a volume lacks, a lost brick.
"""
