import { type Address, formatAddress } from '../address.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { VERSION } from '../version.ts';

/**
 * The rsyslog configuration that forwards everything to the first address that this
 * configuration listens on (rsyslog's manual: omfwd, "General Queue Parameters").
 * @throws {ConfigError} if the port is left to the system
 */
export function rsyslog({ listen: [address, ...others], maxMessageBytes }: Config): string {
  if (address.port === 0) {
    throw new ConfigError('the port that syslogger listens on must be fixed for this: not 0');
  }
  const { host, port } = reachable(address);
  return `\
# What rsyslog needs to forward to syslogger ${VERSION} at ${formatAddress({ host, port })}.
# Put it into /etc/rsyslog.d/60-syslogger.conf, check it with rsyslogd -N1, restart rsyslog.
${others.length > 0 ? `# (It also listens at ${others.map(formatAddress).join(', ')}: one of them is enough.)\n` : ''}
action(
    name="syslogger"
    # In another host's rsyslog: this machine's name or address.
    type="omfwd" protocol="tcp" target="${host}" port="${port}" keepAlive="on"

    # RFC 5424, with each message's length before it, so that line ends within one do no harm.
    template="RSYSLOG_SyslogProtocol23Format" tcp_framing="octet-counted"

    # syslogger or Kafka is away or slow: try for ever, and forget nothing.
    action.resumeRetryCount="-1" action.resumeInterval="1" action.resumeIntervalMax="10"

    # Meanwhile messages wait in memory, then on disk in global(workDirectory=...), which Debian
    # and Red Hat set; a restart of rsyslog keeps them. queue.size and queue.maxDiskSpace limit how
    # long an outage may be: when they are full, rsyslog's main queue fills.
    queue.type="LinkedList" queue.filename="syslogger" queue.maxDiskSpace="10g"
    queue.size="500000" queue.saveOnShutdown="on"

    # When the connection ends amid a batch, rsyslog sends the whole batch again. 1 instead of the
    # usual 128 avoids these repetitions, and costs speed.
    #queue.dequeueBatchSize="1"
)

# rsyslog cuts messages at global(maxMessageSize="8k"), its default; syslogger takes longer ones,
# and forwards those of more than ${maxMessageBytes} bytes in parts.
`;
}

/** Where a sender on this host reaches what listens on an address. */
function reachable({ host, port }: Address): Address {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return { host: host === '::' ? '::1' : host, port };
}
