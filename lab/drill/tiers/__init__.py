"""The services that can be drilled: one module each, with its faults, probes and audits."""
