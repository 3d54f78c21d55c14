"""Running the tests: the gate and the long suite, one run at a time, on a clean machine."""
