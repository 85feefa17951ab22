/** Where rsyslog listens and what it writes to. */
export interface OmkafkaOptions {
  port: number;
  broker: string;
  topic: string;
  workDirectory: string;
  /** Takes RELP instead of lines over TCP. */
  isRelp?: boolean;
  /** How long librdkafka waits for a batch to grow, in ms; its own default where absent. */
  lingerMs?: number;
}

/**
 * An rsyslog.conf that takes syslog over TCP or RELP and produces to Kafka with omkafka, set up to be as
 * fast as it goes: one worker was faster than several on two cores, and room in librdkafka for
 * all that comes was faster than its default. Its documents hold the same fields as ours.
 */
export function omkafkaConfig(options: OmkafkaOptions): string {
  const { port, broker, topic, workDirectory, lingerMs, isRelp } = options;
  const input = isRelp ? 'imrelp' : 'imtcp';
  const linger = lingerMs === undefined ? '' : `, "linger.ms=${lingerMs}"`;
  return `
global(workDirectory="${workDirectory}")
module(load="${input}"${isRelp ? '' : ' maxSessions="4000"'})
module(load="omkafka")
main_queue(queue.type="FixedArray" queue.size="500000" queue.dequeueBatchSize="1000"
           queue.workerThreads="1")
template(name="document" type="list" option.jsonf="on") {
  property(outname="facility" name="syslogfacility" format="jsonf" datatype="number")
  property(outname="severity" name="syslogseverity" format="jsonf" datatype="number")
  property(outname="timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="hostname" name="hostname" format="jsonf")
  property(outname="appname" name="app-name" format="jsonf")
  property(outname="procid" name="procid" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="structured_data" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
# A ruleset of its own, so that rsyslog's messages of its own are not among those counted.
ruleset(name="forward") {
  action(type="omkafka" broker=["${broker}"] topic="${topic}" template="document"
         partitions.auto="on" resubmitOnFailure="on" keepFailedMessages="on"
         failedMsgFile="${workDirectory}/failed" action.resumeRetryCount="-1"
         action.resumeInterval="1" action.resumeIntervalMax="1"
         confParam=["queue.buffering.max.messages=2000000",
                    "queue.buffering.max.kbytes=2000000"${linger}])
}
input(type="${input}" address="127.0.0.1" port="${port}" ruleset="forward")
`;
}
