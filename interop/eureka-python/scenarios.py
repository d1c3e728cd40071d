"""The scenarios every Eureka client goes through; see interop/README.md."""
from checks import equal, eventually, ready_and_wait, unique
from server import Server

RENEWAL = 3  # seconds between two renewals, and between two fetches
ONE_INTERVAL = RENEWAL + 2.5  # a lost registration is back within one interval; the rest is for a loaded machine


async def run(checks, scenario, address, suite, start):
    server = Server(address)
    if scenario == "client":
        await client(checks, server, start)
    elif scenario == "observe":
        await observe(checks, f"victim-{suite}", start)
    elif scenario == "victim":
        await start(f"victim-{suite}")
        await ready_and_wait()
    elif scenario == "loss":
        await loss(checks, server, start)
    else:
        raise SystemExit(f"no scenario {scenario}")


async def client(checks, server, start):
    app, other = unique("client"), unique("neighbour")
    server.register(other, "one", 7001, "blue")
    own = await start(app)

    async def register():
        await eventually("UP", lambda: server.status(app, own.id))
        equal("green", server.instance(app, own.id)["metadata"]["colour"])

    async def fetch():
        await eventually(["7001 blue"], lambda: own.shown(other))
        await eventually(["7000 green"], lambda: own.shown(app))

    async def changes():
        server.register(other, "two", 7002, "red")
        await eventually(["7001 blue", "7002 red"], lambda: own.shown(other))
        server.register(other, "two", 7002, "pink")
        await eventually(["7001 blue", "7002 pink"], lambda: own.shown(other))
        server.override(other, "one", "OUT_OF_SERVICE")
        await eventually(["7002 pink"], lambda: own.shown(other))
        server.clear_override(other, "one")
        server.remove(other, "two")
        await eventually(["7001 blue"], lambda: own.shown(other))

    renewed = lambda: int(server.instance(app, own.id)["leaseInfo"]["lastRenewalTimestamp"])

    async def renew():
        # Past the whole lease, so that only renewals can have kept it.
        first = renewed()
        await eventually(True, lambda: renewed() > first + RENEWAL * 3_000 + 1_000)
        equal("UP", server.status(app, own.id))

    async def lost():
        server.remove(app, own.id)
        equal("absent", server.status(app, own.id))
        await eventually("UP", lambda: server.status(app, own.id), ONE_INTERVAL)

    async def cancel():
        # Not while its thread registers: the client's two event loops share a lock that wakes only one of them.
        first = renewed()
        await eventually(True, lambda: renewed() > first)
        await own.stop()
        await eventually("absent", lambda: server.status(app, own.id))

    for check in (register, fetch, changes, renew, lost, cancel):
        await checks.check(check.__name__, check)


async def observe(checks, victim, start):
    """Sees another process of this client come, and go when it is killed."""
    own = await start(unique("observer"))
    await ready_and_wait()
    await checks.check("seen", lambda: eventually(["7000 green"], lambda: own.shown(victim)))
    await ready_and_wait()
    await checks.check("vanished", lambda: eventually([], lambda: own.shown(victim)))
    await own.stop()


async def loss(checks, server, start):
    """The server is killed and comes back with nothing."""
    app = unique("loss")
    own = await start(app)
    checks.not_applicable("full", "keeps its list as it is as long as the delta is refused")

    async def back():
        await eventually("UP", lambda: server.status(app, own.id))
        # The driver kills the server, empties its folder and starts it again.
        await ready_and_wait()
        await eventually("UP", lambda: server.status(app, own.id), ONE_INTERVAL)
        await eventually(["7000 green"], lambda: own.shown(app))

    await checks.check("back", back)
