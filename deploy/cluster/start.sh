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
trap 'kill 0' INT TERM EXIT

"$muster" serve --listen 127.0.0.1:8848 --data-dir node1 --cluster-init &
until curl -sf -o /dev/null http://127.0.0.1:8848/ready; do sleep 0.2; done
for port in 8858 8868; do
    node=node${port}
    # Without effect on a node that has joined before.
    [ -d "$node" ] || "$muster" cluster token create >"$node.token"
    "$muster" serve --listen 127.0.0.1:$port --data-dir "$node" \
        --join 127.0.0.1:7848 --set join_token_file="$node.token" &
    until curl -sf -o /dev/null http://127.0.0.1:$port/ready; do sleep 0.2; done
done
"$muster" cluster status
wait
