"""Drives the last HTTP-only nacos-sdk-python through one scenario: main.py SCENARIO ADDRESS:PORT.

See interop/README.md. This client polls services itself and sends beats from threads; it has no batch, no
compare-and-set and no list of services.
"""
import os
import sys

import nacos

import config
import lifecycle
import naming
from checks import Checks


def main(scenario, address):
    # No failover or snapshot files of an earlier run; content comes from the server or not at all.
    client = nacos.NacosClient(address, namespace="", logDir="log")
    # A short long poll: only when it ends does this client begin to ask for a key that was added meanwhile.
    client.set_options(no_snapshot=True, default_timeout=5, pulling_timeout=5)
    checks = Checks()
    if scenario == "naming":
        naming.run(checks, client)
    elif scenario == "config":
        config.run(checks, client)
    elif scenario == "observe":
        lifecycle.observe(checks, client)
    elif scenario == "victim":
        lifecycle.victim(client)
    elif scenario == "restart":
        lifecycle.restart(checks, client)
    else:
        raise SystemExit(f"no scenario {scenario}")
    sys.stdout.flush()
    # The client's threads and its helper process never end by themselves.
    client.stop_subscribe()
    if client.process_mgr:
        client.process_mgr.shutdown()
    os._exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:3])
