"""Lanyard: the school duty record that never loses a note."""
