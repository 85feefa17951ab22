import type { Forwarder, Sender, Share } from '../forward/forwarder.ts';
import type { Log } from '../log.ts';
import { DatagramCutter } from '../syslog/datagram.ts';
import type { Formatter } from '../syslog/format.ts';
import { Account, type SenderStatus } from './account.ts';

/** Where datagrams come from. */
export interface Source {
  /** Lets what comes wait in the kernel; absent where that can't be had. */
  pause?(): void;
  resume?(): void;
  /** How many the kernel has thrown away so far, as far as that can be known. */
  drops?(): number;
}

/** What a datagram that waits takes beside its bytes, about. */
const OVERHEAD_BYTES = 128;
/** How often the kernel is asked for what it has thrown away, in ms. */
const KERNEL_LOOK_MS = 5_000;

/** What an input of datagrams works with, and its limits. */
export interface DatagramInputOptions {
  /** Where they are to be received. */
  name: string;
  log: Log;
  forwarder: Forwarder;
  formatter: Formatter;
  /** Longer messages are forwarded in parts. */
  maxMessageBytes: number;
  /** The unacknowledged bytes, as sent, beyond which datagrams have to wait. */
  maxUnacknowledgedBytes: number;
  /** What may wait; more is lost. */
  bufferBytes: number;
  /** Nothing waits any more. */
  onEmpty: () => void;
}

/**
 * One place where datagrams come in, each of them a message. While the forwarder takes no more they
 * wait in the kernel, or here where the runtime can't let them wait there. UDP's senders can't be
 * held: what there is no room for is lost, which is counted and said.
 */
export class DatagramInput implements Sender {
  /** Where they are received. */
  name: string;
  private source: Source = {};
  private readonly options: DatagramInputOptions;
  private readonly account: Account;
  private readonly cutter: DatagramCutter;
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  /** The cutter holds a frame that was not taken yet. */
  private hasFrame = false;
  private isWaiting = false;
  private isClosing = false;
  private lostHere = 0;
  private lostBefore = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(options: DatagramInputOptions) {
    const { name, forwarder, formatter, maxUnacknowledgedBytes, maxMessageBytes } = options;
    this.options = options;
    this.name = name;
    this.account = new Account(forwarder, formatter, maxUnacknowledgedBytes);
    this.cutter = new DatagramCutter(maxMessageBytes);
    this.timer = setInterval(() => this.look(), KERNEL_LOOK_MS);
  }

  get received(): number {
    return this.account.received;
  }

  /** Datagrams that were thrown away, here or by the kernel. */
  get lost(): number {
    return this.lostHere + (this.source.drops?.() ?? 0);
  }

  get isEmpty(): boolean {
    return !this.isWaiting;
  }

  get status(): SenderStatus {
    return this.account.status('*', this.isWaiting);
  }

  /** Tells where they come from, once that is there. */
  attach(source: Source): void {
    this.source = source;
    if (this.isWaiting) source.pause?.();
  }

  /** Takes a datagram, which is ours from now on. */
  receive(datagram: Uint8Array): void {
    if (this.isWaiting) {
      this.keep(datagram);
      return;
    }
    this.cutter.push(datagram);
    this.take();
  }

  acknowledged(share: Share): void {
    if (this.account.settle(share)) this.proceed();
  }

  proceed(): void {
    if (!this.isWaiting) return;
    this.isWaiting = false;
    this.take();
    if (this.isWaiting) return;
    this.source.resume?.();
    this.options.onEmpty();
  }

  /** Only what the kernel has will come still: there is an end to that, and none of it is thrown away. */
  closing(): void {
    clearInterval(this.timer);
    this.look();
    this.isClosing = true;
  }

  private take(): void {
    const now = Date.now();
    while (this.nextFrame()) {
      if (!this.account.offer(this, this.cutter, now)) {
        this.wait();
        break;
      }
      this.hasFrame = false;
    }
    this.options.forwarder.scheduleFlush();
  }

  private wait(): void {
    this.isWaiting = true;
    this.source.pause?.();
    this.account.hold();
  }

  private nextFrame(): boolean {
    while (!this.hasFrame) {
      if (this.cutter.next()) {
        this.hasFrame = true;
      } else {
        const datagram = this.waiting.shift();
        if (datagram === undefined) return false;
        this.waitingBytes -= datagram.length + OVERHEAD_BYTES;
        this.cutter.push(datagram);
      }
    }
    return true;
  }

  private keep(datagram: Uint8Array): void {
    const bytes = datagram.length + OVERHEAD_BYTES;
    if (!this.isClosing && this.waitingBytes + bytes > this.options.bufferBytes) {
      this.lostHere += 1;
      return;
    }
    this.waitingBytes += bytes;
    this.waiting.push(datagram);
  }

  /** Says what was lost since the last look. */
  private look(): void {
    const { lost, lostBefore, name } = this;
    if (lost === lostBefore) return;
    this.lostBefore = lost;
    this.options.log.warn(
      `${name}: datagrams lost ${lost - lostBefore}, in all ${lost}: they come faster than they are ` +
        'taken, and UDP can’t be held back (--datagram-buffer; TCP or RELP lose nothing)',
    );
  }
}
