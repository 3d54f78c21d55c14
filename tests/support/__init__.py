"""What several test levels share: waiting, network namespaces, request loops, a lab under test."""
