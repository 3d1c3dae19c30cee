"""Where it is kept. The only room that imports piccolo."""
