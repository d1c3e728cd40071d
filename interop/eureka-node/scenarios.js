'use strict';

// The scenarios every Eureka client goes through; see interop/README.md.

const { equal, eventually, readyAndWait, unique } = require('./checks');
const { Server } = require('./server');

/** Milliseconds between two renewals. */
const RENEWAL = 3_000;
/** A lost registration is back within one interval; the rest is for a loaded machine. */
const ONE_INTERVAL = RENEWAL + 2_500;

async function run(checks, scenario, address, suite, start) {
  const server = new Server(address);
  const victim = `victim-${suite}`;
  switch (scenario) {
    case 'client': return client(checks, server, start);
    case 'observe': return observe(checks, victim, start);
    case 'victim': await start(victim); return readyAndWait();
    case 'loss': return loss(checks, server, start);
    default: throw new Error(`no scenario ${scenario}`);
  }
}

async function client(checks, server, start) {
  const app = unique('client');
  const other = unique('neighbour');
  await server.register(other, 'one', 7001, 'blue');
  const own = await start(app);
  await checks.check('register', async () => {
    await eventually('UP', () => server.status(app, own.id));
    equal('green', (await server.instance(app, own.id)).metadata.colour);
  });
  await checks.check('fetch', async () => {
    await eventually([ '7001 blue' ], () => own.shown(other));
    await eventually([ '7000 green' ], () => own.shown(app));
  });
  await checks.check('changes', async () => {
    await server.register(other, 'two', 7002, 'red');
    await eventually([ '7001 blue', '7002 red' ], () => own.shown(other));
    await server.register(other, 'two', 7002, 'pink');
    await eventually([ '7001 blue', '7002 pink' ], () => own.shown(other));
    await server.override(other, 'one', 'OUT_OF_SERVICE');
    await eventually([ '7002 pink' ], () => own.shown(other));
    await server.clearOverride(other, 'one');
    await server.remove(other, 'two');
    await eventually([ '7001 blue' ], () => own.shown(other));
    // Deltas are an option: this client takes over who comes and who goes, but not what an instance says anew of itself.
    const reader = await start(unique('reader'), { delta: true });
    await eventually([ '7001 blue' ], () => reader.shown(other));
    await server.register(other, 'three', 7003, 'red');
    await eventually([ '7001 blue', '7003 red' ], () => reader.shown(other));
    await server.remove(other, 'three');
    await eventually([ '7001 blue' ], () => reader.shown(other));
    await reader.stop();
  });
  await checks.check('renew', async () => {
    // Past the whole lease, so that only renewals can have kept it.
    const renewed = async () => Number((await server.instance(app, own.id)).leaseInfo.lastRenewalTimestamp);
    const first = await renewed();
    await eventually(true, async () => await renewed() > first + 3 * RENEWAL + 1_000);
    equal('UP', await server.status(app, own.id));
  });
  await checks.check('lost', async () => {
    await server.remove(app, own.id);
    equal('absent', await server.status(app, own.id));
    await eventually('UP', () => server.status(app, own.id), ONE_INTERVAL);
  });
  await checks.check('cancel', async () => {
    await own.stop();
    await eventually('absent', () => server.status(app, own.id));
  });
}

/** Sees another process of this client come, and go when it is killed. */
async function observe(checks, victim, start) {
  const own = await start(unique('observer'));
  await readyAndWait();
  await checks.check('seen', () => eventually([ '7000 green' ], () => own.shown(victim)));
  await readyAndWait();
  await checks.check('vanished', () => eventually([], () => own.shown(victim)));
  await own.stop();
}

/** The server has had more changes than a delta can tell; later it is killed and comes back with nothing. */
async function loss(checks, server, start) {
  const app = unique('loss');
  const other = unique('neighbour');
  await server.register(other, 'one', 7001, 'blue');
  const own = await start(app);
  await checks.check('full', async () => {
    await eventually([ '7001 blue' ], () => own.shown(other));
    await server.register(other, 'two', 7002, 'red');
    await eventually([ '7001 blue', '7002 red' ], () => own.shown(other));
    await server.remove(other, 'one');
    await eventually([ '7002 red' ], () => own.shown(other));
  });
  await checks.check('back', async () => {
    await eventually('UP', () => server.status(app, own.id));
    // The driver kills the server, empties its folder and starts it again.
    await readyAndWait();
    await eventually('UP', () => server.status(app, own.id), ONE_INTERVAL);
    await eventually([ '7000 green' ], () => own.shown(app));
  });
}

module.exports = { RENEWAL, run };
