"""Nodes of an ensemble are killed one after another while the clients write, register, read and watch."""
import asyncio
import sys

import config
import naming
from checks import equal, eventually, ready_and_wait

RECOVERY = 60  # seconds
CONFIGS = 20


async def run(checks, provider, consumer, configs, name):
    await Ensemble(checks, provider, consumer, configs, name).run()


class Ensemble:
    def __init__(self, checks, provider, consumer, configs, name):
        self.checks, self.provider, self.consumer, self.configs, self.name = checks, provider, consumer, configs, name
        self.looks = naming.Naming(provider, consumer)
        self.calls = self.failed = self.empty = 0
        self.stop = False
        self.acknowledged = {}

    async def run(self):
        service = f"kept-{self.name}"
        await self.provider.register_instance(naming.instance(service, "10.5.0.1", 1))
        told = await naming.subscribed(self.consumer, service)
        await eventually(["10.5.0.1:1"], told)
        await config.publish(self.configs, f"watched-{self.name}", "before")
        heard, _ = await config.listened(self.configs, f"watched-{self.name}")

        async def read(_):
            if not await self.looks.hosts(service) or not told():
                self.empty += 1

        async def come(turn):
            host = f"10.6.0.{1 + turn % 200}"
            equal(True, await self.provider.register_instance(naming.instance(f"comers-{self.name}", host, 1)))
            equal(True, await self.provider.deregister_instance(naming.gone(f"comers-{self.name}", host, 1)))

        loops = [asyncio.create_task(self.loop(call)) for call in (self.write, read, come)]
        await ready_and_wait()
        self.stop = True
        await asyncio.gather(*loops)
        print(f"note {self.calls} calls, {self.failed} failed, {self.empty} empty lists", flush=True)

        async def lists():
            equal(0, self.empty)

        async def registered():
            async def look():
                return naming.show(await self.looks.hosts(service))
            await eventually(["10.5.0.1:1"], look, RECOVERY)

        async def listener():
            async def publish():
                await config.publish(self.configs, f"watched-{self.name}", "after")
                return True
            await eventually(True, publish, RECOVERY)
            await eventually("after", heard, RECOVERY)

        for check, body in (("configs", self.nothing_lost), ("lists", lists), ("registered", registered),
                            ("listener", listener)):
            await self.checks.check(check, body)

    async def loop(self, call):
        turn = 0
        while not self.stop:
            turn += 1
            self.calls += 1
            try:
                await call(turn)
            # The library closes its channel under a call when it connects again, which cancels the call; nobody cancels ours.
            except (Exception, asyncio.CancelledError) as problem:
                self.failed += 1
                print(f"{call.__name__}: {problem!r}", file=sys.stderr)
            await asyncio.sleep(0.1)

    async def write(self, turn):
        await config.publish(self.configs, self.id(turn % CONFIGS), str(turn))
        self.acknowledged[turn % CONFIGS] = turn

    def id(self, number):
        return f"ledger-{self.name}-{number}"

    async def nothing_lost(self):
        """What was acknowledged is there, or what was written over it without an answer."""
        for number, turn in self.acknowledged.items():
            content = await config.content(self.configs, self.id(number))
            if not content or int(content) < turn:
                raise AssertionError(f"{self.id(number)}: {turn} was acknowledged, it has {content!r}")
