"""Registration, discovery and subscription; one client registers, another looks."""
import asyncio

from v2.nacos import (BatchRegisterInstanceParam, DeregisterInstanceParam, ListInstanceParam, ListServiceParam,
                      RegisterInstanceParam, SubscribeServiceParam)

from checks import equal, eventually, unique


async def run(checks, provider, consumer):
    naming = Naming(provider, consumer)
    for name in ("register", "batch", "clusters", "groups", "disabled", "persistent", "subscribe", "unsubscribe",
                 "deregister", "names", "list"):
        await checks.check(name, getattr(naming, name))


def instance(service, ip, port, **more):
    return RegisterInstanceParam(service_name=service, ip=ip, port=port, **more)


def gone(service, ip, port, **more):
    return DeregisterInstanceParam(service_name=service, ip=ip, port=port, **more)


def show(instances):
    return sorted(f"{i.ip}:{i.port} {i.metadata.get('colour', '')}".strip() for i in instances)


class Naming:
    def __init__(self, provider, consumer):
        self.provider, self.consumer = provider, consumer

    async def hosts(self, service, group="DEFAULT_GROUP", clusters=(), healthy_only=None):
        """`subscribe=False` asks the server each time; the client subscribes all the same."""
        return await self.consumer.list_instances(ListInstanceParam(
            service_name=service, group_name=group, clusters=list(clusters), subscribe=False, healthy_only=healthy_only))

    async def shows(self, expected, *where, **more):
        async def look():
            return show(await self.hosts(*where, **more))
        await eventually(expected, look)

    async def register(self):
        service = unique("register")
        equal(True, await self.provider.register_instance(instance(
            service, "10.1.0.1", 8001, weight=2.5, cluster_name="EAST", metadata={"version": "1.0", "zone": "甲"})))
        await self.shows(["10.1.0.1:8001"], service)
        seen = (await self.hosts(service))[0]
        equal((2.5, "EAST", {"version": "1.0", "zone": "甲"}), (seen.weight, seen.clusterName, seen.metadata))
        equal((True, True, True), (seen.healthy, seen.enabled, seen.ephemeral))

    async def batch(self):
        service = unique("batch")
        three = [instance(service, f"10.1.1.{n}", n) for n in (1, 2, 3)]
        request = BatchRegisterInstanceParam(service_name=service, instances=three)
        equal(True, await self.provider.batch_register_instances(request))
        await self.shows(["10.1.1.1:1", "10.1.1.2:2", "10.1.1.3:3"], service)

    async def clusters(self):
        service = unique("clusters")
        await self.provider.register_instance(instance(service, "10.1.2.1", 1, cluster_name="A"))
        await self.consumer.register_instance(instance(service, "10.1.2.2", 2, cluster_name="B"))
        await self.shows(["10.1.2.1:1", "10.1.2.2:2"], service)
        await self.shows(["10.1.2.1:1"], service, clusters=["A"])
        await self.shows(["10.1.2.2:2"], service, clusters=["B"])

    async def groups(self):
        service = unique("groups")
        await self.provider.register_instance(instance(service, "10.1.3.1", 1, group_name="blue"))
        await self.provider.register_instance(instance(service, "10.1.3.2", 2, group_name="green"))
        await self.shows(["10.1.3.1:1"], service, "blue")
        await self.shows(["10.1.3.2:2"], service, "green")
        await self.shows([], service)

    async def disabled(self):
        service = unique("disabled")
        await self.provider.register_instance(instance(service, "10.1.4.1", 1, enabled=False))
        await self.consumer.register_instance(instance(service, "10.1.4.2", 2))
        await self.shows(["10.1.4.2:2"], service, healthy_only=True)

    async def persistent(self):
        service = unique("persistent")
        equal(True, await self.provider.register_instance(instance(service, "10.1.5.1", 1, ephemeral=False)))
        await self.shows(["10.1.5.1:1"], service)
        equal(False, (await self.hosts(service))[0].ephemeral)
        equal(True, await self.provider.deregister_instance(gone(service, "10.1.5.1", 1, ephemeral=False)))
        await self.shows([], service)

    async def subscribe(self):
        service = unique("subscribe")
        told = await subscribed(self.consumer, service)
        await self.provider.register_instance(instance(service, "10.1.6.1", 1))
        await eventually(["10.1.6.1:1"], told)
        await self.provider.register_instance(instance(service, "10.1.6.1", 1, metadata={"colour": "red"}))
        await eventually(["10.1.6.1:1 red"], told)
        await self.consumer.register_instance(instance(service, "10.1.6.2", 2))
        await eventually(["10.1.6.1:1 red", "10.1.6.2:2"], told)
        await self.provider.deregister_instance(gone(service, "10.1.6.1", 1))
        await eventually(["10.1.6.2:2"], told)

    async def unsubscribe(self):
        service, calls = unique("unsubscribe"), []

        async def called(instances):
            calls.append(instances)
        request = lambda: SubscribeServiceParam(service_name=service, subscribe_callback=called)
        await self.consumer.subscribe(request())
        await self.provider.register_instance(instance(service, "10.1.7.1", 1))
        await eventually(True, lambda: len(calls) > 0)
        await self.consumer.unsubscribe(request())
        await asyncio.sleep(1)
        before = len(calls)
        await self.provider.register_instance(instance(service, "10.1.7.2", 2))
        await self.shows(["10.1.7.2:2"], service)
        await asyncio.sleep(1.5)
        equal(before, len(calls))

    async def deregister(self):
        service = unique("deregister")
        await self.provider.register_instance(instance(service, "10.1.8.1", 1))
        await self.consumer.register_instance(instance(service, "10.1.8.2", 2))
        await self.shows(["10.1.8.1:1", "10.1.8.2:2"], service)
        equal(True, await self.provider.deregister_instance(gone(service, "10.1.8.1", 1)))
        await self.shows(["10.1.8.2:2"], service)

    async def names(self):
        for name in ("com.acme:orders:1.0:", "a+b%2F&d=e#f?g", "providers:x.Y::", "Größe-ñ"):
            service, group = unique(name), "g.r_o-u:p"
            await self.provider.register_instance(instance(service, "10.1.9.1", 1, group_name=group))
            await self.shows(["10.1.9.1:1"], service, group)

    async def list(self):
        group = unique("list")
        for name in ("one", "two"):
            await self.provider.register_instance(instance(name, "10.1.10.1", 1, group_name=group))

        async def listed():
            found = await self.consumer.list_services(ListServiceParam(group_name=group, page_no=1, page_size=10))
            return found.count, sorted(found.services)
        await eventually((2, ["one", "two"]), listed)


async def subscribed(naming, service):
    """Subscribes; the answer gives the newest list that was told."""
    newest = ["nothing"]

    async def told(instances):
        newest[0] = show(instances)
    await naming.subscribe(SubscribeServiceParam(service_name=service, subscribe_callback=told))
    return lambda: newest[0]
