#!/bin/sh
# Fills .venv with what uv.lock says. Usage: setup.sh UV
set -eu
uv=$1

# Trust what this machine trusts (a company's own certificate, say), where it keeps such a list.
if [ -e /etc/ssl/cert.pem ] || [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
fi

if ! "$uv" python find '>=3.11' >/dev/null 2>&1; then
    echo 'setup: no Python 3.11 or newer found on this machine; trying to download one' >&2
    "$uv" python install 3.11 || {
        echo 'setup: Atomiton needs Python 3.11 or newer. Install it, then run this again.' >&2
        exit 1
    }
fi
"$uv" sync --locked --quiet || {
    echo 'setup: the packages of uv.lock could not be installed; the reason stands above.' >&2
    exit 1
}
echo 'setup: ready; try "make demo"'
