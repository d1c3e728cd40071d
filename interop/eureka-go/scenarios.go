package main

import (
	"time"
)

// renewal is the time between two renewals; leases last three times as long.
const renewal = 3 * time.Second

// oneInterval is when a lost registration is back; what it has beyond a renewal is for a loaded machine.
const oneInterval = renewal + 2500*time.Millisecond

func runClient(checks *Checks, server Server, address string, json bool) {
	app, other := unique("client"), unique("neighbour")
	server.register(other, "one", 7001, "blue")
	own := start(address, app, json)
	checks.check("register", func() {
		eventually(soon, "UP", func() any { return server.status(app, own.id()) })
		equal("green", server.instance(app, own.id()).Metadata["colour"])
	})
	checks.check("fetch", func() {
		eventually(soon, []string{"7001 blue"}, func() any { return own.shown(other) })
		eventually(soon, []string{"7000 green"}, func() any { return own.shown(app) })
		equal([]string{"7001 blue"}, own.byVip(other))
		equal([]string{"7001 blue"}, own.inAll(other))
	})
	checks.check("changes", func() {
		server.register(other, "two", 7002, "red")
		eventually(soon, []string{"7001 blue", "7002 red"}, func() any { return own.shown(other) })
		server.register(other, "two", 7002, "pink")
		eventually(soon, []string{"7001 blue", "7002 pink"}, func() any { return own.shown(other) })
		server.override(other, "one", "OUT_OF_SERVICE")
		eventually(soon, []string{"7002 pink"}, func() any { return own.shown(other) })
		server.clearOverride(other, "one")
		server.remove(other, "two")
		eventually(soon, []string{"7001 blue"}, func() any { return own.shown(other) })
	})
	checks.check("renew", func() {
		// Past the whole lease, so that only renewals can have kept it.
		renewed := func() int64 { return server.instance(app, own.id()).LeaseInfo.LastRenewalTimestamp }
		first := renewed()
		eventually(soon, true, func() any { return renewed() > first+10_000 })
		equal("UP", server.status(app, own.id()))
	})
	checks.check("lost", func() {
		server.remove(app, own.id())
		equal("absent", server.status(app, own.id()))
		eventually(oneInterval, "UP", func() any { return server.status(app, own.id()) })
	})
	checks.check("cancel", func() {
		own.stop()
		eventually(soon, "absent", func() any { return server.status(app, own.id()) })
	})
}

// runObserve sees another process of this client come, and go when it is killed.
func runObserve(checks *Checks, address, victim string) {
	own := start(address, unique("observer"), true)
	readyAndWait()
	checks.check("seen", func() {
		eventually(soon, []string{"7000 green"}, func() any { return own.shown(victim) })
	})
	readyAndWait()
	checks.check("vanished", func() {
		eventually(soon, []string{}, func() any { return own.shown(victim) })
	})
	own.stop()
}

// runLoss is for a server that is killed and comes back with nothing.
func runLoss(checks *Checks, server Server, address string) {
	app := unique("loss")
	own := start(address, app, true)
	checks.notApplicable("full", "always fetches whole applications")
	checks.check("back", func() {
		eventually(soon, "UP", func() any { return server.status(app, own.id()) })
		// The driver kills the server, empties its folder and starts it again.
		readyAndWait()
		eventually(oneInterval, "UP", func() any { return server.status(app, own.id()) })
		eventually(soon, []string{"7000 green"}, func() any { return own.shown(app) })
	})
}
