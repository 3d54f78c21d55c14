"""What runs on the machines: the fence agent, one file of Python's standard library."""
