#!/usr/bin/env bash
# Makes the virtual environment and installs exactly what the lock file says. Arguments: python, folder, lock file.
set -euo pipefail
python=$1 venv=$2 lock=$3
"$python" - <<'PY' || { echo "Havenmeester needs Python 3.11 or newer: set PYTHON=/path/to/python3.11" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
PY
if [ ! -x "$venv/bin/python" ]; then
  echo "Making $venv …"
  "$python" -m venv "$venv" || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
fi
echo "Installing from $lock …"
if [ ! -x "$venv/bin/uv" ]; then
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "uv==0.13.9" 2>/dev/null ||
    "$venv/bin/pip" install --disable-pip-version-check --no-deps "uv==0.13.9"
fi
# Compiled once here, for every process of every later start: some environments forbid Python to keep what it compiles.
"$venv/bin/uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes -r "$lock"
# By a plain path: the other way every Python that starts, the agent's too, first loads a finder that costs more than itself.
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -C editable_mode=compat -e .
