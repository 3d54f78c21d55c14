"""The components of a lab: settings and topology (pure), machines, the remote layer, services."""
