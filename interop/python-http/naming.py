"""Registration, discovery and subscription by polling."""
import time

from nacos.listener import SubscribeListener

from checks import equal, eventually, unique


def run(checks, client):
    naming = Naming(client)
    checks.check("register", naming.register)
    checks.not_applicable("batch", "no such call")
    for name in ("clusters", "groups", "disabled", "persistent", "subscribe", "unsubscribe", "deregister", "names"):
        checks.check(name, getattr(naming, name))
    checks.not_applicable("list", "no such call")


class Subscription:
    """Keeps the instances that the client's events leave."""

    def __init__(self, client, service, interval=1):
        self.instances, self.calls = {}, 0
        client.subscribe(SubscribeListener(self.told, "told"), interval, service)

    def told(self, event, subscribed):
        self.calls += 1
        host = subscribed.instance
        address = f"{host['ip']}:{host['port']}"
        if event == "DELETED":
            self.instances.pop(address, None)
        else:
            self.instances[address] = f"{address} {host['metadata'].get('colour', '')}".strip()

    def shown(self):
        return sorted(self.instances.values())


class Naming:
    def __init__(self, client):
        self.client = client

    def add(self, service, ip, port, **more):
        equal(True, self.client.add_naming_instance(service, ip, port, heartbeat_interval=3, **more))

    def hosts(self, service, **more):
        return self.client.list_naming_instance(service, **more)["hosts"]

    def shown(self, service, **more):
        return sorted(f"{host['ip']}:{host['port']}" for host in self.hosts(service, **more))

    def shows(self, expected, service, **more):
        eventually(expected, lambda: self.shown(service, **more))

    def register(self):
        service = unique("register")
        self.add(service, "10.1.0.1", 8001, cluster_name="EAST", weight=2.5, metadata={"version": "1.0", "zone": "甲"})
        self.shows(["10.1.0.1:8001"], service)
        seen = self.hosts(service)[0]
        equal((2.5, "EAST", {"version": "1.0", "zone": "甲"}), (seen["weight"], seen["clusterName"], seen["metadata"]))
        equal((True, True, True), (seen["healthy"], seen["enabled"], seen["ephemeral"]))

    def clusters(self):
        service = unique("clusters")
        self.add(service, "10.1.2.1", 1, cluster_name="A")
        self.add(service, "10.1.2.2", 2, cluster_name="B")
        self.shows(["10.1.2.1:1", "10.1.2.2:2"], service)
        self.shows(["10.1.2.1:1"], service, clusters="A")
        self.shows(["10.1.2.2:2"], service, clusters="B")

    def groups(self):
        service = unique("groups")
        self.add(service, "10.1.3.1", 1, group_name="blue")
        self.add(service, "10.1.3.2", 2, group_name="green")
        self.shows(["10.1.3.1:1"], service, group_name="blue")
        self.shows(["10.1.3.2:2"], service, group_name="green")
        equal([], self.shown(service))

    def disabled(self):
        """The server leaves a disabled instance out of every answer of the old HTTP list."""
        service = unique("disabled")
        self.add(service, "10.1.4.1", 1, enable=False)
        self.add(service, "10.1.4.2", 2)
        self.shows(["10.1.4.2:2"], service, healthy_only=True)

    def persistent(self):
        service = unique("persistent")
        self.add(service, "10.1.5.1", 1, ephemeral=False)
        self.shows(["10.1.5.1:1"], service)
        equal(False, self.hosts(service)[0]["ephemeral"])
        equal(True, self.client.remove_naming_instance(service, "10.1.5.1", 1, ephemeral=False))
        self.shows([], service)

    def subscribe(self):
        service = unique("subscribe")
        subscription = Subscription(self.client, service)
        self.add(service, "10.1.6.1", 1)
        eventually(["10.1.6.1:1"], subscription.shown)
        self.add(service, "10.1.6.1", 1, metadata={"colour": "red"})
        eventually(["10.1.6.1:1 red"], subscription.shown)
        self.add(service, "10.1.6.2", 2)
        eventually(["10.1.6.1:1 red", "10.1.6.2:2"], subscription.shown)
        equal(True, self.client.remove_naming_instance(service, "10.1.6.1", 1))
        eventually(["10.1.6.2:2"], subscription.shown)

    def unsubscribe(self):
        service = unique("unsubscribe")
        subscription = Subscription(self.client, service)
        self.add(service, "10.1.7.1", 1)
        eventually(True, lambda: subscription.calls > 0)
        self.client.unsubscribe(service, "told")
        before = subscription.calls
        self.add(service, "10.1.7.2", 2)
        time.sleep(2.5)
        equal(before, subscription.calls)

    def deregister(self):
        service = unique("deregister")
        self.add(service, "10.1.8.1", 1)
        self.add(service, "10.1.8.2", 2)
        self.shows(["10.1.8.1:1", "10.1.8.2:2"], service)
        equal(True, self.client.remove_naming_instance(service, "10.1.8.1", 1))
        self.shows(["10.1.8.2:2"], service)

    def names(self):
        for name in ("com.acme:orders:1.0:", "a+b%2F&d=e#f?g", "providers:x.Y::", "Größe-ñ"):
            service = unique(name)
            self.add(service, "10.1.9.1", 1, group_name="g.r_o-u:p")
            self.shows(["10.1.9.1:1"], service, group_name="g.r_o-u:p")
