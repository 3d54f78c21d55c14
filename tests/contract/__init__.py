"""The contract of the command plugin, and the unit tests of toolchain/."""
