"""The `lab` command: set-up, up and down, and what reads a finished lab's outputs."""
