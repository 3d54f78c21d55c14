"""The whole program on namespaced machines: real services, real SSH, real faults."""
