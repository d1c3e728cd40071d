#!/bin/sh
# Three nodes on this machine, on ports 8848, 8858 and 8868: to see a cluster, not to run one. Ctrl-C ends all of them.
#   deploy/cluster/start.sh [MUSTER] [DIRECTORY]
set -eu
muster=$(command -v "${1:-muster}") || { echo "no ${1:-muster} here: give its path" >&2; exit 1; }
muster=$(cd "$(dirname "$muster")" && pwd)/$(basename "$muster")
directory=${2:-./muster-cluster}
umask 077
mkdir -p "$directory"
cd "$directory"

nodes=
stop() {
    trap - INT TERM EXIT
    # Ctrl-C has reached the nodes already, and a second signal would end them without a drain.
    [ "$1" = INT ] || kill $nodes 2>/dev/null || true
    wait
    exit "$2"
}
trap 'stop INT 130' INT
trap 'stop TERM 143' TERM
trap 'stop EXIT $?' EXIT
start() {
    "$muster" serve --listen "127.0.0.1:$1" --data-dir "node$1" $2 >"node$1.log" 2>&1 &
    nodes="$nodes $!"
}
# Until it answers so. A node that has ended, since its port was taken perhaps, never will.
wait_for() {
    while sleep 0.3; do
        for node in $nodes; do
            kill -0 "$node" 2>/dev/null || { tail -n 2 node*.log >&2; exit 1; }
        done
        if curl -sf "http://127.0.0.1:$1" 2>/dev/null | grep -q "$2"; then return; fi
    done
}

start 8848 --cluster-init
for port in 8858 8868; do
    # A node that has joined before needs no token, and the first one is not ready without the others.
    if [ ! -f "node$port/node" ]; then
        wait_for 8848/ready .
        "$muster" cluster token create >"node$port.token" 2>/dev/null
    fi
    start "$port" "--join 127.0.0.1:7848 --set join_token_file=node$port.token"
done
wait_for 8848/muster/v1/cluster '"voters":3'
for port in 8848 8858 8868; do wait_for "$port/ready" .; done
"$muster" cluster status
echo "logs are in $PWD; Ctrl-C ends all three"
wait
