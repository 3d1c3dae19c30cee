"""A believable school to try things on: made up whole, and the same again from the same seed."""
