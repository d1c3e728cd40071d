'use strict';

// A client that is killed, one that sees its instances go, and a server that dies and comes back.

const { equal, eventually, readyAndWait, SOON } = require('./checks');
const { Config } = require('./config');
const { Naming, subscribed } = require('./naming');

/** Milliseconds: a beat lease of 30 s, the server's look at it, a poll of the client. */
const LEASE = 60_000;
const RECOVERY = 60_000;

async function observe(checks, client) {
  // An instance of the observer's own stays, as this client never takes over an empty list.
  await client.registerInstance('crash-node', { ip: '10.2.0.2', port: 2 });
  const told = subscribed(client, 'crash-node');
  await eventually([ '10.2.0.2:2' ], told);
  console.log('ready');
  await checks.check('seen', () => eventually([ '10.2.0.1:1', '10.2.0.2:2' ], told, LEASE));
  await readyAndWait();
  await checks.check('vanished', () => eventually([ '10.2.0.2:2' ], told, LEASE));
}

async function victim(client) {
  await client.registerInstance('crash-node', { ip: '10.2.0.1', port: 1 });
  await readyAndWait();
}

async function restart(checks, client, configs) {
  const naming = new Naming(client, client);
  const config = new Config(configs, configs);
  await client.registerInstance('restart', { ip: '10.3.0.1', port: 1 });
  await client.registerInstance('watched', { ip: '10.3.0.2', port: 2 });
  const told = subscribed(client, 'watched');
  await config.put('kept', 'before');
  const heard = config.listened('kept');
  await eventually('before', heard);
  await config.put('kept', 'still before');
  await eventually('still before', heard, 40_000);
  await eventually([ '10.3.0.2:2' ], told);

  await readyAndWait();
  await checks.check('kept', () => eventually('still before', () => config.content('kept'), RECOVERY));
  await checks.check('reregister', () => naming.shows([ '10.3.0.1:1' ], 'restart'));
  await checks.check('subscription', async () => {
    await client.registerInstance('watched', { ip: '10.3.0.3', port: 3 });
    await eventually([ '10.3.0.2:2', '10.3.0.3:3' ], told, RECOVERY);
    await client.deregisterInstance('watched', { ip: '10.3.0.2', port: 2 });
    await eventually([ '10.3.0.3:3' ], told, SOON);
  });
  await checks.check('listener', async () => {
    await config.put('kept', 'after');
    await eventually('after', heard, RECOVERY);
    equal('after', await config.content('kept'));
  });
}

module.exports = { observe, restart, victim };
