"""The server as an operator with a plain HTTP client sees and changes it, past the client under test."""
import json
import urllib.error
import urllib.request

from checks import equal


class Server:
    def __init__(self, address):
        self.base = f"http://{address}/eureka/apps"

    def register(self, app, instance_id, port, colour):
        """Registers an instance that nobody renews; its lease outlives every scenario."""
        instance = {
            "instanceId": instance_id, "hostName": "127.0.0.1", "app": app.upper(), "ipAddr": "127.0.0.1",
            "status": "UP", "port": {"$": port, "@enabled": "true"}, "vipAddress": app, "secureVipAddress": app,
            "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 600},
            "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
            "metadata": {"colour": colour},
        }
        equal(204, self.call("POST", f"/{app.upper()}", {"instance": instance})[0])

    def instance(self, app, instance_id):
        """What the item endpoint shows, if it knows the instance."""
        code, body = self.call("GET", f"/{app.upper()}/{instance_id}")
        return json.loads(body)["instance"] if code == 200 else None

    def status(self, app, instance_id):
        shown = self.instance(app, instance_id)
        return shown["status"] if shown else "absent"

    def remove(self, app, instance_id):
        """Takes an instance out of the registry behind its client's back, or for it."""
        equal(200, self.call("DELETE", f"/{app.upper()}/{instance_id}")[0])

    def override(self, app, instance_id, status):
        equal(200, self.call("PUT", f"/{app.upper()}/{instance_id}/status?value={status}")[0])

    def clear_override(self, app, instance_id):
        equal(200, self.call("DELETE", f"/{app.upper()}/{instance_id}/status")[0])

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, headers={"Accept": "application/json"})
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
