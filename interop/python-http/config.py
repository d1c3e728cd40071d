"""Publishing, reading and listening by long poll."""
import time

from checks import equal, eventually, unique

GROUP = "DEFAULT_GROUP"


def run(checks, client):
    config = Config(client)
    for name in ("publish", "get", "missing", "listen", "unlisten"):
        checks.check(name, getattr(config, name))
    checks.not_applicable("cas", "no such call")
    checks.check("remove", config.remove)
    checks.not_applicable("large", "it sends the content in the URL")
    for name in ("chinese", "names"):
        checks.check(name, getattr(config, name))


class Heard:
    """Keeps the newest content that it was told."""

    def __init__(self, client, data_id):
        self.newest = "nothing"
        client.add_config_watcher(data_id, GROUP, self.told)

    def told(self, event):
        self.newest = event["content"]

    def content(self):
        return self.newest


class Config:
    def __init__(self, client):
        self.client = client

    def put(self, data_id, content, group=GROUP):
        equal(True, self.client.publish_config(data_id, group, content, config_type="yaml"))

    def content(self, data_id, group=GROUP):
        return self.client.get_config(data_id, group)

    def publish(self):
        self.put(unique("publish"), "a: 1")

    def get(self):
        data_id = unique("get")
        for given in ("one", "two", "a=1\r\nb = %2B+&\n\x01\x02"):
            self.put(data_id, given)
            equal(given, self.content(data_id))  # what was answered can be read at once

    def missing(self):
        equal(None, self.content(unique("missing")))

    def listen(self):
        data_id = unique("listen")
        heard = Heard(self.client, data_id)
        for given in ("created", "changed", "changed again", "created"):
            self.put(data_id, given)
            eventually(given, heard.content)
        equal(True, self.client.remove_config(data_id, GROUP))
        eventually(None, heard.content)

    def unlisten(self):
        data_id = unique("unlisten")
        heard = Heard(self.client, data_id)
        self.put(data_id, "heard")
        eventually("heard", heard.content)
        self.client.remove_config_watcher(data_id, GROUP, heard.told)
        self.put(data_id, "unheard")
        time.sleep(1.5)
        equal("heard", heard.content())

    def remove(self):
        data_id = unique("remove")
        self.put(data_id, "here")
        for _ in range(2):
            equal(True, self.client.remove_config(data_id, GROUP))
            equal(None, self.content(data_id))

    def chinese(self):
        data_id, given = unique("chinese"), "名称: 订单服务\n备注: 中文、ÄÖÜ、🚀\n"
        self.put(data_id, given)
        equal(given, self.content(data_id))

    def names(self):
        for name in ("a.b_c-d:e", "UPPER.lower_0:1-2", "x::y..z--"):
            data_id, group = unique(name), "g.r_o-u:p"
            self.put(data_id, name, group)
            equal(name, self.content(data_id, group))
            equal(None, self.content(data_id))
