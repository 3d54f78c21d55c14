"""The databases' own program on a machine: `lab-database ENGINE COMMAND`, and the role service.

It knows what cannot be known from outside: what the data on this disk is, whether the server may
start as a primary, and how it joins again. It decides nothing that a person or a cluster has to
decide: who *should* be primary is never written down here, only who is.

`decide` and `model` are pure; `session` asks a running server, `peers` the other machines;
`service` answers over HTTP which role this machine has, and `keeper` keeps what belongs to the role
in order; `postgresql_*` are the commands. Standard library only, Python 3.9 or later.
"""
