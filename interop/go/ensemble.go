package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nacos-group/nacos-sdk-go/v2/clients/config_client"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client"
	"github.com/nacos-group/nacos-sdk-go/v2/model"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

const ledgerConfigs = 20

// ensemble is one client of an ensemble whose nodes are killed one after another.
type ensemble struct {
	name                 string
	configs              config_client.IConfigClient
	stop                 atomic.Bool
	calls, failed, empty atomic.Int64
	// acknowledged is the last number that was, by config.
	acknowledged [ledgerConfigs]int
}

func runEnsemble(checks *Checks, provider, consumer naming_client.INamingClient, configs config_client.IConfigClient, name string) {
	e := &ensemble{name: name, configs: configs}
	n, c := naming{provider, consumer}, config{configs, configs, func() config_client.IConfigClient { return configs }}
	service, watched := "kept-"+name, "watched-"+name
	done(provider.RegisterInstance(instance(service, "10.5.0.1", 1)))
	var told atomic.Int64
	must(consumer.Subscribe(&vo.SubscribeParam{ServiceName: service, SubscribeCallback: func(now []model.Instance, _ error) {
		if len(now) == 0 && told.Load() > 0 {
			e.empty.Add(1)
		}
		told.Store(int64(len(now)))
	}}))
	eventually(soon, int64(1), func() any { return told.Load() })
	c.publish(watched, group, "before")
	heard, _ := c.listened(watched)

	var loops sync.WaitGroup
	e.loop(&loops, e.write)
	e.loop(&loops, func(int) error {
		found, err := consumer.SelectAllInstances(vo.SelectAllInstancesParam{ServiceName: service})
		if err == nil && len(found) == 0 {
			e.empty.Add(1)
		}
		return err
	})
	e.loop(&loops, func(round int) error {
		host := fmt.Sprintf("10.6.0.%d", 1+round%200)
		if _, err := provider.RegisterInstance(instance("comers-"+name, host, 1)); err != nil {
			return err
		}
		_, err := provider.DeregisterInstance(gone("comers-"+name, host, 1))
		return err
	})
	readyAndWait()
	e.stop.Store(true)
	loops.Wait()
	fmt.Printf("note %d calls, %d failed, %d empty lists\n", e.calls.Load(), e.failed.Load(), e.empty.Load())
	checks.check("configs", e.nothingLost)
	checks.check("lists", func() { equal(int64(0), e.empty.Load()) })
	checks.check("registered", func() { eventually(recovery, "[10.5.0.1:1]", n.addresses(service, "")) })
	checks.check("listener", func() {
		eventually(recovery, true, func() any {
			said, err := configs.PublishConfig(vo.ConfigParam{DataId: watched, Group: group, Content: "after", Type: "yaml"})
			return said && err == nil
		})
		eventually(recovery, "after", heard.Load)
	})
}

func (e *ensemble) loop(running *sync.WaitGroup, call func(round int) error) {
	running.Add(1)
	go func() {
		defer running.Done()
		for round := 1; !e.stop.Load(); round++ {
			e.calls.Add(1)
			if err := call(round); err != nil {
				e.failed.Add(1)
				fmt.Fprintln(os.Stderr, time.Now().UnixMilli(), err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

func (e *ensemble) id(number int) string {
	return fmt.Sprintf("ledger-%s-%d", e.name, number)
}

func (e *ensemble) write(round int) error {
	said, err := e.configs.PublishConfig(vo.ConfigParam{DataId: e.id(round % ledgerConfigs), Group: group, Content: strconv.Itoa(round), Type: "text"})
	if err != nil {
		return err
	}
	if !said {
		return fmt.Errorf("not published")
	}
	e.acknowledged[round%ledgerConfigs] = round
	return nil
}

// nothingLost: what was acknowledged is there, or what was written over it without an answer.
func (e *ensemble) nothingLost() {
	for number, round := range e.acknowledged {
		if round == 0 {
			continue
		}
		content, err := e.configs.GetConfig(vo.ConfigParam{DataId: e.id(number), Group: group})
		must(err)
		if found, err := strconv.Atoi(content); err != nil || found < round {
			panic(fmt.Sprintf("%s: %d was acknowledged, it has %q", e.id(number), round, content))
		}
	}
}
