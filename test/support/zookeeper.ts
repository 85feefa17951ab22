import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ensureKafka } from './install.ts';
import { startJava } from './java.ts';
import { freePort } from './ports.ts';
import type { Child } from './process.ts';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

export interface ZooKeeper {
  readonly port: number;
  /** `127.0.0.1:port`, to be followed by a chroot. */
  readonly address: string;
  /** The process that runs now. */
  child(): Child;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** Starts it again, on the same port with the same data; stops it first if it runs. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
}

/** Starts a ZooKeeper of its own and waits until it serves. */
export async function startZooKeeper(options: { port?: number } = {}): Promise<ZooKeeper> {
  const libs = await ensureKafka();
  const port = options.port ?? (await freePort());
  const dir = tempDir('zookeeper');
  const config = join(dir, 'zoo.cfg');
  mkdirSync(join(dir, 'data'));
  writeFileSync(
    config,
    `${[
      `dataDir=${join(dir, 'data')}`,
      `clientPort=${port}`,
      'clientPortAddress=127.0.0.1',
      // Sessions may be as short as two ticks, and expire on a tick.
      'tickTime=500',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      '4lw.commands.whitelist=srvr',
    ].join('\n')}\n`,
  );

  const launch = async () => {
    const child = startJava('zookeeper', {
      libs,
      mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      args: [config],
      heap: 128,
    });
    await waitFor(`ZooKeeper doesn't serve, see ${child.stderrPath}`, async () => {
      if (child.exit()) throw new Error(`ZooKeeper ended: ${child.stderr().slice(-2000)}`);
      return (await ask(port, 'srvr')).includes('Mode:');
    });
    return child;
  };

  let child = await launch();
  const stop = async () => void (await child.stop());
  return {
    port,
    address: `127.0.0.1:${port}`,
    child: () => child,
    stop,
    kill: async () => void (await child.kill()),
    restart: async () => {
      await stop();
      child = await launch();
    },
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
  };
}

/** Writes a node and the nodes above it that are missing, with ZooKeeper's own client. */
export async function createNode(
  { address }: ZooKeeper,
  path: string,
  data: string,
): Promise<void> {
  const libs = await ensureKafka();
  const names = path.slice(1).split('/');
  for (let depth = 1; depth <= names.length; depth++) {
    const node = `/${names.slice(0, depth).join('/')}`;
    const client = startJava('zookeeper-client', {
      libs,
      mainClass: 'org.apache.zookeeper.ZooKeeperMain',
      args: ['-server', address, 'create', node, ...(node === path ? [data] : [])],
      heap: 64,
    });
    const { code } = await client.exited;
    const exists = client.stderr().includes('Node already exists');
    if (code !== 0 && !exists) throw new Error(`can't create ${node}: ${client.stderr()}`);
  }
}

/** Answer to one of ZooKeeper's four-letter words, empty when there is none. */
function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(word));
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
