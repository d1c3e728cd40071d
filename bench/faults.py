#!/usr/bin/env python3
"""The same faults against three nodes of Muster or of r-nacos, on 127.0.0.1-3, over Nacos's v1 API.

    bench/faults.py muster target/release/muster
    bench/faults.py rnacos /usr/local/bin/rnacos

Clients write configs through every node, one at a time each, and remember what was acknowledged; instances are kept by
beats. It prints a line a fault. Nothing is installed; the data lies in a temporary folder.
"""
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

NODES = (0, 1, 2)
PORT = 28_000
INSTANCES = 300
KINDS = ("muster", "rnacos")


class Node:
    def __init__(self, kind, program, number, folder):
        self.kind, self.program, self.number = kind, program, number
        self.folder = os.path.join(folder, str(number))
        # r-nacos listens everywhere, so its nodes differ by port; those of Muster by address, too.
        self.host = f"127.0.0.{number + 1}" if kind == "muster" else "127.0.0.1"
        self.port = PORT + (0 if kind == "muster" else 10 * number)
        self.data, self.process = os.path.join(self.folder, "data"), None
        os.makedirs(self.data)

    def start(self, secret):
        environment, arguments = dict(os.environ), [self.program]
        if self.kind == "muster":
            peers = ",".join(f"127.0.0.{n + 1}:{PORT + 2_000}" for n in NODES)
            settings = (f"cluster_listen={self.host}:{PORT + 2_000}", f"cluster_peers={peers}")
            arguments += ["serve", "--listen", f"{self.host}:{self.port}", "--data-dir", self.data]
            for setting in (*settings, f"cluster_secret_file={secret}", "eureka_port=0"):
                arguments += ["--set", setting]
        else:
            environment.update(
                RNACOS_HTTP_PORT=str(self.port), RNACOS_GRPC_PORT=str(self.port + 1_000),
                RNACOS_HTTP_CONSOLE_PORT=str(self.port + 2_000), RNACOS_CONFIG_DB_DIR=self.data,
                RNACOS_DATA_DIR=self.data, RNACOS_RAFT_NODE_ID=str(self.number + 1),
                RNACOS_RAFT_NODE_ADDR=f"127.0.0.1:{self.port + 1_000}",
                RNACOS_RAFT_AUTO_INIT="true" if self.number == 0 else "false",
                RNACOS_RAFT_JOIN_ADDR="" if self.number == 0 else f"127.0.0.1:{PORT + 1_000}",
            )
        log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def call(self, method, path, query, timeout=5.0):
        """Status and text; status 0: no answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            path, body = f"/nacos/v1{path}?{urllib.parse.urlencode(query)}", None
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def publish(self, name, content):
        status, text = self.call(
            "POST", "/cs/configs", {"dataId": name, "group": "FAULTS", "content": content}
        )
        return status == 200 and text == "true"

    def read(self, name):
        status, text = self.call("GET", "/cs/configs", {"dataId": name, "group": "FAULTS"})
        return text if status == 200 else None

    def beat(self, number):
        beat = {"ip": f"10.0.{number // 250}.{number % 250 + 1}", "port": 8080, "serviceName": "DEFAULT_GROUP@@faults"}
        query = {"serviceName": "faults", "ip": beat["ip"], "port": 8080, "beat": json.dumps(beat)}
        return self.call("PUT", "/ns/instance/beat", query)[0] == 200

    def listed(self):
        """How many instances it lists; None: it does not answer."""
        status, text = self.call("GET", "/ns/instance/list", {"serviceName": "faults"}, 2.0)
        return len(json.loads(text).get("hosts") or []) if status == 200 else None


class Load:
    """Writers at every node, beats round about, and readers of lists."""

    def __init__(self, nodes):
        self.nodes, self.acknowledged, self.is_over = nodes, [set() for _ in nodes], False
        self.shortest, self.lock = {}, threading.Lock()
        work = [threading.Thread(target=self.write, args=(node,), daemon=True) for node in nodes]
        work += [threading.Thread(target=self.keep, args=(part,), daemon=True) for part in range(4)]
        work += [threading.Thread(target=self.watch, args=(node,), daemon=True) for node in nodes]
        for one in work:
            one.start()

    def write(self, node):
        serial = 0
        while not self.is_over:
            serial += 1
            name = f"ledger-{node.number}-{serial}"
            if node.publish(name, name):
                self.acknowledged[node.number].add(name)
            time.sleep(0.005)

    def keep(self, part):
        turn = 0
        while not self.is_over:
            began = time.monotonic()
            for number in range(part, INSTANCES, 4):
                turn += 1
                # The next one that answers.
                any(self.nodes[(turn + more) % 3].beat(number) for more in NODES)
            time.sleep(max(0.0, 4 - (time.monotonic() - began)))

    def watch(self, node):
        while not self.is_over:
            count = node.listed()
            if count is not None:
                with self.lock:
                    self.shortest[node.number] = min(count, self.shortest.get(node.number, INSTANCES))
            time.sleep(0.02)

    def forget(self):
        with self.lock:
            self.shortest.clear()

    def lost(self):
        """What was acknowledged and is not there, of all, at any node."""
        lost, count = set(), 0
        for names in self.acknowledged:
            for name in sorted(names):
                count += 1
                lost |= {name for node in self.nodes if node.read(name) != name}
        return len(lost), count


def leader(nodes):
    for node in nodes:
        path = "/muster/v1/cluster" if node.kind == "muster" else "/nacos/v1/raft/metrics"
        connection = http.client.HTTPConnection(node.host, node.port, timeout=2)
        try:
            connection.request("GET", path)
            told = json.loads(connection.getresponse().read())
            found = told.get("leader", told.get("current_leader"))
            if found:
                return nodes[int(found) - 1]
        except (OSError, ValueError, http.client.HTTPException):
            continue
        finally:
            connection.close()
    return None


def wait(condition, limit=90):
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > limit:
            return None
        time.sleep(0.02)
    return time.monotonic() - began


def seconds(took):
    return "never (90 s)" if took is None else f"{took:.1f} s"


def writes_again(nodes):
    """How long it takes until every one of these nodes acknowledges a write."""
    left = list(nodes)

    def all_written():
        left[:] = [node for node in left if not node.publish("probe", str(time.time()))]
        return not left

    return wait(all_written)


def run(kind, program):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="faults-")
    secret = os.path.join(folder, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("the secret of this ensemble, of 32 bytes and more")
    nodes = [Node(kind, program, number, folder) for number in NODES]
    try:
        for node in nodes:
            node.start(secret)
            if kind == "rnacos":
                # It does not try again to join a node that is not there yet.
                wait(lambda: nodes[0].publish("first", "1"))
                time.sleep(3)
        ready = wait(lambda: all(node.publish("first", "1") for node in nodes))
        print(f"{kind}: all three write after {seconds(ready)}", flush=True)
        load = Load(nodes)
        full = wait(lambda: all(node.listed() == INSTANCES for node in nodes))
        print(f"  {INSTANCES} instances listed everywhere after {seconds(full)}", flush=True)
        time.sleep(8)
        faults(nodes, load, secret)
        load.is_over = True
        time.sleep(6)
        lost, count = load.lost()
        print(f"  acknowledged writes that a node lacks at the end: {lost} of {count}", flush=True)
    finally:
        for node in nodes:
            if node.process and node.process.poll() is None:
                node.process.send_signal(signal.SIGCONT)
                node.kill()
        shutil.rmtree(folder, ignore_errors=True)


def faults(nodes, load, secret):
    took = []
    for _ in range(3):
        gone = leader(nodes) or nodes[0]
        load.forget()
        gone.kill()
        took.append(seconds(writes_again([node for node in nodes if node is not gone])))
        time.sleep(2)
        gone.start(secret)
        wait(lambda: gone.publish("probe", "1"))
        time.sleep(4)
    report("leader killed (3 times), writes again at both others", ", ".join(took), load)

    load.forget()
    gone = leader(nodes) or nodes[0]
    gone.process.send_signal(signal.SIGSTOP)
    took = writes_again([node for node in nodes if node is not gone])
    time.sleep(5)
    gone.process.send_signal(signal.SIGCONT)
    time.sleep(4)
    report("leader stopped for 5 s, writes again", seconds(took), load)

    load.forget()
    for node in nodes:
        node.kill()
    time.sleep(1)
    for node in nodes:
        node.start(secret)
    report("all killed at once and started, writes again", seconds(writes_again(nodes)), load, 6)

    load.forget()
    for node in nodes:
        node.kill()
    time.sleep(1)
    nodes[1].start(secret)
    served = wait(lambda: nodes[1].beat(1), 30)
    listed = nodes[1].listed()
    alone = f"alone it takes registrations after {seconds(served)}, then lists {listed}"
    time.sleep(12)
    for node in (nodes[0], nodes[2]):
        node.start(secret)
    report(f"all killed, one started: {alone}; then the others: writes again", seconds(writes_again(nodes)), load, 6)


def report(what, figure, load, pause=1):
    time.sleep(pause)
    shortest = ", ".join(str(load.shortest.get(number, "-")) for number in NODES)
    print(f"  {what}: {figure}; shortest lists {shortest} of {INSTANCES}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    run(sys.argv[1], sys.argv[2])
