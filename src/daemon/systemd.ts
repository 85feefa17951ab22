import process from 'node:process';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime/runtime.ts';

/**
 * The service manager that has started us, if it wants to know how we are (sd_notify(3)). Each
 * status is for people.
 */
export interface ServiceManager {
  starting(status: string): void;
  /** Senders can come. */
  ready(status: string): void;
  stopping(status: string): void;
}

/**
 * Speaks with systemd where it has given us a socket for that (`Type=notify`), and tells it that
 * we are alive as often as `WatchdogSec` wants it.
 */
export async function openServiceManager(runtime: Runtime, log: Log): Promise<ServiceManager> {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = process.env;
  const send = await openSocket(runtime, NOTIFY_SOCKET, log);
  const isWatched = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const watchdogMs = Number(WATCHDOG_USEC) / 1000;
  if (isWatched && watchdogMs > 0) setInterval(() => send('WATCHDOG=1'), watchdogMs / 2).unref();
  return {
    starting: (status) => send(`STATUS=${status}`),
    ready: (status) => send(`READY=1\nSTATUS=${status}`),
    stopping: (status) => send(`STOPPING=1\nSTATUS=${status}`),
  };
}

async function openSocket(
  runtime: Runtime,
  path: string | undefined,
  log: Log,
): Promise<(text: string) => void> {
  if (!path) return () => {};
  try {
    if (!runtime.openNotifySocket) throw new Error(`${runtime.name} has no unix datagram sockets`);
    return await runtime.openNotifySocket(path);
  } catch (error) {
    log.warn(`systemd can't be told of our state (use Type=exec): ${(error as Error).message}`);
    return () => {};
  }
}
