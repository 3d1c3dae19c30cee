"""The morning's calls: the list made the evening before, who rings whom, and what came of what was promised."""
