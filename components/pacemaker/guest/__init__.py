"""cluster-tool: what has to be done on a live cluster, or asked of it, on one of its members.

The cluster's component installs this package beside /usr/local/lib/ha-lab/cluster-tool, and plans
call it. Standard library only, Python 3.9 or later. Every command may be repeated: what is right
already is left alone.

Exit status 0: done. 1: not possible; the reason is on stderr, and nothing was changed unless it
says so. Lines that begin with `note: ` are for the user.
"""
