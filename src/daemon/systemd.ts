import process from 'node:process';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** How soon what systemd did not take is sent again, in ms. */
const RETRY_AFTER_MS = 100;
const MAX_TRIES = 50;

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

/** Sends a text. @returns whether it was taken */
type Send = (text: string) => boolean;

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
    starting: (status) => sendSurely(send, `STATUS=${status}`),
    ready: (status) => sendSurely(send, `READY=1\nSTATUS=${status}`),
    stopping: (status) => sendSurely(send, `STOPPING=1\nSTATUS=${status}`),
  };
}

/** A unit whose READY=1 is lost would never be up. */
function sendSurely(send: Send, text: string, tries = MAX_TRIES): void {
  if (send(text) || tries === 1) return;
  setTimeout(() => sendSurely(send, text, tries - 1), RETRY_AFTER_MS).unref();
}

async function openSocket(runtime: Runtime, path: string | undefined, log: Log): Promise<Send> {
  const sendNothing = () => true;
  if (!path) return sendNothing;
  try {
    if (!runtime.openNotifySocket) throw new Error(`${runtime.name} has no unix datagram sockets`);
    return await runtime.openNotifySocket(path);
  } catch (error) {
    log.warn(`systemd can't be told of our state (use Type=exec): ${(error as Error).message}`);
    return sendNothing;
  }
}
