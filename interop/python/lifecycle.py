"""A client that is killed, one that sees its instances go, and a server that dies and comes back."""
import config
import naming
from checks import SOON, eventually, ready_and_wait

RECOVERY = 60  # seconds: the client's back-off and its redo task


async def observe(checks, client):
    told = await naming.subscribed(client, "crash-python")
    print("ready", flush=True)
    await checks.check("seen", lambda: eventually(["10.2.0.1:1"], told, RECOVERY))
    await ready_and_wait()
    await checks.check("vanished", lambda: eventually([], told, SOON))


async def victim(client):
    await client.register_instance(naming.instance("crash-python", "10.2.0.1", 1))
    await ready_and_wait()


async def restart(checks, client, configs):
    looks = naming.Naming(client, client)
    await client.register_instance(naming.instance("restart", "10.3.0.1", 1))
    told = await naming.subscribed(client, "watched")
    await client.register_instance(naming.instance("watched", "10.3.0.2", 2))
    await config.publish(configs, "kept", "before")
    heard, _ = await config.listened(configs, "kept")
    await config.publish(configs, "kept", "still before")
    await eventually("still before", heard)
    await eventually(["10.3.0.2:2"], told)

    await ready_and_wait()

    async def reregister():
        for service, expected in (("restart", ["10.3.0.1:1"]), ("watched", ["10.3.0.2:2"])):
            async def look():
                return naming.show(await looks.hosts(service))
            await eventually(expected, look, RECOVERY)

    async def subscription():
        await client.deregister_instance(naming.gone("watched", "10.3.0.2", 2))
        await eventually([], told, RECOVERY)
        await client.register_instance(naming.instance("watched", "10.3.0.3", 3))
        await eventually(["10.3.0.3:3"], told, RECOVERY)

    async def listener():
        await config.publish(configs, "kept", "after")
        await eventually("after", heard, RECOVERY)

    await checks.check("kept", lambda: eventually("still before", lambda: config.content(configs, "kept"), RECOVERY))
    await checks.check("reregister", reregister)
    await checks.check("subscription", subscription)
    await checks.check("listener", listener)
