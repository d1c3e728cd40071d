'use strict';

// Drives `eureka-js-client` through one scenario: `node main.js SCENARIO ADDRESS:PORT SUITE`. See interop/README.md.

const { Eureka } = require('eureka-js-client');

const { Checks } = require('./checks');
const { RENEWAL, run } = require('./scenarios');

/** Everything goes to standard error, as standard output belongs to the driver. */
const logger = { debug() {} };
for (const level of [ 'info', 'warn', 'error' ]) {
  logger[level] = (...words) => console.error(level, ...words);
}

/**
 * Registers under `app` with the metadata `colour=green` and fetches the whole list, the client's default; with
 * `delta` it fetches deltas and does not register.
 */
async function start(address, app, { delta = false } = {}) {
  const [ host, port ] = address.split(':');
  const client = new Eureka({
    logger,
    shouldUseDelta: delta,
    eureka: {
      host,
      port: Number(port),
      servicePath: '/eureka/apps/',
      registerWithEureka: !delta,
      heartbeatInterval: RENEWAL,
      registryFetchInterval: 1_000,
    },
    instance: {
      app,
      instanceId: `${app}:1`,
      // The client holds one instance a host name and port.
      hostName: app,
      ipAddr: '127.0.0.1',
      port: { $: 7000, '@enabled': true },
      vipAddress: app,
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      leaseInfo: { renewalIntervalInSecs: RENEWAL / 1_000, durationInSecs: 3 * RENEWAL / 1_000 },
      metadata: { colour: 'green' },
    },
  });
  await new Promise((resolve, reject) => client.start(problem => (problem ? reject(problem) : resolve())));
  return {
    id: `${app}:1`,
    // By VIP: of its two indexes only this one is right after a delta.
    shown: name => client.getInstancesByVipAddress(name).map(one => `${one.port.$} ${one.metadata.colour}`).sort(),
    stop: () => new Promise((resolve, reject) => client.stop(problem => (problem ? reject(problem) : resolve()))),
  };
}

async function main([ scenario, address, suite ]) {
  const checks = new Checks();
  await run(checks, scenario, address, suite, (app, options) => start(address, app, options));
  // The client's timers never end by themselves.
  process.exit(checks.failed ? 1 : 0);
}

main(process.argv.slice(2)).catch(problem => {
  console.error(problem);
  process.exit(2);
});
