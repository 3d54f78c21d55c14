"""Golden Debian images: a root tree for the rig's machines and a qcow2 disk for libvirt's.

Both hold the same packages; building one is expensive, so results are kept in the cache under
the hash of everything that decides their content.
"""
