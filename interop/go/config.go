package main

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nacos-group/nacos-sdk-go/v2/clients/config_client"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

const group = "DEFAULT_GROUP"

// config is publishing, reading and listening; one client writes, another reads, and each listener has one of its own:
// a key that is added while this client's listen request for others is under way it takes for known to the server, and
// asks for only minutes later (executeConfigListen marks every key of its map, not those it sent).
type config struct {
	writer, reader config_client.IConfigClient
	listener       func() config_client.IConfigClient
}

func runConfig(checks *Checks, address string) {
	c := config{configClient(address), configClient(address), func() config_client.IConfigClient { return configClient(address) }}
	checks.check("publish", func() { c.publish(unique("publish"), group, "a: 1") })
	checks.check("get", c.get)
	checks.check("missing", func() { equal("", c.content(unique("missing"), group)) })
	checks.check("listen", c.listen)
	checks.check("unlisten", c.unlisten)
	checks.check("cas", c.cas)
	checks.check("remove", c.remove)
	checks.check("large", c.large)
	checks.check("chinese", c.chinese)
	checks.check("names", c.names)
}

func (c config) publish(id, group, content string) {
	done(c.writer.PublishConfig(vo.ConfigParam{DataId: id, Group: group, Content: content, Type: "yaml"}))
}

// content is empty where there is no config: this client does not tell the two apart.
func (c config) content(id, group string) string {
	content, err := c.reader.GetConfig(vo.ConfigParam{DataId: id, Group: group})
	must(err)
	return content
}

// listened keeps the newest content a listener was told; the client is the one that listens.
func (c config) listened(id string) (*atomic.Value, config_client.IConfigClient) {
	var told atomic.Value
	told.Store("nothing")
	client := c.listener()
	must(client.ListenConfig(vo.ConfigParam{DataId: id, Group: group, OnChange: func(_, _, _, content string) {
		told.Store(content)
	}}))
	return &told, client
}

func (c config) get() {
	id := unique("get")
	for _, content := range []string{"one", "two", "a=1\r\nb = %2B+&\n\x01\x02"} {
		c.publish(id, group, content)
		// What was answered can be read at once.
		equal(content, c.content(id, group))
	}
}

func (c config) listen() {
	id := unique("listen")
	told, _ := c.listened(id)
	for _, content := range []string{"created", "changed", "changed again", "created"} {
		c.publish(id, group, content)
		eventually(soon, content, told.Load)
	}
}

func (c config) unlisten() {
	id := unique("unlisten")
	told, client := c.listened(id)
	c.publish(id, group, "heard")
	eventually(soon, "heard", told.Load)
	must(client.CancelListenConfig(vo.ConfigParam{DataId: id, Group: group}))
	c.publish(id, group, "unheard")
	time.Sleep(1500 * time.Millisecond)
	equal("heard", told.Load())
}

func (c config) cas() {
	id := unique("cas")
	c.publish(id, group, "first")
	sum := md5.Sum([]byte("first"))
	first := hex.EncodeToString(sum[:])
	done(c.writer.PublishConfig(vo.ConfigParam{DataId: id, Group: group, Content: "second", CasMd5: first}))
	equal("second", c.content(id, group))
	taken, err := c.writer.PublishConfig(vo.ConfigParam{DataId: id, Group: group, Content: "third", CasMd5: first})
	equal(false, taken && err == nil)
	equal("second", c.content(id, group))
}

func (c config) remove() {
	id := unique("remove")
	c.publish(id, group, "here")
	equal("here", c.content(id, group))
	for range 2 {
		done(c.writer.DeleteConfig(vo.ConfigParam{DataId: id, Group: group}))
		equal("", c.content(id, group))
	}
}

func (c config) large() {
	id := unique("large")
	content := strings.Repeat("0123456789abcde\n", 1<<16)
	told, _ := c.listened(id)
	c.publish(id, group, content)
	equal(true, content == c.content(id, group))
	eventually(soon, true, func() any { return told.Load() == content })
}

func (c config) chinese() {
	id := unique("chinese")
	content := "名称: 订单服务\n备注: 中文、ÄÖÜ、🚀\n"
	c.publish(id, group, content)
	equal(content, c.content(id, group))
}

func (c config) names() {
	for _, name := range []string{"a.b_c-d:e", "UPPER.lower_0:1-2", "x::y..z--"} {
		id, other := unique(name), "g.r_o-u:p"
		c.publish(id, other, name)
		equal(name, c.content(id, other))
		equal("", c.content(id, group))
	}
}
