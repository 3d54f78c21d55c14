"""`lab cluster`: see and operate the Pacemaker cluster of a lab that is up, with pcs on a member.

`state` reads what the cluster says of itself (pure), `operate` runs pcs, `show` prints.
"""
