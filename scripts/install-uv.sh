#!/bin/sh
# Puts uv into .tools, with whichever of venv and pip this machine's Python has.
set -eu
export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

command -v python3 >/dev/null 2>&1 ||
    fail 'python3 was not found. Install Python 3.11 or newer, then run this again.'

with_venv() {
    python3 -m venv .tools >/dev/null 2>&1 && .tools/bin/python -m pip install --quiet uv
}

with_pip() { # Debian ships Python without its venv module
    python3 -m pip install --quiet --target .tools uv
}

echo 'setup: fetching uv into .tools'
rm -rf .tools
with_venv || {
    rm -rf .tools
    with_pip || {
        rm -rf .tools
        fail 'uv could not be installed: this needs the network, and the venv or pip module of
python3 (on Debian: apt install python3-venv). Or install uv yourself and run this again.'
    }
}
test -x .tools/bin/uv || fail 'uv was installed, but .tools/bin/uv is not there.'
