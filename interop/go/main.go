// Drives nacos-sdk-go through one scenario: `interop SCENARIO ADDRESS:PORT[,...] [NAME]`. See interop/README.md.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nacos-group/nacos-sdk-go/v2/clients"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/config_client"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client"
	"github.com/nacos-group/nacos-sdk-go/v2/common/constant"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

func main() {
	scenario, address := os.Args[1], os.Args[2]
	checks := &Checks{}
	switch scenario {
	case "naming":
		runNaming(checks, namingClient(address), namingClient(address))
	case "config":
		runConfig(checks, address)
	case "observe":
		observe(checks, namingClient(address))
	case "victim":
		victim(namingClient(address))
	case "restart":
		restart(checks, namingClient(address), configClient(address))
	case "ensemble":
		runEnsemble(checks, namingClient(address), namingClient(address), configClient(address), os.Args[3])
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
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// unique is a name that no other run on the same server uses.
func unique(name string) string {
	return name + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
}

// settings of one client. The working directory is the driver's fresh folder, so no run sees what an earlier one kept.
func settings(address string) vo.NacosClientParam {
	var servers []constant.ServerConfig
	for _, one := range strings.Split(address, ",") {
		host, text, _ := strings.Cut(one, ":")
		port, err := strconv.ParseUint(text, 10, 64)
		must(err)
		servers = append(servers, *constant.NewServerConfig(host, port))
	}
	return vo.NacosClientParam{
		ServerConfigs: servers,
		ClientConfig: constant.NewClientConfig(
			constant.WithTimeoutMs(5_000),
			constant.WithNotLoadCacheAtStart(true),
			constant.WithDisableUseSnapShot(true),
			// Without it the client hides from its user that a list has become empty.
			constant.WithUpdateCacheWhenEmpty(true),
			constant.WithLogDir("log"),
			constant.WithCacheDir("cache"),
			constant.WithLogLevel("info"),
		),
	}
}

func namingClient(address string) naming_client.INamingClient {
	client, err := clients.NewNamingClient(settings(address))
	must(err)
	return client
}

func configClient(address string) config_client.IConfigClient {
	client, err := clients.NewConfigClient(settings(address))
	must(err)
	return client
}
