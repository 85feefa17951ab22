import type { Config } from '../config/config.ts';
import { EXIT } from '../config/errors.ts';
import type { Log } from '../log.ts';
import type { Running } from './assembly.ts';

/** A sender that is silent for so long after our FIN has nothing on its way to us, in ms. */
const QUIET_MS = 500;
/** What unfinished frames get to reach the sink when a stop has taken too long, in ms. */
const LAST_MS = 500;

/**
 * The cleanest stop: everything that was sent to us reaches the sink.
 * @returns the process's exit code
 */
export async function stop(running: Running, config: Config, log: Log): Promise<number> {
  const { listeners, forwarder, sink } = running;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, config.drainTimeoutMs, false);
  });
  const drained = listeners.drain(QUIET_MS).then(async (idle) => {
    if (idle > 0) log.info(`not waiting for idle senders that have not closed: ${idle}`);
    await forwarder.idle();
    return true;
  });
  const isDrained = await Promise.race([drained, deadline]);
  clearTimeout(timer);
  if (isDrained) {
    await sink.close();
    return EXIT.drained;
  }
  const { open } = listeners;
  listeners.abandon();
  await Promise.race([forwarder.idle(), new Promise((resolve) => setTimeout(resolve, LAST_MS))]);
  log.error(
    `--drain-timeout of ${config.drainTimeoutMs / 1000} s is over: left ` +
      `unacknowledged messages ${forwarder.messagesInFlight}, open connections ${open}`,
  );
  return EXIT.undelivered;
}
