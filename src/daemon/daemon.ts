import { formatAddress } from '../address.ts';
import { adminPage } from '../admin/pages.ts';
import { type Config, isTaken } from '../config/config.ts';
import { ConfigError, EXIT } from '../config/errors.ts';
import { formatEndpoint } from '../input/endpoint.ts';
import type { Log } from '../log.ts';
import type { PortListener, Runtime } from '../runtime/runtime.ts';
import { VERSION } from '../version.ts';
import { assemble, type Running } from './assembly.ts';
import { describeStatus } from './status.ts';
import { stop } from './stop.ts';
import { openServiceManager, type ServiceManager } from './systemd.ts';

/** What the last words to Riemann may take, in ms. */
const LAST_WORDS_MS = 500;

/**
 * Runs until a signal stops it, and until then everything that was received is
 * acknowledged by the sink.
 * @returns the process's exit code
 * @throws {ConfigError} if it can't listen where it should
 */
export async function runDaemon(config: Config, runtime: Runtime, log: Log): Promise<number> {
  let fail: (code: number) => void = () => {};
  const failed = new Promise<number>((resolve) => {
    fail = resolve;
  });
  let code: number | undefined;
  const stopAsked = onStopSignal(runtime, log, () => {
    account(running, log);
    return code ?? EXIT.undelivered;
  });
  const running = assemble(config, runtime, log, () => fail(EXIT.undelivered));
  const { sink, health, riemann } = running;
  onOtherSignals(running, config, runtime, log);
  const systemd = await openServiceManager(runtime, log);
  systemd.starting(`reaching ${sink.description}`);
  const admin = await serveAdmin(config, running, runtime, log);
  riemann?.reporter.start();
  try {
    const isOpen = await Promise.race([sink.open().then(() => true), stopAsked.then(() => false)]);
    if (isOpen) await startListening(config, running, admin, systemd, log);
    const stopped = stopAsked.then(() => {
      health.isStopping();
      systemd.stopping('reading what the senders still send');
      return stop(running, config, log);
    });
    code = await Promise.race([failed, stopped]);
    await lastWords(running, code === EXIT.drained, describeAccount(running));
    account(running, log);
    return code;
  } catch (error) {
    await stop(running, config, log);
    await lastWords(running, false, (error as Error).message);
    throw error;
  } finally {
    await admin?.close();
  }
}

/** What was received and delivered, in one line: the last of the log. */
function account(running: Running, log: Log): void {
  const { ledger, forwarder } = running;
  const isBalanced = ledger.isBalanced(forwarder.messagesInFlight);
  log[isBalanced ? 'info' : 'error'](describeAccount(running));
}

function describeAccount({ ledger, forwarder, listeners }: Running): string {
  const account = ledger.describe(forwarder.messagesInFlight);
  return `${account}, connections ${listeners.accepted}`;
}

async function lastWords({ riemann }: Running, isClean: boolean, text: string): Promise<void> {
  riemann?.reporter.stop(isClean, text);
  await riemann?.client.close(LAST_WORDS_MS);
}

async function startListening(
  config: Config,
  { listeners, health, sink }: Running,
  admin: PortListener | undefined,
  systemd: ServiceManager,
  log: Log,
): Promise<void> {
  const where: string[] = [];
  for (const endpoint of config.listen) {
    const listening = listeners.listen(endpoint);
    where.push(await listening.catch((error) => refuse(formatEndpoint(endpoint), error)));
  }
  health.isRunning();
  const status = `listening on ${where.join(', ')}, forwarding to ${sink.description}`;
  const page = admin ? `; admin page at http://${formatAddress(admin.address)}` : '';
  log.info(`syslogger ${VERSION} ${status}${page}`);
  systemd.ready(status);
}

/** Serves the admin page; a daemon is not kept from its work where only the default is taken. */
async function serveAdmin(
  { admin, listen }: Config,
  running: Running,
  runtime: Runtime,
  log: Log,
): Promise<PortListener | undefined> {
  if (admin === null) return undefined;
  const where = `http://${formatAddress(admin.address)}`;
  const withoutPage = (reason: string) =>
    log.warn(`no admin page at ${where}: ${reason}; give another --admin, or none`);
  if (!admin.isGiven && isTaken(admin.address, listen)) {
    withoutPage('syslog is taken there');
    return undefined;
  }
  const { metrics, health } = running;
  const status = () => describeStatus(running, runtime);
  try {
    return await runtime.serveHttp(admin.address, (path) =>
      adminPage(path, { metrics, health, status }),
    );
  } catch (error) {
    if (admin.isGiven) return refuse(where, error as Error);
    const { code, message } = error as Error & { code?: string };
    const reason = code === 'EADDRINUSE' ? 'the port is taken' : message;
    withoutPage(reason);
    return undefined;
  }
}

/** @throws {ConfigError} that says why it can't listen there */
function refuse(where: string, error: Error): never {
  throw new ConfigError(`can't listen on ${where}: ${listenProblem(error)}`);
}

function listenProblem({ code, message }: Error & { code?: string }): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'it is taken by another program: stop it, or choose another address',
    EACCES: 'not allowed: ports below 1024 need CAP_NET_BIND_SERVICE, sockets a directory of ours',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such host name',
    ENOENT: 'there is no such directory',
    EPERM: 'not allowed',
  };
  return reasons[code ?? ''] ?? message;
}

/**
 * Resolves at the first SIGTERM or SIGINT; the second one ends the process at once.
 * @param atOnce tells the exit code then
 */
function onStopSignal(runtime: Runtime, log: Log, atOnce: () => number): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      runtime.onSignal(signal, () => {
        if (isStopping) {
          log.warn(`${signal} again: stopping at once`);
          runtime.exit(atOnce());
        }
        isStopping = true;
        log.info(`${signal}: stopping, reading what the senders still send`);
        resolve();
      });
    }
  });
}

function onOtherSignals(
  { sink, listeners }: Running,
  { listenTls }: Config,
  runtime: Runtime,
  log: Log,
): void {
  runtime.onSignal('SIGUSR1', async () => {
    log.info(`SIGUSR1: looking up again where ${sink.description} is`);
    try {
      await sink.rediscover();
      log.info('SIGUSR1: looked up');
    } catch (error) {
      log.warn(`SIGUSR1: can't look it up, going on as before: ${(error as Error).message}`);
    }
  });
  // By default it would end the process at once, with all that is on its way.
  runtime.onSignal('SIGHUP', () => {
    const rest = 'the rest of the configuration is read at the start only';
    if (listenTls === null) {
      log.info(`SIGHUP: there are no certificates to read again; ${rest}`);
      return;
    }
    try {
      listeners.renew(listenTls.readAgain());
      log.info(`SIGHUP: new connections get the certificates as they are now; ${rest}`);
    } catch (error) {
      log.error(`SIGHUP: the certificates stay as they were: ${(error as Error).message}`);
    }
  });
}
