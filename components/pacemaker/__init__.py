"""The Pacemaker cluster: Corosync's membership, the resources, pcs. Pure but for `component`.

`guest/` is the program that the machines run for what has to be done on a live cluster.
"""
