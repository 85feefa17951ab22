import { formatAddress } from './address.ts';
import { type Config, describeTarget } from './config/config.ts';
import { ConfigError, EXIT } from './config/errors.ts';
import { Forwarder } from './forward/forwarder.ts';
import { Ledger } from './forward/ledger.ts';
import type { Sink } from './forward/sink.ts';
import { Listeners } from './input/listeners.ts';
import type { Discovery } from './kafka/cluster.ts';
import { KafkaSink } from './kafka/sink.ts';
import type { Log } from './log.ts';
import type { Runtime } from './runtime/runtime.ts';
import { StdoutSink } from './stdout/sink.ts';
import { createFormat } from './syslog/format.ts';
import { findBrokers } from './zookeeper/brokers.ts';

const CLIENT_ID = 'syslogger';
/** A sender that is silent for so long after our FIN has nothing on its way to us, in ms. */
const QUIET_MS = 500;
/** What unfinished frames get to reach the sink when a stop has taken too long, in ms. */
const LAST_MS = 500;

/** What runs, and a stop has to bring to its end. */
interface Running {
  ledger: Ledger;
  forwarder: Forwarder;
  listeners: Listeners;
  sink: Sink;
}

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
  const stopAsked = onStopSignal(runtime, log, () => running);
  const running = create(config, runtime, log, () => fail(EXIT.undelivered));
  const { sink, forwarder, listeners, ledger } = running;

  runtime.onSignal('SIGUSR1', async () => {
    log.info(`SIGUSR1: looking up where ${sink.description} is`);
    try {
      await sink.rediscover();
      log.info('looked up');
    } catch (error) {
      log.warn(`looked up in vain, going on as before: ${(error as Error).message}`);
    }
  });
  // By default it would end the process at once, with all that is on its way.
  runtime.onSignal('SIGHUP', () => log.info('SIGHUP: there is nothing to read again'));

  const opened = await Promise.race([sink.open().then(() => true), stopAsked.then(() => false)]);
  if (opened) {
    try {
      for (const address of config.listen) {
        const where = await listen(listeners, address);
        log.info(`listening on ${where}, forwarding to ${sink.description}`);
      }
    } catch (error) {
      await stop(running, config, log);
      throw error;
    }
  }
  const code = await Promise.race([failed, stopAsked.then(() => stop(running, config, log))]);
  log.info(ledger.describe(forwarder.messagesInFlight));
  return code;
}

function create(config: Config, runtime: Runtime, log: Log, onBroken: () => void): Running {
  const format = createFormat(config.format);
  const maxValueBytes = format.bound(config.maxMessageBytes);
  const ledger = new Ledger();
  const sink = createSink();
  const { maxUnacknowledgedBytes, maxMessageBytes, maxConnectionUnacknowledgedBytes } = config;
  const { afterInput } = runtime;
  const forwarder = new Forwarder({ sink, ledger, maxUnacknowledgedBytes, afterInput });
  const listeners = new Listeners({
    ...{ runtime, log, ledger, forwarder, format },
    ...{ maxMessageBytes, maxUnacknowledgedBytes, maxConnectionUnacknowledgedBytes },
  });
  return { ledger, sink, forwarder, listeners };

  function createSink(): Sink {
    const { target, topic } = config;
    if (target.kind === 'stdout') {
      return new StdoutSink({
        write: runtime.writeStdout,
        maxValueBytes,
        onBroken: (error) => {
          log.error(`standard output is closed (${error.message}): nothing can be delivered`);
          onBroken();
        },
      });
    }
    const discovery: Discovery = {
      description: describeTarget(target),
      find: async () =>
        target.kind === 'brokers' ? target.addresses : findBrokers(target.ensemble),
    };
    return new KafkaSink({
      ...{ discovery, topic, log, maxValueBytes },
      clientId: CLIENT_ID,
      socketFactory: runtime.socketFactory,
      split: format.split,
    });
  }
}

async function listen(listeners: Listeners, address: Config['listen'][number]): Promise<string> {
  try {
    return await listeners.listen(address);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const where = `tcp://${formatAddress(address)}`;
    const reasons: Record<string, string> = {
      EADDRINUSE: 'the port is taken by another program: stop it, or choose another --listen',
      EACCES: 'not allowed: ports below 1024 need CAP_NET_BIND_SERVICE',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENOTFOUND: 'there is no such host name',
    };
    throw new ConfigError(`can't listen on ${where}: ${reasons[code ?? ''] ?? message}`);
  }
}

/** Resolves at the first SIGTERM or SIGINT; the second one ends the process at once. */
function onStopSignal(runtime: Runtime, log: Log, running: () => Running): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      runtime.onSignal(signal, () => {
        if (isStopping) {
          const { ledger, forwarder } = running();
          log.warn(`${signal} again: stopping at once`);
          log.info(ledger.describe(forwarder.messagesInFlight));
          runtime.exit(EXIT.undelivered);
        }
        isStopping = true;
        log.info(`${signal}: reading the senders to their end`);
        resolve();
      });
    }
  });
}

/** The cleanest stop: everything that was sent to us reaches the sink. */
async function stop(running: Running, config: Config, log: Log): Promise<number> {
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
