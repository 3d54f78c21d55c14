"""The libvirt host before the Pulumi program runs: its daemon, KVM or not, images, leftovers.

What is here changes the host or takes time, and therefore has no place in a Pulumi program. It
never touches what is not the lab's own.
"""
