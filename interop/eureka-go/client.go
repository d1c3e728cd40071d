package main

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hudl/fargo"
)

// Client is a started client: registered under a name of its own with the metadata colour=green, and renewing.
type Client struct {
	connection fargo.EurekaConnection
	instance   *fargo.Instance
	ending     chan struct{}
	ended      sync.WaitGroup
}

func start(address, app string, json bool) *Client {
	client := &Client{
		connection: fargo.NewConn("http://" + address + "/eureka"),
		instance: &fargo.Instance{
			InstanceId: app + ":1", HostName: "127.0.0.1", App: app, IPAddr: "127.0.0.1", Port: 7000, PortEnabled: true,
			VipAddress: app, SecureVipAddress: app, Status: fargo.UP,
			DataCenterInfo: fargo.DataCenterInfo{Name: fargo.MyOwn},
			LeaseInfo:      fargo.LeaseInfo{RenewalIntervalInSecs: 3, DurationInSecs: 9},
		},
		ending: make(chan struct{}),
	}
	client.connection.UseJson = json
	client.instance.SetMetadataString("colour", "green")
	own := *client.instance
	must(client.connection.RegisterInstance(&own))
	client.ended.Add(1)
	go client.renew()
	return client
}

// renew is what the client leaves to its user: a heartbeat an interval, and to register again when it is unknown.
func (client *Client) renew() {
	defer client.ended.Done()
	ticker := time.NewTicker(renewal)
	defer ticker.Stop()
	for {
		select {
		case <-client.ending:
			return
		case <-ticker.C:
		}
		err := client.connection.HeartBeatInstance(client.instance)
		if code, known := fargo.HTTPResponseStatusCode(err); known && code == http.StatusNotFound {
			own := *client.instance
			_ = client.connection.ReregisterInstance(&own)
		}
	}
}

func (client *Client) stop() {
	close(client.ending)
	client.ended.Wait()
	must(client.connection.DeregisterInstance(client.instance))
}

func (client *Client) id() string {
	return client.instance.InstanceId
}

// shown is what an application's instances are to this client, as PORT COLOUR, sorted; without those that are not up.
func (client *Client) shown(app string) []string {
	found, err := client.connection.GetApp(strings.ToUpper(app))
	if err != nil {
		return []string{}
	}
	return show(found.Instances)
}

func (client *Client) byVip(vip string) []string {
	found, err := client.connection.GetInstancesByVIPAddress(vip, false)
	must(err)
	return show(found)
}

func (client *Client) inAll(app string) []string {
	found, err := client.connection.GetApps()
	must(err)
	return show(found[strings.ToUpper(app)].Instances)
}

func show(instances []*fargo.Instance) []string {
	shown := []string{}
	for _, one := range instances {
		if one.Status != fargo.UP {
			continue
		}
		colour, err := one.Metadata.GetString("colour")
		must(err)
		shown = append(shown, fmt.Sprintf("%d %s", one.Port, colour))
	}
	sort.Strings(shown)
	return shown
}
