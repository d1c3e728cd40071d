package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Server is the server as an operator with a plain HTTP client sees and changes it, past the client under test.
type Server struct {
	base string
}

func newServer(address string) Server {
	return Server{base: "http://" + address + "/eureka/apps"}
}

// register registers an instance that nobody renews; its lease outlives every scenario.
func (server Server) register(app, id string, port int, colour string) {
	body, err := json.Marshal(map[string]any{"instance": map[string]any{
		"instanceId": id, "hostName": "127.0.0.1", "app": strings.ToUpper(app), "ipAddr": "127.0.0.1", "status": "UP",
		"port": map[string]any{"$": port, "@enabled": "true"}, "vipAddress": app, "secureVipAddress": app,
		"leaseInfo": map[string]any{"renewalIntervalInSecs": 30, "durationInSecs": 600},
		"dataCenterInfo": map[string]any{
			"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn",
		},
		"metadata": map[string]any{"colour": colour},
	}})
	must(err)
	code, _ := server.call("POST", "/"+strings.ToUpper(app), body)
	equal(204, code)
}

// shownInstance is the part of an instance that the scenarios look at.
type shownInstance struct {
	Status    string
	Metadata  map[string]string
	LeaseInfo struct{ LastRenewalTimestamp int64 }
}

// instance is what the item endpoint shows, if it knows the instance.
func (server Server) instance(app, id string) *shownInstance {
	code, body := server.call("GET", "/"+strings.ToUpper(app)+"/"+id, nil)
	if code != http.StatusOK {
		return nil
	}
	var read struct{ Instance shownInstance }
	must(json.Unmarshal(body, &read))
	return &read.Instance
}

func (server Server) status(app, id string) string {
	if shown := server.instance(app, id); shown != nil {
		return shown.Status
	}
	return "absent"
}

// remove takes an instance out of the registry behind its client's back, or for it.
func (server Server) remove(app, id string) {
	code, _ := server.call("DELETE", "/"+strings.ToUpper(app)+"/"+id, nil)
	equal(200, code)
}

func (server Server) override(app, id, status string) {
	code, _ := server.call("PUT", fmt.Sprintf("/%s/%s/status?value=%s", strings.ToUpper(app), id, status), nil)
	equal(200, code)
}

func (server Server) clearOverride(app, id string) {
	code, _ := server.call("DELETE", fmt.Sprintf("/%s/%s/status", strings.ToUpper(app), id), nil)
	equal(200, code)
}

func (server Server) call(method, path string, body []byte) (int, []byte) {
	request, err := http.NewRequest(method, server.base+path, bytes.NewReader(body))
	must(err)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	must(err)
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	must(err)
	return answer.StatusCode, read
}
