"""The rig: a lab's machines as namespaced Debian systems, at native speed and without VMs.

Other code uses `rig.state.load(name)`, which gives a `rig.model.Rig`.
"""
