import { adminAt } from '../test/support/admin.ts';
import { freePort } from '../test/support/ports.ts';
import { startRiemannServer } from '../test/support/riemann-server.ts';

/** How often it is looked at, in s: far more often than anybody does. */
const EVERY = 1;

/** Those who look at a syslogger, and the arguments that it needs for them. */
export interface Watchers {
  args: string[];
  stop(): Promise<void>;
}

/** Starts those who look at a forwarder, as its name tells. */
export async function startWatchers(name: string): Promise<Watchers> {
  if (name === 'syslogger, unwatched') return { args: ['--admin', 'none'], stop: async () => {} };
  const port = await freePort();
  const admin = ['--admin', `127.0.0.1:${port}`];
  if (name === 'syslogger' || name === 'syslogger, RELP')
    return { args: admin, stop: async () => {} };

  const riemann = await startRiemannServer();
  if (name === 'syslogger, Riemann hangs') riemann.setMode('silent');
  const { get } = adminAt(port);
  const timer = setInterval(() => {
    for (const path of ['/metrics', '/status']) get(path).catch(() => {});
  }, EVERY * 1000);
  return {
    args: [
      ...admin,
      ...['--riemann', `127.0.0.1:${riemann.port}`, '--riemann-interval', String(EVERY)],
    ],
    stop: async () => {
      clearInterval(timer);
      await riemann.stop();
    },
  };
}
