"""Fencing: a member that does not answer loses its power before its resources start elsewhere.

`devices` says which stonith devices the cluster has, `plan` what its members need for them,
`virtd` is the configuration of fence_virtd on the libvirt host. All of that is pure; `component`
applies the plans.
"""
