"""Drives nacos-sdk-python (asynchronous, gRPC) through one scenario: main.py SCENARIO ADDRESS:PORT[,...] [NAME].

See interop/README.md.
"""
import asyncio
import os
import sys

from v2.nacos import ClientConfigBuilder, NacosConfigService, NacosNamingService

import config
import ensemble
import lifecycle
import naming
from checks import Checks


def settings(address):
    """The working directory is the driver's fresh folder, so no run sees what an earlier one kept."""
    built = ClientConfigBuilder().server_address(address).log_dir("log").cache_dir("cache").build()
    # Without it the client hides from its user that a list has become empty.
    return built.set_update_cache_when_empty(True)


async def run(scenario, address, name=""):
    checks = Checks()
    named = lambda: NacosNamingService.create_naming_service(settings(address))
    configured = lambda: NacosConfigService.create_config_service(settings(address))
    if scenario == "naming":
        await naming.run(checks, await named(), await named())
    elif scenario == "config":
        await config.run(checks, await configured(), await configured())
    elif scenario == "observe":
        await lifecycle.observe(checks, await named())
    elif scenario == "victim":
        await lifecycle.victim(await named())
    elif scenario == "restart":
        await lifecycle.restart(checks, await named(), await configured())
    elif scenario == "ensemble":
        await ensemble.run(checks, await named(), await named(), await configured(), name)
    else:
        raise SystemExit(f"no scenario {scenario}")
    sys.stdout.flush()
    # The client's tasks never end by themselves.
    os._exit(1 if checks.failed else 0)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:4]))
