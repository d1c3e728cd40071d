package main

import (
	"fmt"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client"
	"github.com/nacos-group/nacos-sdk-go/v2/model"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

// naming is registration, discovery and subscription; one client registers, another looks.
type naming struct {
	provider, consumer naming_client.INamingClient
}

func runNaming(checks *Checks, provider, consumer naming_client.INamingClient) {
	n := naming{provider, consumer}
	checks.check("register", n.register)
	checks.check("batch", n.batch)
	checks.check("clusters", n.clusters)
	checks.check("groups", n.groups)
	checks.check("disabled", n.disabled)
	checks.check("persistent", n.persistent)
	checks.check("subscribe", n.subscribe)
	checks.check("unsubscribe", n.unsubscribe)
	checks.check("deregister", n.deregister)
	checks.check("names", n.names)
	checks.check("list", n.list)
}

func (n naming) register() {
	service := unique("register")
	param := instance(service, "10.1.0.1", 8001)
	param.Weight, param.ClusterName = 2.5, "EAST"
	param.Metadata = map[string]string{"version": "1.0", "zone": "甲"}
	done(n.provider.RegisterInstance(param))
	eventually(soon, "[10.1.0.1:8001]", n.addresses(service, ""))
	seen := hosts(n.consumer, service, "")[0]
	equal(2.5, seen.Weight)
	equal("EAST", seen.ClusterName)
	equal("1.0", seen.Metadata["version"])
	equal("甲", seen.Metadata["zone"])
	equal([]bool{true, true, true}, []bool{seen.Healthy, seen.Enable, seen.Ephemeral})
}

func (n naming) batch() {
	service := unique("batch")
	done(n.provider.BatchRegisterInstance(vo.BatchRegisterInstanceParam{ServiceName: service, Instances: []vo.RegisterInstanceParam{
		instance(service, "10.1.1.1", 1), instance(service, "10.1.1.2", 2), instance(service, "10.1.1.3", 3),
	}}))
	eventually(soon, "[10.1.1.1:1, 10.1.1.2:2, 10.1.1.3:3]", n.addresses(service, ""))
}

func (n naming) clusters() {
	service := unique("clusters")
	a, b := instance(service, "10.1.2.1", 1), instance(service, "10.1.2.2", 2)
	a.ClusterName, b.ClusterName = "A", "B"
	done(n.provider.RegisterInstance(a))
	done(n.consumer.RegisterInstance(b))
	eventually(soon, "[10.1.2.1:1, 10.1.2.2:2]", n.addresses(service, ""))
	eventually(soon, "[10.1.2.1:1]", n.addresses(service, "", "A"))
	eventually(soon, "[10.1.2.2:2]", n.addresses(service, "", "B"))
}

func (n naming) groups() {
	service := unique("groups")
	blue, green := instance(service, "10.1.3.1", 1), instance(service, "10.1.3.2", 2)
	blue.GroupName, green.GroupName = "blue", "green"
	done(n.provider.RegisterInstance(blue))
	done(n.provider.RegisterInstance(green))
	eventually(soon, "[10.1.3.1:1]", n.addresses(service, "blue"))
	eventually(soon, "[10.1.3.2:2]", n.addresses(service, "green"))
	equal("[]", n.addresses(service, "")())
}

func (n naming) disabled() {
	service := unique("disabled")
	off := instance(service, "10.1.4.1", 1)
	off.Enable = false
	done(n.provider.RegisterInstance(off))
	done(n.consumer.RegisterInstance(instance(service, "10.1.4.2", 2)))
	eventually(soon, "[10.1.4.2:2]", func() any {
		found, err := n.consumer.SelectInstances(vo.SelectInstancesParam{ServiceName: service, HealthyOnly: true})
		if err != nil {
			return err.Error()
		}
		return show(found)
	})
}

func (n naming) persistent() {
	service := unique("persistent")
	param := instance(service, "10.1.5.1", 1)
	param.Ephemeral = false
	done(n.provider.RegisterInstance(param))
	eventually(soon, "[10.1.5.1:1]", n.addresses(service, ""))
	equal(false, hosts(n.consumer, service, "")[0].Ephemeral)
	done(n.provider.DeregisterInstance(vo.DeregisterInstanceParam{ServiceName: service, Ip: "10.1.5.1", Port: 1}))
	eventually(soon, "[]", n.addresses(service, ""))
}

func (n naming) subscribe() {
	service := unique("subscribe")
	var told atomic.Value
	told.Store("nothing")
	must(n.consumer.Subscribe(&vo.SubscribeParam{ServiceName: service, SubscribeCallback: func(now []model.Instance, _ error) {
		told.Store(show(now))
	}}))
	one := instance(service, "10.1.6.1", 1)
	done(n.provider.RegisterInstance(one))
	eventually(soon, "[10.1.6.1:1]", told.Load)
	one.Metadata = map[string]string{"colour": "red"}
	done(n.provider.RegisterInstance(one))
	eventually(soon, "[10.1.6.1:1 red]", told.Load)
	done(n.consumer.RegisterInstance(instance(service, "10.1.6.2", 2)))
	eventually(soon, "[10.1.6.1:1 red, 10.1.6.2:2]", told.Load)
	done(n.provider.DeregisterInstance(gone(service, "10.1.6.1", 1)))
	eventually(soon, "[10.1.6.2:2]", told.Load)
}

func (n naming) unsubscribe() {
	service := unique("unsubscribe")
	var calls atomic.Int64
	param := vo.SubscribeParam{ServiceName: service, GroupName: "DEFAULT_GROUP", SubscribeCallback: func([]model.Instance, error) {
		calls.Add(1)
	}}
	must(n.consumer.Subscribe(&param))
	done(n.provider.RegisterInstance(instance(service, "10.1.7.1", 1)))
	eventually(soon, true, func() any { return calls.Load() > 0 })
	must(n.consumer.Unsubscribe(&param))
	time.Sleep(time.Second)
	before := calls.Load()
	done(n.provider.RegisterInstance(instance(service, "10.1.7.2", 2)))
	// The provider's own view shows that the change has happened.
	eventually(soon, "[10.1.7.2:2]", naming{n.consumer, n.provider}.addresses(service, ""))
	time.Sleep(1500 * time.Millisecond)
	equal(before, calls.Load())
}

func (n naming) deregister() {
	service := unique("deregister")
	done(n.provider.RegisterInstance(instance(service, "10.1.8.1", 1)))
	done(n.consumer.RegisterInstance(instance(service, "10.1.8.2", 2)))
	eventually(soon, "[10.1.8.1:1, 10.1.8.2:2]", n.addresses(service, ""))
	done(n.provider.DeregisterInstance(gone(service, "10.1.8.1", 1)))
	eventually(soon, "[10.1.8.2:2]", n.addresses(service, ""))
}

func (n naming) names() {
	for _, name := range []string{"com.acme:orders:1.0:", "a+b%2F&d=e#f?g", "providers:x.Y::", "Größe-ñ"} {
		param := instance(unique(name), "10.1.9.1", 1)
		param.GroupName = "g.r_o-u:p"
		done(n.provider.RegisterInstance(param))
		eventually(soon, "[10.1.9.1:1]", n.addresses(param.ServiceName, param.GroupName))
	}
}

func (n naming) list() {
	group := unique("list")
	for _, name := range []string{"one", "two"} {
		param := instance(name, "10.1.10.1", 1)
		param.GroupName = group
		done(n.provider.RegisterInstance(param))
	}
	eventually(soon, "2 [one two]", func() any {
		found, err := n.consumer.GetAllServicesInfo(vo.GetAllServiceInfoParam{GroupName: group, PageNo: 1, PageSize: 10})
		must(err)
		sort.Strings(found.Doms)
		return fmt.Sprint(found.Count, " ", found.Doms)
	})
}

// addresses looks a service up; this client caches what it subscribed to by doing so.
func (n naming) addresses(service, group string, clusters ...string) func() any {
	return func() any { return show(hosts(n.consumer, service, group, clusters...)) }
}

func hosts(client naming_client.INamingClient, service, group string, clusters ...string) []model.Instance {
	found, err := client.SelectAllInstances(vo.SelectAllInstancesParam{ServiceName: service, GroupName: group, Clusters: clusters})
	must(err)
	return found
}

func show(instances []model.Instance) string {
	shown := make([]string, 0, len(instances))
	for _, instance := range instances {
		shown = append(shown, strings.TrimSpace(fmt.Sprintf("%s:%d %s", instance.Ip, instance.Port, instance.Metadata["colour"])))
	}
	sort.Strings(shown)
	return "[" + strings.Join(shown, ", ") + "]"
}

func instance(service, ip string, port uint64) vo.RegisterInstanceParam {
	return vo.RegisterInstanceParam{ServiceName: service, Ip: ip, Port: port, Weight: 1, Enable: true, Healthy: true, Ephemeral: true}
}

func gone(service, ip string, port uint64) vo.DeregisterInstanceParam {
	return vo.DeregisterInstanceParam{ServiceName: service, Ip: ip, Port: port, Ephemeral: true}
}
