"""The stack configuration: models, cross-field rules, and one error for all problems."""
