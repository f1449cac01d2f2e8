#!/usr/bin/env bash
# Builds the image and tries it in every way that it may be started: the contract's examples, a
# handful of attacks, the layers, memory, the end, and the size. Prints a line per check and exits
# with 1 on any miss. Needs no registry; starts an engine if none runs.
#
# BASE=...    an image to build on, instead of one made here (see find_base)
# PREBUILT=1  takes the program from target/release, instead of compiling it in the image
# PORT=...    where containers are reached, 8080
source "$(dirname "$0")/../../scripts/common.sh"
source deploy/docker/engine.sh

# In megabytes of 10^6 bytes.
most_unpacked=300 most_compressed=110
profile="--security-opt seccomp=deploy/docker/seccomp.json --security-opt systempaths=unconfined"

misses=0 container=cellblock-test-$$ mode="" began=0 port=${PORT:-8080}

# check NAME COMMAND...: a row of the table. What the command prints is shown on a miss.
check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        printf '%-10s %s\n' "$mode" "ok    $name"
    else
        misses=$((misses + 1))
        printf '%-10s %s\n' "$mode" "MISS  $name: $said"
    fi
}

note() { printf '%-10s %s\n' "$mode" "$*"; }

# The commands below are the README's, word for word. What this adds to them is for this machine: a
# base image, a network to build with, a port, and a name to find the container by.
docker() {
    case $1 in
    build)
        "$engine" build --quiet --network host --build-arg "BASE=$base" \
            --build-arg "PROGRAM=$([ -n "${PREBUILT:-}" ] && echo prebuilt || echo compiled)" "${@:2}" >/dev/null
        ;;
    run)
        shift
        "$engine" rm --force "$container" >/dev/null 2>&1 || true
        began=$(date +%s%3N)
        "$engine" run --detach --name "$container" "${@/8080:8080/127.0.0.1:$port:8080}" >/dev/null
        ;;
    *) "$engine" "$@" ;;
    esac
}

is_running() { [ "$("$engine" inspect --format '{{.State.Running}}' "$container" 2>/dev/null)" = true ]; }

get() { "$PYTHON" -I -S -c "import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=5)" "$1"; }

# Waits until the server is ready; says what it logged where it does not become so.
ready() {
    until get "http://127.0.0.1:$port/health" >/dev/null 2>&1; do
        if ! is_running || [ $(($(date +%s%3N) - began)) -gt 30000 ]; then
            "$engine" logs "$container"
            return 1
        fi
        sleep 0.05
    done
}

probe() {
    local said
    if ! said=$("$PYTHON" deploy/docker/probe.py "http://127.0.0.1:$port" "$@"); then misses=$((misses + 1)); fi
    while IFS= read -r line; do note "$line"; done <<<"$said"
}

remove() { "$engine" rm --force "$container" >/dev/null 2>&1 || true; }

# A run that is under way is finished, no new ones are taken, and the exit code is 0.
drains() {
    local answer code
    answer=$(mktemp)
    "$PYTHON" - "http://127.0.0.1:$port/execute" >"$answer" <<'PYTHON' &
import json, sys, urllib.request as r
body = {"script": "import time\ndef main():\n    time.sleep(2)\n    return 'finished'"}
print(r.urlopen(r.Request(sys.argv[1], json.dumps(body).encode(), {"Content-Type": "application/json"})).read().decode())
PYTHON
    local client=$!
    sleep 0.7
    "$engine" stop "$container" >/dev/null
    wait "$client" || true
    code=$("$engine" inspect --format '{{.State.ExitCode}}' "$container")
    echo "exit code $code, answer $(cat "$answer")"
    grep -q '"finished"' "$answer" && [ "$code" = 0 ]
}

healthy() {
    local state=
    for _ in $(seq 60); do
        state=$("$engine" inspect --format '{{.State.Health.Status}}' "$container")
        [ "$state" != healthy ] || return 0
        sleep 0.5
    done
    echo "the health check says $state"
    return 1
}

unprivileged() { [ "$("$engine" top "$container" -eo pid,uid | awk 'NR > 1 { print $2 }' | sort -u)" = 10001 ]; }

# But for the two empty directories that nsjail mounts on where it can make them.
writes_nothing() {
    local written
    written=$("$engine" diff "$container" | grep -Ev '^(C /tmp|A /tmp/nsjail\.10001\.(root|tmp))$') || true
    echo "$written"
    [ -z "$written" ]
}

at_most() { echo "$1 > $2"; [ "$1" -le "$2" ]; }

