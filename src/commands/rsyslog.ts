import { type Address, formatAddress } from '../address.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { type Endpoint, formatEndpoint } from '../input/endpoint.ts';
import { VERSION } from '../version.ts';

/** What of rsyslog's speaks to which of ours, the best first. */
const SCHEMES = ['relp', 'relps', 'tcp', 'tls', 'udp'] as const;

/** An endpoint that rsyslog can forward to. */
type Target = Extract<Endpoint, { scheme: (typeof SCHEMES)[number] }>;

/**
 * The rsyslog configuration that forwards everything to the best of the endpoints that this
 * configuration listens on (rsyslog's manual: omrelp, omfwd, "General Queue Parameters").
 * @throws {ConfigError} if the port is left to the system, or rsyslog can't speak to any of them
 */
export function rsyslog({ listen, maxMessageBytes }: Config): string {
  const target = chooseTarget(listen);
  if (target.address.port === 0) {
    throw new ConfigError('the port that syslogger listens on must be fixed for this: not 0');
  }
  const others = listen.filter((endpoint) => endpoint !== target).map(formatEndpoint);
  return `\
# What rsyslog needs to forward to syslogger ${VERSION} at ${formatAddress(reachable(target.address))}.
# Put it into /etc/rsyslog.d/60-syslogger.conf, check it with rsyslogd -N1, restart rsyslog.
${others.length > 0 ? `# (It also listens at ${others.join(', ')}: one of them is enough.)\n` : ''}
${before(target)}action(
    name="syslogger"
${action(target)}

    # syslogger or Kafka is away or slow: try for ever, and forget nothing.
    action.resumeRetryCount="-1" action.resumeInterval="1" action.resumeIntervalMax="10"

    # Meanwhile messages wait in memory, then on disk in global(workDirectory=...), which Debian
    # and Red Hat set; a restart of rsyslog keeps them. queue.size and queue.maxDiskSpace limit how
    # long an outage may be: when they are full, rsyslog's main queue fills.
    queue.type="LinkedList" queue.filename="syslogger" queue.maxDiskSpace="10g"
    queue.size="500000" queue.saveOnShutdown="on"
${repetitions(target)})

# rsyslog cuts messages at global(maxMessageSize="8k"), its default; syslogger takes longer ones,
# and forwards those of more than ${maxMessageBytes} bytes in parts.
`;
}

function chooseTarget(listen: Endpoint[]): Target {
  const targets = listen.filter((endpoint): endpoint is Target =>
    SCHEMES.some((scheme) => scheme === endpoint.scheme),
  );
  const rank = ({ scheme }: Target) => SCHEMES.indexOf(scheme);
  const [best] = targets.toSorted((a, b) => rank(a) - rank(b));
  if (best) return best;
  throw new ConfigError(
    'this is for relp://, tcp:// and the like, not for unix sockets: add such a listen',
  );
}

function before({ scheme }: Target): string {
  if (scheme !== 'relp' && scheme !== 'relps') return '';
  return '# In the package rsyslog-relp.\nmodule(load="omrelp")\n\n';
}

function action(target: Target): string {
  const { host, port } = reachable(target.address);
  const address = `target="${host}" port="${port}"`;
  const comment = "    # In another host's rsyslog: this machine's name or address.";
  const how = {
    relp: () => relp(address),
    relps: () => `${relp(address)}\n\n${RELP_TLS}`,
    tcp: () => tcp(address),
    tls: () => `${tcp(address)}\n\n${TCP_TLS}`,
    udp: () => `    type="omfwd" protocol="udp" ${address}\n\n${RFC_5424}`,
  };
  return `${comment}\n${how[target.scheme]()}`;
}

const RFC_5424 = `\
    # RFC 5424.
    template="RSYSLOG_SyslogProtocol23Format"`;

const RELP_TLS = `\
    # Certificates: who has signed syslogger's, what name it has, and rsyslog's own, which librelp
    # wants even where syslogger does not.
    tls="on" tls.caCert="/etc/ssl/certs/syslog-ca.pem"
    tls.authMode="name" tls.permittedPeer=["syslogger.example.com"]
    tls.myCert="/etc/ssl/certs/rsyslog.pem" tls.myPrivKey="/etc/ssl/private/rsyslog.key"`;

const TCP_TLS = `\
    # The package rsyslog-gnutls, and in global(): defaultNetstreamDriverCAFile (who has signed
    # syslogger's certificate) and, where syslogger wants one of rsyslog's,
    # defaultNetstreamDriverCertFile and defaultNetstreamDriverKeyFile.
    streamDriver="gtls" streamDriverMode="1"
    streamDriverAuthMode="x509/name" streamDriverPermittedPeers="syslogger.example.com"`;

function tcp(address: string): string {
  return `\
    type="omfwd" protocol="tcp" ${address} keepAlive="on"

    # RFC 5424, with each message's length before it, so that line ends within one do no harm.
    template="RSYSLOG_SyslogProtocol23Format" tcp_framing="octet-counted"`;
}

function relp(address: string): string {
  return `\
    type="omrelp" ${address}

    # RFC 5424. So many messages may be on their way before rsyslog waits for an answer.
    template="RSYSLOG_SyslogProtocol23Format" windowSize="1024"`;
}

function repetitions({ scheme }: Target): string {
  if (scheme !== 'tcp' && scheme !== 'tls') return '';
  return `
    # When the connection ends amid a batch, rsyslog sends the whole batch again. 1 instead of the
    # usual 128 avoids these repetitions, and costs speed.
    #queue.dequeueBatchSize="1"
`;
}

/** Where a sender on this host reaches what listens on an address. */
function reachable({ host, port }: Address): Address {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return { host: host === '::' ? '::1' : host, port };
}
