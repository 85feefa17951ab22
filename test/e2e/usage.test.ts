import { describe, expect, test } from 'bun:test';
import { runSyslogger } from '../support/syslogger.ts';

interface Refused {
  args: string[];
  /** What the one line on stderr says. */
  says: string;
}

const refused: Refused[] = [
  { args: ['--frobnicate'], says: 'unknown option --frobnicate: see --help' },
  { args: ['--topc', 'a'], says: 'unknown option --topc: did you mean --topic?' },
  { args: ['--topc=a'], says: 'unknown option --topc: did you mean --topic?' },
  { args: ['--no-stdout'], says: 'unknown option --no-stdout: did you mean --stdout?' },
  { args: ['--topic.x', 'a'], says: 'unknown option --topic.x' },
  { args: ['--__proto__', 'a'], says: 'unknown option --__proto__' },
  { args: ['-x'], says: 'unknown option -x' },
  { args: ['-port', '1'], says: 'unknown option -port: did you mean --port?' },
  { args: ['--two\nlines'], says: 'unknown option --two lines' },
  { args: ['--help', '--frobnicate'], says: 'unknown option --frobnicate' },
  { args: ['--stdout', 'false'], says: 'unknown command false' },
  { args: ['--stdout', 'file'], says: 'unknown command file: see --help' },
  { args: ['--stdout=file'], says: '--stdout takes no value' },
  { args: ['--', '--stdout'], says: 'what is --?' },
  { args: ['-'], says: 'what is -?' },
  { args: ['--topic'], says: '--topic needs a value' },
  { args: ['--topic', '--stdout'], says: '--topic needs a value' },
  { args: ['--listen'], says: '--listen needs a value' },
  { args: ['--listen', 'tcp://127.0.0.1:0', '--listen'], says: '--listen needs a value' },
  { args: ['--topic', 'a', '--topic', 'b'], says: '--topic is given 2 times' },
  { args: ['--port', '1', '--port', '1'], says: '--port is given 2 times' },
  { args: ['--port', '65536'], says: '--port 65536: not a port' },
  { args: ['--port', '-1'], says: 'unknown option -1' },
  { args: ['--port', '0x10'], says: '--port 0x10: not a port' },
  { args: ['--port='], says: '--port "": not a port' },
  {
    args: ['--port', '1', '--listen', 'tcp://[::1]:1'],
    says: '--port and --listen exclude each other',
  },
  { args: ['--listen', '127.0.0.1:1514'], says: '--listen 127.0.0.1:1514: not an address' },
  { args: ['--listen', 'tcp://127.0.0.1'], says: 'not an address; it must look like tcp://' },
  { args: ['--listen', 'tcp://::1:1514'], says: 'not an address; it must look like tcp://' },
  { args: ['--listen', 'tcp://[zz]:1514'], says: 'not an address; it must look like tcp://' },
  { args: ['--listen', 'tcp://127.0.0.1:65536'], says: 'not an address; it must look like tcp://' },
  { args: ['--listen', 'tcp://[::1]:1', '--listen', 'tcp://[::1]:1'], says: 'it is taken twice' },
  { args: ['--listen', 'quic://127.0.0.1:1514'], says: 'quic is not supported' },
  { args: ['--listen', ''], says: '--listen "": not an address' },
  { args: ['--topic', ''], says: '--topic "": a topic has 1 to 249' },
  { args: ['--topic', '..'], says: '--topic ..: a topic has' },
  { args: ['--topic', 'a/b'], says: '--topic a/b: a topic has' },
  { args: ['--topic', 'a'.repeat(250)], says: 'a topic has 1 to 249' },
  { args: ['--format', 'xml'], says: '--format xml: it is json or raw' },
  { args: ['--max-message-bytes', '63'], says: 'a whole number of bytes from 64 to' },
  { args: ['--max-message-bytes', '1e5'], says: 'a whole number of bytes from 64 to' },
  { args: ['--max-message-bytes', '64k'], says: 'a whole number of bytes from 64 to' },
  { args: ['--max-message-bytes', '99999999999999999999'], says: 'a whole number of bytes' },
  { args: ['--max-unacknowledged', '1'], says: 'a whole number of bytes from 65536 to' },
  { args: ['--max-unacknowledged-per-connection', '1.5'], says: 'a whole number of bytes' },
  { args: ['--drain-timeout', 'soon'], says: 'a number of seconds from 0 to 86400' },
  { args: ['--drain-timeout', '86401'], says: 'a number of seconds from 0 to 86400' },
  { args: ['--brokers', 'a:9092,,b:9092'], says: '"" is not host:port' },
  { args: ['--brokers', 'a:0'], says: '"a:0" is not host:port' },
  { args: ['--brokers', ''], says: '"" is not host:port' },
  { args: ['--zookeeper', ''], says: '"" is not host:port' },
  { args: ['--zookeeper', '/kafka'], says: '"" is not host:port' },
  { args: ['--zookeeper', 'a:2181/b//c'], says: 'bad chroot /b//c: it must look like /a/b' },
  {
    args: ['--brokers', 'a:1', '--zookeeper', 'b:1'],
    says: '--zookeeper and --brokers exclude each other',
  },
  {
    args: ['--stdout', '--brokers', 'a:1'],
    says: '--brokers and --stdout exclude each other: give one',
  },
  { args: ['--stdout', '--brokers='], says: '--brokers and --stdout exclude each other' },
  { args: ['--stdout', '--zookeeper', 'a:1'], says: '--zookeeper and --stdout exclude each other' },
  { args: ['chek'], says: 'unknown command chek: did you mean syslogger check?' },
  { args: ['check', '--topc', 'a'], says: 'unknown option --topc: did you mean --topic?' },
  { args: ['check', '--topic'], says: '--topic needs a value' },
  { args: ['check', 'file'], says: 'unknown command file: see --help' },
  { args: ['check', 'check'], says: 'one command only: check or rsyslog' },
  { args: ['run'], says: 'unknown command run: see --help' },
  { args: ['check', '--connect=no'], says: '--connect takes no value' },
  { args: ['--connect'], says: '--connect goes with one command only: syslogger check --connect' },
  { args: ['rsyslog', '--connect'], says: 'syslogger check --connect' },
  { args: ['--conect', 'check'], says: 'unknown option --conect: did you mean --connect?' },
];

describe('a command line that is not understood ends with exit code 64 and one line', () => {
  for (const { args, says } of refused) {
    test(JSON.stringify(args).slice(0, 80), async () => {
      const { code, stdout, stderr } = await runSyslogger(args);
      expect(stderr).toMatch(/^syslogger: [^\n]+\n$/);
      expect(stderr).toInclude(says);
      expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    });
  }
});

for (const [args, shown] of [
  [['check', '--help'], '--connect '],
  [['rsyslog', '-h'], '--topic <name>'],
] as const) {
  test(`${args.join(' ')} tells the options and every command`, async () => {
    const { code, stdout, stderr } = await runSyslogger([...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const text of [shown, '$ syslogger check ', '$ syslogger rsyslog ']) {
      expect(stdout).toInclude(text);
    }
  });
}