# A script that takes more than the container has ends; the server does not.
survives_memory() {
    "$PYTHON" - "http://127.0.0.1:$port/execute" <<'PYTHON'
import json, sys, urllib.error, urllib.request as r
def post(body):
    request = r.Request(sys.argv[1], json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        return json.load(r.urlopen(request, timeout=60))
    except urllib.error.HTTPError as error:
        return json.load(error)
greedy = post({"script": "def main():\n    return len(bytearray(900 << 20))", "limits": {"memory_mb": 1024}})
honest = post({"script": "def main():\n    return 1"})
print(greedy, honest)
sys.exit("error" not in greedy or honest != {"result": 1, "stdout": ""})
PYTHON
}

# Nothing of a cell's is left on the disk.
clears_up() {
    local left
    left=$("$engine" diff "$container" | grep cellblock-cells) || true
    echo "$left"
    [ -z "$left" ]
}

# What /health says of a layer does, or does not, hold a text.
layer_says() {
    "$PYTHON" - "http://127.0.0.1:$port/health" "$@" <<'PYTHON'
import json, sys, urllib.request as r
layers = {layer["name"]: layer for layer in json.load(r.urlopen(sys.argv[1], timeout=5))["isolation"]}
layer, text, wanted = layers[sys.argv[2]], sys.argv[3], sys.argv[4] == "yes"
print(layer)
sys.exit((text in layer.get("reason", "")) != wanted)
PYTHON
}

# One line, with the flags that are missing, and the setting that does without.
refuses() {
    echo "exit code $1: $refusal"
    [ "$1" != 0 ] && [ "$(wc -l <<<"$refusal")" = 1 ] && [[ $refusal == *"--security-opt seccomp="* ]] &&
        [[ $refusal == *"CELLBLOCK_FLOOR=process"* ]]
}

try_profile() {
    mode=profile
    docker run -p 8080:8080 --security-opt seccomp=deploy/docker/seccomp.json --security-opt systempaths=unconfined cellblock
    check "starts" ready
    # A time is no verdict on a machine with other work.
    note "ready $(($(date +%s%3N) - began)) ms after docker run"
    probe cgroup own_user
    check "nobody is root" unprivileged
    check "writes nothing" writes_nothing
    check "health check" healthy
    check "drains after SIGTERM" drains
    remove
}

try_hardened() {
    mode=hardened
    docker run -p 8080:8080 --security-opt seccomp=deploy/docker/seccomp.json --security-opt systempaths=unconfined --read-only --cap-drop ALL --security-opt no-new-privileges --memory 512m --pids-limit 512 cellblock
    check "starts" ready
    probe cgroup own_user
    check "memory of the container" survives_memory
    remove
    mode=cold
    # shellcheck disable=SC2086
    docker run -p 8080:8080 $profile --read-only --env CELLBLOCK_ENGINE=cold cellblock
    check "starts" ready
    probe cgroup own_user
    remove
}

try_plain() {
    mode=plain
    docker run -p 8080:8080 cellblock
    local code directory flags
    code=$("$engine" wait "$container")
    refusal=$("$engine" logs "$container" 2>&1)
    check "refuses, and says what to add" refuses "$code"
    remove
    directory=$(mktemp -d)
    "$engine" run --rm cellblock seccomp-profile >"$directory/seccomp.json"
    flags=$(grep -o -- '--security-opt [a-z]*=[a-z.]*' <<<"$refusal" | sed "s|seccomp.json|$directory/seccomp.json|")
    # shellcheck disable=SC2086
    docker run -p 8080:8080 $flags cellblock
    check "what it says is enough" ready
    remove
    rm -rf "$directory"
}

# No namespaces, and the setting that accepts it.
try_process() {
    mode=process
    local weaker=(user_namespace own_user pid_namespace mount_namespace private_root network_namespace ipc_namespace uts_namespace
        cgroup_namespace private_tmp private_proc cgroup resource_limits capabilities)
    docker run -p 8080:8080 --env CELLBLOCK_FLOOR=process cellblock
    check "starts" ready
    probe "${weaker[@]}"
    check "no namespace is said to be there" layer_says pid_namespace "cannot be made" yes
    check "files may be mapped as code" layer_says private_tmp "mapped as code" yes
    check "nobody is root" unprivileged
    check "drains after SIGTERM" drains
    check "clears up" clears_up
    remove
    docker run -p 8080:8080 --env CELLBLOCK_FLOOR=process --read-only --tmpfs /tmp --memory 512m cellblock
    check "starts read-only" ready
    probe "${weaker[@]}"
    check "files may not be mapped as code" layer_says private_tmp "mapped as code" no
    check "memory of the container" survives_memory
    remove
    # Where there are namespaces, the setting changes nothing.
    # shellcheck disable=SC2086
    docker run -p 8080:8080 $profile --env CELLBLOCK_FLOOR=process cellblock
    check "starts with the profile" ready
    probe cgroup own_user
    remove
}

try_privileged() {
    mode=privileged
    docker run -p 8080:8080 --privileged cellblock
    check "starts" ready
    probe cgroup own_user
    remove
    mode=root
    if docker run -p 8080:8080 --privileged --user root cellblock 2>/dev/null; then
        check "starts" ready
    else
        note "SKIP  --privileged --user root: this machine's root lacks a capability that it takes; the cgroups are mounted instead"
        # shellcheck disable=SC2086
        docker run -p 8080:8080 $profile --user root --volume /sys/fs/cgroup:/sys/fs/cgroup cellblock
        check "starts" ready
    fi
    probe
    remove
}

sizes() {
    mode=size
    local table
    table=$("$engine" save cellblock | deploy/docker/sizes.py)
    while IFS= read -r line; do note "$line"; done <<<"$table"
    read -r _ unpacked compressed <<<"$(grep ^total <<<"$table")"
    check "unpacked, at most $most_unpacked MB" at_most "${unpacked%.*}" "$most_unpacked"
    check "compressed, at most $most_compressed MB" at_most "${compressed%.*}" "$most_compressed"
}

find_python
find_engine
trap 'remove; end_engine' EXIT
find_base
step "building the image on $base"
docker build -t cellblock .
sizes
try_profile
try_hardened
try_plain
try_process
try_privileged
[ "$misses" = 0 ] || fail "$misses of the checks missed."
step "every check passed"
