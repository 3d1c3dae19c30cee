"""Telling people. The Alert row is the queue: written in the transaction that caused it, and handed over by a loop."""
