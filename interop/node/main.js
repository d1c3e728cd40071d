'use strict';

// Drives the `nacos` package through one scenario: `node main.js SCENARIO ADDRESS:PORT`. See interop/README.md.
// This client speaks HTTP with beats, long polls and UDP pushes; it has no batch and no compare-and-set.

const { NacosConfigClient, NacosNamingClient } = require('nacos');

const { Checks } = require('./checks');
const config = require('./config');
const lifecycle = require('./lifecycle');
const naming = require('./naming');

/** The clients log to a console: everything goes to standard error, as standard output belongs to the driver. */
const logger = {};
for (const level of ['debug', 'info', 'warn', 'error']) {
  logger[level] = level === 'debug' ? () => {} : (...words) => console.error(level, ...words);
}

async function namingClient(address) {
  const client = new NacosNamingClient({ logger, serverList: address, namespace: 'public' });
  client._hostReactor.on('error', problem => console.error('naming', problem));
  await client.ready();
  return client;
}

async function configClient(address) {
  // The working directory is the driver's fresh folder, so no run sees what an earlier one kept.
  const client = new NacosConfigClient({ serverAddr: address, cacheDir: `cache-${Math.random()}`, requestTimeout: 5000 });
  client.on('error', problem => console.error('config', problem));
  await client.ready();
  return client;
}

async function run(scenario, address) {
  const checks = new Checks();
  switch (scenario) {
    case 'naming': await naming.run(checks, await namingClient(address), await namingClient(address)); break;
    case 'config': await config.run(checks, await configClient(address), await configClient(address)); break;
    case 'observe': await lifecycle.observe(checks, await namingClient(address)); break;
    case 'victim': await lifecycle.victim(await namingClient(address)); break;
    case 'restart': await lifecycle.restart(checks, await namingClient(address), await configClient(address)); break;
    default: throw new Error(`no scenario ${scenario}`);
  }
  // The clients' timers never end by themselves.
  process.exit(checks.failed ? 1 : 0);
}

run(process.argv[2], process.argv[3]).catch(problem => {
  console.error(problem);
  process.exit(2);
});
