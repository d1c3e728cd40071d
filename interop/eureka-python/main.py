"""Drives py_eureka_client through one scenario: main.py SCENARIO ADDRESS:PORT SUITE.

See interop/README.md.
"""
import asyncio
import os
import sys

from checks import Checks  # first: it moves standard output out of the client's way

from py_eureka_client.eureka_client import EurekaClient

import scenarios


class Client:
    """A started client: registered under a name of its own with the metadata colour=green, and fetching."""

    def __init__(self, address, app):
        self.id = f"{app}:1"
        self.client = EurekaClient(
            eureka_server=f"http://{address}/eureka/",
            app_name=app,
            instance_id=self.id,
            instance_ip="127.0.0.1",
            instance_host="127.0.0.1",
            instance_port=7000,
            metadata={"colour": "green"},
            # The client fetches as often as it renews.
            renewal_interval_in_secs=scenarios.RENEWAL,
            duration_in_secs=3 * scenarios.RENEWAL,
        )

    async def start(self):
        await self.client.start()
        return self

    def shown(self, app):
        """The instances that this client would call, as PORT COLOUR, sorted."""
        found = self.client.applications.get_application(app).up_instances
        return sorted(f"{one.port.port} {one.metadata.get('colour')}" for one in found)

    async def stop(self):
        await self.client.stop()


async def run(scenario, address, suite):
    checks = Checks()
    await scenarios.run(checks, scenario, address, suite, lambda app: Client(address, app).start())
    # The client's thread never ends by itself.
    os._exit(1 if checks.failed else 0)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:4]))
