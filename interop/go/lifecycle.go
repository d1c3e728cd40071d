package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nacos-group/nacos-sdk-go/v2/clients/config_client"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client"
	"github.com/nacos-group/nacos-sdk-go/v2/model"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

// recovery is the client's back-off and its redo task.
const recovery = 60 * time.Second

// observe sees the instances of a client that is killed.
func observe(checks *Checks, naming naming_client.INamingClient) {
	count := counted(naming, "crash-go")
	fmt.Println("ready")
	checks.check("seen", func() { eventually(recovery, int64(1), count) })
	readyAndWait()
	checks.check("vanished", func() { eventually(soon, int64(0), count) })
}

// victim is the client that is killed.
func victim(naming naming_client.INamingClient) {
	done(naming.RegisterInstance(instance("crash-go", "10.2.0.1", 1)))
	readyAndWait()
}

// restart sees the server die and come back.
func restart(checks *Checks, provider naming_client.INamingClient, client config_client.IConfigClient) {
	n, c := naming{provider, provider}, config{client, client, func() config_client.IConfigClient { return client }}
	done(provider.RegisterInstance(instance("restart", "10.3.0.1", 1)))
	count := counted(provider, "watched")
	done(provider.RegisterInstance(instance("watched", "10.3.0.2", 2)))
	c.publish("kept", group, "before")
	told, _ := c.listened("kept")
	c.publish("kept", group, "still before")
	eventually(soon, "still before", told.Load)
	eventually(soon, int64(1), count)

	readyAndWait()
	checks.check("kept", func() {
		eventually(recovery, "still before", func() any {
			content, err := client.GetConfig(vo.ConfigParam{DataId: "kept", Group: group})
			if err != nil {
				return err.Error()
			}
			return content
		})
	})
	checks.check("reregister", func() {
		// The registering client's cache would show what was before; the list of services is always asked for.
		eventually(recovery, true, func() any {
			found, err := provider.GetAllServicesInfo(vo.GetAllServiceInfoParam{PageNo: 1, PageSize: 10})
			return err == nil && found.Count >= 2
		})
		eventually(recovery, "[10.3.0.1:1]", n.addresses("restart", ""))
	})
	checks.check("subscription", func() {
		done(provider.DeregisterInstance(gone("watched", "10.3.0.2", 2)))
		eventually(recovery, int64(0), count)
		done(provider.RegisterInstance(instance("watched", "10.3.0.3", 3)))
		eventually(recovery, int64(1), count)
	})
	checks.check("listener", func() {
		c.publish("kept", group, "after")
		eventually(recovery, "after", told.Load)
	})
}

// counted subscribes and keeps how many instances the last call held.
func counted(naming naming_client.INamingClient, service string) func() any {
	var count atomic.Int64
	count.Store(-1)
	must(naming.Subscribe(&vo.SubscribeParam{ServiceName: service, SubscribeCallback: func(now []model.Instance, _ error) {
		count.Store(int64(len(now)))
	}}))
	return func() any { return count.Load() }
}
