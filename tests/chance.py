"""Where chance comes from in tests: one seed, the same in every `make test`. `make soak` gives a fresh one, and tells it."""

import os

SEED = int(os.environ.get("SEED", "1"))
IS_FRESH = "SEED" in os.environ
