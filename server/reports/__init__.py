"""Counting what the school wrote down: kinds become pandas frames, SQL views and spreadsheets, and a page of patterns."""
