"""A client that is killed, one that sees its instances go, and a server that dies and comes back."""
import config
import naming
from checks import equal, eventually, ready_and_wait

LEASE = 60  # seconds: a beat lease of 30 s, the server's look at it, a poll of the client
RECOVERY = 60


def observe(checks, client):
    subscription = naming.Subscription(client, "crash-python-http")
    print("ready", flush=True)
    checks.check("seen", lambda: eventually(["10.2.0.1:1"], subscription.shown, LEASE))
    ready_and_wait()
    checks.check("vanished", lambda: eventually([], subscription.shown, LEASE))


def victim(client):
    naming.Naming(client).add("crash-python-http", "10.2.0.1", 1)
    ready_and_wait()


def restart(checks, client):
    names, configs = naming.Naming(client), config.Config(client)
    names.add("restart", "10.3.0.1", 1)
    configs.put("kept", "before")
    heard = config.Heard(client, "kept")
    configs.put("kept", "still before")
    eventually("still before", heard.content)

    ready_and_wait()

    def listener():
        configs.put("kept", "after")
        eventually("after", heard.content, RECOVERY)

    checks.check("kept", lambda: eventually("still before", lambda: configs.content("kept"), RECOVERY))
    checks.check("reregister", lambda: eventually(["10.3.0.1:1"], lambda: names.shown("restart"), RECOVERY))
    checks.not_applicable("subscription", "its poll ends for good at the first error")
    checks.check("listener", listener)
    equal(True, names.client.remove_naming_instance("restart", "10.3.0.1", 1))
