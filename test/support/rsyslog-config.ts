/** Where rsyslogd forwards to. */
export interface Target {
  host?: string;
  port: number;
  /** Octet-counted frames, or lines (default). */
  framing?: 'traditional' | 'octet-counted';
  /** Sends RFC 3164 with an ISO time (default), or RFC 5424. */
  template?: 'RSYSLOG_ForwardFormat' | 'RSYSLOG_SyslogProtocol23Format';
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

function action({ host = '127.0.0.1', port, framing, template }: Target): string {
  return `type="omfwd" protocol="tcp" target="${host}" port="${port}" keepAlive="on"
    template="${template ?? 'RSYSLOG_ForwardFormat'}" tcp_framing="${framing ?? 'traditional'}"`;
}
