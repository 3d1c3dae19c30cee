#!/bin/sh
# Runs a command with Node 20 or newer: the machine's own, or else one put into .venv.
set -eu
here=$(dirname "$0")/..
new_enough() { node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1; }

if ! new_enough; then
    PATH=$(cd "$here" && pwd)/.venv/bin:$PATH
    new_enough || "$here/.venv/bin/pip" install -q --require-hashes -r "$here/requirements-node.lock"
fi
exec "$@"
