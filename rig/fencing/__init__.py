"""Fencing in a rig: machines of one rig cut each other's power, as clusters must be able to.

`guest.agent` is the fence agent that runs on the machines, and the caller's side of the protocol;
`requests` is the service's side, `server` answers on the rig's bridge, `service` starts and ends it
on the host.
"""
