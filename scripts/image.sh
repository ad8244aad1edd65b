#!/bin/sh
# Builds and tries the image of the Containerfile. Usage: image.sh build|check|bases
#   build  with podman, buildah or docker (ENGINE names one); takes the network, and bases from a registry
#          unless NODE_IMAGE and PYTHON_IMAGE name others; ISOLATION=chroot where there are no namespaces
#   check  what was built: the command, a template, the server, whose rights it has, and how it stops
#   bases  two bases of Debian's packages, for a machine that no registry answers: needs root, debootstrap, buildah
# The name of the image is `atomiton`, or IMAGE.
set -eu
cd "$(dirname "$0")/.."
IMAGE=${IMAGE:-atomiton}
PORT=${PORT:-8750}

say() { echo "image: $*"; }
fail() {
    say "FAILED: $*" >&2
    exit 1
}

engine() {
    for name in ${ENGINE:-podman buildah docker}; do
        command -v "$name" >/dev/null && ENGINE=$name && return
    done
    fail 'podman, buildah or docker is needed (apt-get install podman)'
}

build() {
    set -- -t "$IMAGE"
    [ -z "${EXTRAS:-}" ] || set -- "$@" --build-arg "EXTRAS=$EXTRAS"
    [ -z "${NODE_IMAGE:-}" ] || set -- "$@" --build-arg "NODE_IMAGE=$NODE_IMAGE"
    [ -z "${PYTHON_IMAGE:-}" ] || set -- "$@" --build-arg "PYTHON_IMAGE=$PYTHON_IMAGE"
    # Only this format keeps the question whether the server is well.
    [ "$ENGINE" = docker ] || set -- "$@" --format docker
    [ -z "${ISOLATION:-}" ] || set -- "$@" --isolation "$ISOLATION"
    "$ENGINE" build "$@" -f Containerfile .
    say "built $IMAGE with $ENGINE"
}

# A container that a command after another is run in: `inside WORDS`.
begin() {
    if [ "$ENGINE" = buildah ]; then
        box=$(buildah from "$IMAGE")
    else
        box=$("$ENGINE" create --entrypoint sleep "$IMAGE" 600)
        "$ENGINE" start "$box" >/dev/null
    fi
}

inside() {
    if [ "$ENGINE" = buildah ]; then
        buildah run ${ISOLATION:+--isolation "$ISOLATION"} "$box" -- "$@"
    else
        "$ENGINE" exec "$box" "$@"
    fi
}

finish() {
    if [ "$ENGINE" = buildah ]; then buildah rm "$box" >/dev/null; else "$ENGINE" rm -f "$box" >/dev/null; fi
}

# The server as the image starts it, and the process that is to be stopped.
serve() {
    if [ "$ENGINE" = buildah ]; then
        words=$(buildah inspect --type image --format '{{range .Docker.Config.Cmd}}{{.}} {{end}}' "$IMAGE")
        # shellcheck disable=SC2086 # words of a command
        inside atomiton $words >"$log" 2>&1 &
    else
        "$ENGINE" run --rm --name atomiton-check -p "127.0.0.1:$PORT:8750" "$IMAGE" >"$log" 2>&1 &
    fi
    server=$!
}

stop() {
    if [ "$ENGINE" = buildah ]; then
        # Without namespaces the signal goes to the process itself: the last of those that begot each other.
        last=$server
        while below=$(pgrep -P "$last" | head -n 1) && [ -n "$below" ]; do last=$below; done
        kill -TERM "$last"
    else
        "$ENGINE" stop -t 20 atomiton-check >/dev/null
    fi
}

answers() {
    python3 -c "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=2).status)" "$1" 2>/dev/null
}

check_server() {
    log=$(mktemp)
    serve
    tries=0
    until [ "$(answers "http://127.0.0.1:$PORT/healthz")" = 200 ]; do
        tries=$((tries + 1))
        [ $tries -lt 60 ] || { cat "$log"; fail 'the server does not answer /healthz'; }
        sleep 0.5
    done
    say 'the server answers /healthz'
    stop
    wait "$server" || { cat "$log"; fail "after SIGTERM the server ended with $?"; }
    grep -q stopped "$log" || { cat "$log"; fail 'the server did not say that it stopped'; }
    rm -f "$log"
    say 'SIGTERM stops the server with status 0'
}

check() {
    begin
    trap finish EXIT
    inside atomiton --version | grep '^atomiton [0-9]' || fail 'it has no version'
    [ "$(inside id -u)" = 10001 ] || fail 'it is another user than 10001'
    inside sh -c '! touch /opt/atomiton/mark 2>/dev/null' || fail 'the program can be written to by its user'
    [ -z "$(inside ls -A /data)" ] || fail "/data is not empty: $(inside ls -A /data)"
    say 'it is the user 10001, who can write to /data only'
    inside sh -c 'atomiton new --from data-transform try >/dev/null 2>&1 && cd try &&
        atomiton run data-transform.yaml --json 2>/dev/null' | grep -q '"total": *300' || fail 'a template does not run'
    say 'a template runs and gives what it should'
    inside sh -c 'cd /opt/atomiton/lib/python3*/site-packages/atomiton/studio/static &&
        test -s index.html && cat assets/*.js | grep -q image-processor' || fail 'the studio or its templates are not there'
    say 'the studio is there, with the templates'
    check_server
}

# Two bases: with Python, and with Node.js too. What this machine trusts, they trust.
bases() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,python-is-python3 \
        trixie "$folder/root" >"$folder/log" || { tail "$folder/log"; fail 'debootstrap'; }
    cp /usr/local/share/ca-certificates/*.crt "$folder/root/usr/local/share/ca-certificates/" 2>/dev/null || true
    chroot "$folder/root" update-ca-certificates >/dev/null 2>&1
    box=$(buildah from scratch)
    buildah add -q "$box" "$folder/root" / >/dev/null
    buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$box"
    buildah commit -q "$box" localhost/debian-python >/dev/null
    buildah run ${ISOLATION:+--isolation "$ISOLATION"} "$box" -- sh -c \
        'apt-get -q update && apt-get -q install -y --no-install-recommends nodejs npm' >"$folder/log" 2>&1 ||
        { tail "$folder/log"; fail 'apt-get'; }
    buildah commit -q --rm "$box" localhost/debian-node >/dev/null
    say 'made: build with NODE_IMAGE=localhost/debian-node PYTHON_IMAGE=localhost/debian-python'
}

case ${1:-} in
build) engine && build ;;
check) engine && check ;;
bases) bases ;;
*)
    sed -n '2,7s/^# //p' "$0" >&2
    exit 2
    ;;
esac
