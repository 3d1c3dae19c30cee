"""The morning's calls: the list made the evening before, who rings whom, and what came of what was promised."""

from server.morning import afterwards, evening

__all__ = ["afterwards", "evening"]  # whose steps are known to oncall/steps.py once they are read
