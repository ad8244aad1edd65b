#!/bin/sh
# Builds and checks the studio. Usage: studio.sh build|check|test
#   build  into src/atomiton/studio/static
#   test   lint, types and tests, with a real browser where there is one (CHROMIUM names it)
#   check  the same; says so where there is no Node.js, instead of failing
set -eu
exec </dev/null # nothing here asks for anything
what=$1
cd "$(dirname "$0")/../studio"

if ! node --version >/dev/null 2>&1 || ! npm --version >/dev/null 2>&1; then
    if [ "$what" = check ]; then
        echo 'studio: NOT checked: there is no Node.js on this machine'
        exit 0
    fi
    echo 'studio: Node.js 20 or newer is needed, with npm' >&2
    exit 1
fi

if [ ! -e node_modules/.ready ] || [ package-lock.json -nt node_modules/.ready ]; then
    npm ci --no-audit --no-fund --loglevel=error
    touch node_modules/.ready
fi

# Called directly: npm around them would reach for the terminal.
tools=node_modules/.bin

checks() {
    $tools/eslint --max-warnings 0 .
    $tools/tsc --noEmit
    $tools/vitest run
}

browser() {
    chromium=${CHROMIUM:-/usr/bin/chromium}
    if [ ! -x "$chromium" ]; then
        echo "studio: the browser tests were NOT run: there is no $chromium (CHROMIUM names another)"
        return
    fi
    $tools/vite build --logLevel warn
    # The program of the environment by its whole path: uv may be known by one from above only.
    CHROMIUM=$chromium ATOMITON="$(cd .. && pwd)/.venv/bin/atomiton" $tools/playwright test
}

case $what in
build) $tools/vite build --logLevel warn && echo 'studio: built' ;;
check | test)
    checks
    browser
    ;;
*)
    echo "studio: there is nothing called $what" >&2
    exit 2
    ;;
esac
