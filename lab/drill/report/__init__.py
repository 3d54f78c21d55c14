"""How verdicts are shown: terminal, JSON, Markdown, one HTML page; in French and English."""
