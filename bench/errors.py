"""What the bench says instead of a traceback."""


class BenchError(Exception):
    """A step that was to be measured failed; the text shows what it said."""
