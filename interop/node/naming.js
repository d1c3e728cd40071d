'use strict';

// Registration, discovery and subscription; one client registers, another looks. This client never takes over an
// empty list, so every service here keeps an instance that stays.

const { equal, eventually, pause, unique } = require('./checks');

async function run(checks, provider, consumer) {
  const naming = new Naming(provider, consumer);
  await checks.check('register', () => naming.register());
  checks.notApplicable('batch', 'no such call');
  for (const name of ['clusters', 'groups', 'disabled', 'persistent', 'subscribe', 'unsubscribe', 'deregister', 'names']) {
    await checks.check(name, () => naming[name]());
  }
  checks.notApplicable('list', 'no such call');
}

function show(hosts) {
  return hosts.map(host => `${host.ip}:${host.port} ${host.metadata.colour || ''}`.trim()).sort();
}

/** Subscribes; the answer gives the newest list that was told. */
function subscribed(client, serviceName) {
  let newest = 'nothing';
  client.subscribe(serviceName, hosts => {
    newest = show(hosts);
  });
  return () => newest;
}

class Naming {
  constructor(provider, consumer) {
    this.provider = provider;
    this.consumer = consumer;
  }

  hosts(service, group = 'DEFAULT_GROUP', clusters = '') {
    return this.consumer.getAllInstances(service, group, clusters, false);
  }

  async shows(expected, ...where) {
    await eventually(expected, async () => show(await this.hosts(...where)));
  }

  async register() {
    const service = unique('register');
    const metadata = { version: '1.0', zone: '甲' };
    await this.provider.registerInstance(service, { ip: '10.1.0.1', port: 8001, weight: 2.5, clusterName: 'EAST', metadata });
    await this.shows([ '10.1.0.1:8001' ], service);
    const [ seen ] = await this.hosts(service);
    equal([ 2.5, 'EAST', metadata ], [ seen.weight, seen.clusterName, seen.metadata ]);
    equal([ true, true, true ], [ seen.healthy, seen.enabled, seen.ephemeral ]);
  }

  async clusters() {
    const service = unique('clusters');
    await this.provider.registerInstance(service, { ip: '10.1.2.1', port: 1, clusterName: 'A' });
    await this.consumer.registerInstance(service, { ip: '10.1.2.2', port: 2, clusterName: 'B' });
    await this.shows([ '10.1.2.1:1', '10.1.2.2:2' ], service);
    await this.shows([ '10.1.2.1:1' ], service, 'DEFAULT_GROUP', 'A');
    await this.shows([ '10.1.2.2:2' ], service, 'DEFAULT_GROUP', 'B');
  }

  async groups() {
    const service = unique('groups');
    await this.provider.registerInstance(service, { ip: '10.1.3.1', port: 1 }, 'blue');
    await this.provider.registerInstance(service, { ip: '10.1.3.2', port: 2 }, 'green');
    await this.shows([ '10.1.3.1:1' ], service, 'blue');
    await this.shows([ '10.1.3.2:2' ], service, 'green');
    await this.shows([], service);
  }

  async disabled() {
    const service = unique('disabled');
    await this.provider.registerInstance(service, { ip: '10.1.4.1', port: 1, enabled: false });
    await this.consumer.registerInstance(service, { ip: '10.1.4.2', port: 2 });
    const select = () => this.consumer.selectInstances(service, 'DEFAULT_GROUP', '', true, false);
    await eventually([ '10.1.4.2:2' ], async () => show(await select()));
  }

  async persistent() {
    const service = unique('persistent');
    const [ one, stays ] = [ { ip: '10.1.5.1', port: 1, ephemeral: false }, { ip: '10.1.5.2', port: 2, ephemeral: false } ];
    await this.provider.registerInstance(service, stays);
    await this.provider.registerInstance(service, one);
    await this.shows([ '10.1.5.1:1', '10.1.5.2:2' ], service);
    equal([ false, false ], (await this.hosts(service)).map(host => host.ephemeral));
    await this.provider.deregisterInstance(service, one);
    await this.shows([ '10.1.5.2:2' ], service);
  }

  async subscribe() {
    const service = unique('subscribe');
    const told = subscribed(this.consumer, service);
    const one = { ip: '10.1.6.1', port: 1 };
    await this.provider.registerInstance(service, one);
    await eventually([ '10.1.6.1:1' ], told);
    await this.provider.registerInstance(service, { ...one, metadata: { colour: 'red' } });
    await eventually([ '10.1.6.1:1 red' ], told);
    await this.consumer.registerInstance(service, { ip: '10.1.6.2', port: 2 });
    await eventually([ '10.1.6.1:1 red', '10.1.6.2:2' ], told);
    await this.provider.deregisterInstance(service, one);
    await eventually([ '10.1.6.2:2' ], told);
  }

  async unsubscribe() {
    const service = unique('unsubscribe');
    let calls = 0;
    const listener = () => {
      calls += 1;
    };
    this.consumer.subscribe(service, listener);
    await this.provider.registerInstance(service, { ip: '10.1.7.1', port: 1 });
    await eventually(true, () => calls > 0);
    this.consumer.unSubscribe(service, listener);
    const before = calls;
    await this.provider.registerInstance(service, { ip: '10.1.7.2', port: 2 });
    await this.shows([ '10.1.7.1:1', '10.1.7.2:2' ], service);
    await pause(1500);
    equal(before, calls);
  }

  async deregister() {
    const service = unique('deregister');
    await this.provider.registerInstance(service, { ip: '10.1.8.1', port: 1 });
    await this.consumer.registerInstance(service, { ip: '10.1.8.2', port: 2 });
    await this.shows([ '10.1.8.1:1', '10.1.8.2:2' ], service);
    await this.provider.deregisterInstance(service, { ip: '10.1.8.1', port: 1 });
    await this.shows([ '10.1.8.2:2' ], service);
  }

  async names() {
    for (const name of [ 'com.acme:orders:1.0:', 'a+b%2F&d=e#f?g', 'providers:x.Y::', 'Größe-ñ' ]) {
      const service = unique(name);
      await this.provider.registerInstance(service, { ip: '10.1.9.1', port: 1 }, 'g.r_o-u:p');
      await this.shows([ '10.1.9.1:1' ], service, 'g.r_o-u:p');
    }
  }
}

module.exports = { Naming, run, subscribed };
