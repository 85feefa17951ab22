/** Where rsyslogd forwards to. */
export interface Target {
  host?: string;
  port: number;
  /** Octet-counted frames, or lines (default). */
  framing?: 'traditional' | 'octet-counted';
  /** Sends RFC 3164 with an ISO time (default), or RFC 5424. */
  template?: 'RSYSLOG_ForwardFormat' | 'RSYSLOG_SyslogProtocol23Format';
  /** Over plain TCP (default), with omfwd, or RELP, with omrelp. */
  protocol?: 'tcp' | 'relp';
  /** RELP: how many messages may wait for their answer (default 128, as rsyslog's). */
  windowSize?: number;
  /** RELP: how long an answer may take, in seconds (default 90, as rsyslog's). */
  timeout?: number;
  /** Over TLS; RELP's with what librelp has built in, omfwd's with the gtls driver. */
  tls?: TargetTls;
}

/** Paths of PEM files, and the name that the other side's certificate must have. */
export interface TargetTls {
  ca: string;
  name: string;
  certificate?: string;
  key?: string;
}

export interface ConfigOptions {
  target: Target;
  inputPort: number;
  workDirectory: string;
  /** Where the state of its queues is written every second. */
  statistics: string;
  memoryQueueSize: number;
  batchSize: number;
  maxMessageSize: number;
}

/** An rsyslog.conf that forwards everything, through a queue in memory with a disk behind it. */
export function rsyslogConfig(options: ConfigOptions): string {
  const { inputPort, workDirectory, statistics, memoryQueueSize, batchSize, maxMessageSize } =
    options;
  return `
global(workDirectory="${workDirectory}" maxMessageSize="${maxMessageSize}")
# A message is handed to the action's queue at once, so that there is one queue to look at.
main_queue(queue.type="Direct")
${drivers(options.target)}
module(load="impstats" interval="1" format="json" resetCounters="off"
       log.syslog="off" log.file="${statistics}")
module(load="imptcp")
input(type="imptcp" name="input" address="127.0.0.1" port="${inputPort}" ruleset="forward")
ruleset(name="forward") {
  action(
    name="forward"
    ${action(options.target)}
    action.resumeRetryCount="-1"
    action.resumeInterval="1"
    action.resumeIntervalMax="1"
    queue.type="LinkedList"
    queue.filename="forward"
    queue.size="5000000"
    queue.dequeueBatchSize="${batchSize}"
    queue.highWatermark="${memoryQueueSize}"
    queue.lowWatermark="${Math.floor(memoryQueueSize / 5)}"
    queue.saveOnShutdown="on"
    queue.timeoutShutdown="1000"
  )
}
`;
}

/** What has to stand before the action. */
function drivers({ protocol, tls }: Target): string {
  if (protocol === 'relp') return 'module(load="omrelp")';
  if (!tls) return '';
  return `global(defaultNetstreamDriverCAFile="${tls.ca}"
    ${tls.certificate ? `defaultNetstreamDriverCertFile="${tls.certificate}"` : ''}
    ${tls.key ? `defaultNetstreamDriverKeyFile="${tls.key}"` : ''})`;
}

function action(target: Target): string {
  const { host = '127.0.0.1', port, template = 'RSYSLOG_ForwardFormat' } = target;
  const where = `target="${host}" port="${port}" template="${template}"`;
  return target.protocol === 'relp' ? relp(target, where) : tcp(target, where);
}

function tcp({ framing = 'traditional', tls }: Target, where: string): string {
  const secured = tls
    ? `streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name"
    streamDriverPermittedPeers="${tls.name}"`
    : '';
  return `type="omfwd" protocol="tcp" ${where} keepAlive="on" tcp_framing="${framing}"
    ${secured}`;
}

function relp({ windowSize, timeout, tls }: Target, where: string): string {
  const files = tls?.certificate
    ? `tls.myCert="${tls.certificate}" tls.myPrivKey="${tls.key}"`
    : '';
  const secured = tls
    ? `tls="on" tls.caCert="${tls.ca}" tls.authMode="name" tls.permittedPeer="${tls.name}" ${files}`
    : '';
  return `type="omrelp" ${where}
    ${windowSize ? `windowSize="${windowSize}"` : ''} ${timeout ? `timeout="${timeout}"` : ''}
    ${secured}`;
}
