"""Publishing, reading and listening; one client writes, another reads."""
import asyncio
import hashlib

from v2.nacos import ConfigParam, NacosException

from checks import equal, eventually, unique

GROUP = "DEFAULT_GROUP"


async def run(checks, writer, reader):
    config = Config(writer, reader)
    for name in ("publish", "get", "missing", "listen", "unlisten", "cas", "remove", "large", "chinese", "names"):
        await checks.check(name, getattr(config, name))


async def publish(writer, data_id, content, group=GROUP, **more):
    equal(True, await writer.publish_config(ConfigParam(data_id=data_id, group=group, content=content, type="yaml", **more)))


async def content(reader, data_id, group=GROUP):
    """The content, or an empty text when there is none: this client does not tell them apart."""
    return await reader.get_config(ConfigParam(data_id=data_id, group=group))


async def listened(reader, data_id):
    """Listens; the answers are what gives the newest content that was told, and the listener."""
    newest = ["nothing"]

    async def told(tenant, group, data_id, content):
        newest[0] = content
    await reader.add_listener(data_id, GROUP, told)
    return (lambda: newest[0]), told


class Config:
    def __init__(self, writer, reader):
        self.writer, self.reader = writer, reader

    async def publish(self):
        await publish(self.writer, unique("publish"), "a: 1")

    async def get(self):
        data_id = unique("get")
        for given in ("one", "two", "a=1\r\nb = %2B+&\n\x01\x02"):
            await publish(self.writer, data_id, given)
            equal(given, await content(self.reader, data_id))  # what was answered can be read at once

    async def missing(self):
        equal("", await content(self.reader, unique("missing")))

    async def listen(self):
        data_id = unique("listen")
        heard, _ = await listened(self.reader, data_id)
        for given in ("created", "changed", "changed again", "created"):
            await publish(self.writer, data_id, given)
            await eventually(given, heard)

    async def unlisten(self):
        data_id = unique("unlisten")
        heard, listener = await listened(self.reader, data_id)
        await publish(self.writer, data_id, "heard")
        await eventually("heard", heard)
        await self.reader.remove_listener(data_id, GROUP, listener)
        await publish(self.writer, data_id, "unheard")
        await asyncio.sleep(1.5)
        equal("heard", heard())

    async def cas(self):
        data_id, first = unique("cas"), hashlib.md5(b"first").hexdigest()
        await publish(self.writer, data_id, "first")
        await publish(self.writer, data_id, "second", cas_md5=first)
        equal("second", await content(self.reader, data_id))
        try:
            await publish(self.writer, data_id, "third", cas_md5=first)
        except (NacosException, AssertionError):
            equal("second", await content(self.reader, data_id))
        else:
            raise AssertionError("a stale md5 was taken")

    async def remove(self):
        data_id = unique("remove")
        await publish(self.writer, data_id, "here")
        equal("here", await content(self.reader, data_id))
        for _ in range(2):
            equal(True, await self.writer.remove_config(ConfigParam(data_id=data_id, group=GROUP)))
            equal("", await content(self.reader, data_id))

    async def large(self):
        data_id, given = unique("large"), "0123456789abcde\n" * (1 << 16)
        heard, _ = await listened(self.reader, data_id)
        await publish(self.writer, data_id, given)
        equal(given, await content(self.reader, data_id))
        await eventually(given, heard)

    async def chinese(self):
        data_id, given = unique("chinese"), "名称: 订单服务\n备注: 中文、ÄÖÜ、🚀\n"
        await publish(self.writer, data_id, given)
        equal(given, await content(self.reader, data_id))

    async def names(self):
        for name in ("a.b_c-d:e", "UPPER.lower_0:1-2", "x::y..z--"):
            data_id, group = unique(name), "g.r_o-u:p"
            await publish(self.writer, data_id, name, group=group)
            equal(name, await content(self.reader, data_id, group))
            equal("", await content(self.reader, data_id))
