'use strict';

const assert = require('assert');
const { randomUUID } = require('crypto');
const readline = require('readline');

/** Milliseconds; longer than any poll of the client at the intervals set here. */
const SOON = 30_000;

/** Runs the checks of a scenario one after the other and prints what came of each. */
class Checks {
  failed = false;

  async check(name, body) {
    try {
      await body();
      console.log(`ok ${name}`);
    } catch (problem) {
      this.failed = true;
      console.log(`FAIL ${name}: ${problem.message}`.replaceAll('\n', ' '));
      console.error(problem);
    }
  }

  notApplicable(name, why) {
    console.log(`n/a ${name}: ${why}`);
  }
}

function equal(expected, actual) {
  assert(isEqual(expected, actual), `expected ${cut(expected)}, got ${cut(actual)}`);
}

/** Waits until a value is as expected; the last one seen is in the failure. */
async function eventually(expected, value, within = SOON) {
  const deadline = Date.now() + within;
  for (;;) {
    let seen;
    try {
      seen = await value();
    } catch (problem) {
      seen = problem;
    }
    if (isEqual(expected, seen)) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`expected ${cut(expected)} within ${within} ms, got ${seen instanceof Error ? seen : cut(seen)}`);
    }
    await pause(50);
  }
}

function isEqual(expected, actual) {
  try {
    assert.deepStrictEqual(actual, expected);
    return true;
  } catch {
    return false;
  }
}

function cut(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 300 ? text : `${text.slice(0, 300)}... (${text.length} characters)`;
}

function pause(milliseconds) {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/** A name that no other run on the same server uses. */
function unique(name) {
  return `${name}-${randomUUID().slice(0, 13)}`;
}

/** Tells the driver that this scenario waits for it, and waits. */
function readyAndWait() {
  console.log('ready');
  const lines = readline.createInterface({ input: process.stdin });
  return new Promise(resolve => lines.once('line', () => {
    lines.close();
    resolve();
  }));
}

module.exports = { Checks, SOON, equal, eventually, pause, readyAndWait, unique };
