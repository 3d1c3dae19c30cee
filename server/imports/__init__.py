"""Pupils and their contacts, from the tables a school's own system exports."""
