'use strict';

const { equal } = require('./checks');

/** The server as an operator with a plain HTTP client sees and changes it, past the client under test. */
class Server {
  constructor(address) {
    this.base = `http://${address}/eureka/apps`;
  }

  /** Registers an instance that nobody renews; its lease outlives every scenario. */
  async register(app, instanceId, port, colour) {
    const instance = {
      instanceId, hostName: '127.0.0.1', app: app.toUpperCase(), ipAddr: '127.0.0.1', status: 'UP',
      port: { $: port, '@enabled': 'true' }, vipAddress: app, secureVipAddress: app,
      leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 600 },
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      metadata: { colour },
    };
    const answer = await this.call('POST', `/${app.toUpperCase()}`, { instance });
    equal(204, answer.status);
  }

  /** What the item endpoint shows, if it knows the instance. */
  async instance(app, id) {
    const answer = await this.call('GET', `/${app.toUpperCase()}/${id}`);
    return answer.status === 200 ? (await answer.json()).instance : undefined;
  }

  async status(app, id) {
    return (await this.instance(app, id))?.status ?? 'absent';
  }

  /** Takes an instance out of the registry behind its client's back, or for it. */
  async remove(app, id) {
    equal(200, (await this.call('DELETE', `/${app.toUpperCase()}/${id}`)).status);
  }

  async override(app, id, status) {
    equal(200, (await this.call('PUT', `/${app.toUpperCase()}/${id}/status?value=${status}`)).status);
  }

  async clearOverride(app, id) {
    equal(200, (await this.call('DELETE', `/${app.toUpperCase()}/${id}/status`)).status);
  }

  call(method, path, body) {
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
    return fetch(this.base + path, { method, headers, body: body && JSON.stringify(body) });
  }
}

module.exports = { Server };
