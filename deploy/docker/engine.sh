# An engine for test.sh: the one that runs, or one that is started for the test and ended with it.
# And a base image that needs no registry. Sourced by bash, after scripts/common.sh.
# shellcheck shell=bash

# Why there is no engine: exit code 75, for a caller that can do without.
no_engine() {
    printf 'error: %s\n' "$*" >&2
    exit 75
}

# Sets `engine`, the client's command, and DOCKER_HOST where an engine had to be started.
find_engine() {
    local candidate
    engine=
    # Of two clients that are installed, the first may lack the component that builds.
    for candidate in docker /usr/bin/docker; do
        have "$candidate" && can_build "$candidate" && engine=$candidate && break
    done
    [ -n "$engine" ] || no_engine "no client of Docker that can build was found: install one" \
        "(Debian and Ubuntu: apt-cache search docker)."
    export DOCKER_BUILDKIT=1
    "$engine" info >/dev/null 2>&1 || start_engine
}

# Until version 23 a client builds by itself, since then by a component of its own.
can_build() {
    local version
    version=$("$1" version --format '{{.Client.Version}}' 2>/dev/null) || true
    [ "${version%%.*}" -lt 23 ] 2>/dev/null || "$1" buildx version >/dev/null 2>&1
}

start_engine() {
    if [ "$(id -u)" != 0 ] || ! have dockerd; then
        no_engine "no engine of Docker answers, and only root can start one that is installed."
    fi
    local directory
    directory=$(mktemp -d)
    export DOCKER_HOST=unix://$directory/docker.sock
    step "starting an engine"
    # No rules of a firewall: ports are forwarded by the engine's own proxy.
    dockerd --iptables=false --ip6tables=false --host "$DOCKER_HOST" --exec-root "$directory/exec" \
        --pidfile "$directory/pid" --data-root "${ENGINE_DATA:-/var/lib/cellblock-engine}" >"$directory/log" 2>&1 &
    engine_process=$!
    for _ in $(seq 150); do
        "$engine" info >/dev/null 2>&1 && return
        kill -0 "$engine_process" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 5 "$directory/log" >&2
    no_engine "the engine did not start."
}

end_engine() {
    [ -n "${engine_process:-}" ] || return 0
    kill "$engine_process"
    wait "$engine_process" || true
}

# Sets `base` to BASE, or to an image that is made here from Debian's packages and this machine's
# Rust, once.
find_base() {
    base=${BASE:-}
    [ -z "$base" ] || return 0
    base=cellblock-base:$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    "$engine" image inspect "$base" >/dev/null 2>&1 && return
    have debootstrap || fail "debootstrap was not found: install it, or name an image as BASE=..."
    step "making the base image $base"
    local root suite=${base#*:} rust
    root=$(mktemp -d)
    debootstrap --variant=minbase \
        --include=ca-certificates,gcc,libc6-dev,python3,python3-pip,python3-venv "$suite" "$root" >"$root.log" ||
        fail "debootstrap failed: see $root.log"
    rust=$(rustc --print sysroot)
    cp -a "$rust/bin/rustc" "$rust/bin/cargo" "$root/usr/local/bin/"
    cp -a "$rust/lib/." "$root/usr/local/lib/"
    # Those of this machine, which may be behind a proxy with an authority of its own.
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    tar -C "$root" -c . | "$engine" import - "$base" >/dev/null
    rm -rf "$root" "$root.log"
}
