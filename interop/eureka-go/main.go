// Drives fargo through one scenario: `interop SCENARIO ADDRESS:PORT SUITE`. See interop/README.md.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	scenario, address, victim := os.Args[1], os.Args[2], "victim-"+os.Args[3]
	checks, server := &Checks{}, newServer(address)
	switch scenario {
	case "client":
		runClient(checks, server, address, true)
	case "xml":
		runClient(checks, server, address, false)
	case "observe":
		runObserve(checks, address, victim)
	case "victim":
		start(address, victim, true)
		readyAndWait()
	case "loss":
		runLoss(checks, server, address)
	default:
		panic("no scenario " + scenario)
	}
	if checks.failed {
		os.Exit(1)
	}
}

// readyAndWait tells the driver that this scenario waits for it, and waits.
func readyAndWait() {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		panic("the driver is gone")
	}
}

// unique is a name that no other run on the same server uses.
func unique(name string) string {
	return name + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
}
