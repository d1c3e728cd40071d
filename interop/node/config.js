'use strict';

// Publishing, reading and listening; one client writes, another reads.

const { equal, eventually, pause, unique } = require('./checks');

const GROUP = 'DEFAULT_GROUP';

async function run(checks, writer, reader) {
  const config = new Config(writer, reader);
  for (const name of [ 'publish', 'get', 'missing', 'listen', 'unlisten' ]) {
    await checks.check(name, () => config[name]());
  }
  checks.notApplicable('cas', 'no such call');
  for (const name of [ 'remove', 'large', 'chinese', 'names' ]) {
    await checks.check(name, () => config[name]());
  }
}

class Config {
  constructor(writer, reader) {
    this.writer = writer;
    this.reader = reader;
  }

  async put(dataId, content, group = GROUP) {
    equal(true, await this.writer.publishSingle(dataId, group, content, { type: 'yaml' }));
  }

  content(dataId, group = GROUP) {
    return this.reader.getConfig(dataId, group);
  }

  /** Listens; the answer gives the newest content that was told. */
  listened(dataId) {
    let newest = 'nothing';
    const listener = content => {
      newest = content;
    };
    this.reader.subscribe({ dataId, group: GROUP }, listener);
    const heard = () => newest;
    heard.listener = listener;
    return heard;
  }

  async publish() {
    await this.put(unique('publish'), 'a: 1');
  }

  async get() {
    const dataId = unique('get');
    for (const given of [ 'one', 'two', 'a=1\r\nb = %2B+&\n\u0001\u0002' ]) {
      await this.put(dataId, given);
      equal(given, await this.content(dataId)); // what was answered can be read at once
    }
  }

  async missing() {
    equal(null, await this.content(unique('missing')));
  }

  async listen() {
    const dataId = unique('listen');
    const heard = this.listened(dataId);
    for (const given of [ 'created', 'changed', 'changed again', 'created' ]) {
      await this.put(dataId, given);
      await eventually(given, heard);
    }
    equal(true, await this.writer.remove(dataId, GROUP));
    await eventually(null, heard);
  }

  async unlisten() {
    const dataId = unique('unlisten');
    const heard = this.listened(dataId);
    await this.put(dataId, 'heard');
    // This client starts to poll for a new key only when its present poll of 30 s has ended.
    await eventually('heard', heard, 40_000);
    this.reader.unSubscribe({ dataId, group: GROUP }, heard.listener);
    await this.put(dataId, 'unheard');
    await pause(1500);
    equal('heard', heard());
  }

  async remove() {
    const dataId = unique('remove');
    await this.put(dataId, 'here');
    for (let times = 0; times < 2; times += 1) {
      equal(true, await this.writer.remove(dataId, GROUP));
      equal(null, await this.content(dataId));
    }
  }

  async large() {
    const dataId = unique('large');
    const given = '0123456789abcde\n'.repeat(1 << 16);
    await this.put(dataId, given);
    equal(given, await this.content(dataId));
  }

  async chinese() {
    const dataId = unique('chinese');
    const given = '名称: 订单服务\n备注: 中文、ÄÖÜ、🚀\n';
    await this.put(dataId, given);
    equal(given, await this.content(dataId));
  }

  async names() {
    for (const name of [ 'a.b_c-d:e', 'UPPER.lower_0:1-2', 'x::y..z--' ]) {
      const [ dataId, group ] = [ unique(name), 'g.r_o-u:p' ];
      await this.put(dataId, name, group);
      equal(name, await this.content(dataId, group));
      equal(null, await this.content(dataId));
    }
  }
}

module.exports = { Config, run };
