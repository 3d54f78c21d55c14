"""How a machine gets Pulumi, its plugins and the Python environment. Standard library only."""
