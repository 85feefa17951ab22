/**
 * The conservation of messages: received = acknowledged + forgotten + in flight. What is in
 * flight is counted from the batches themselves, so that the sum proves something.
 */
export class Ledger {
  /** Messages taken from their senders; a part of a long frame counts as one. */
  received = 0;
  receivedBytes = 0;
  /** Messages that the sink has delivered for good. */
  acknowledged = 0;
  /** Messages given back to senders that will send them again: they were not on their way yet. */
  forgotten = 0;
  /** Messages that could not be parsed as what they claim to be; delivered all the same. */
  unparsed = 0;
  /** Messages that are part of a frame that was too long. */
  parts = 0;

  /** Whether the sum is right. @param inFlight counts the messages in open and unacknowledged batches */
  isBalanced(inFlight: number): boolean {
    return this.received === this.acknowledged + this.forgotten + inFlight;
  }

  /** @param inFlight as for {@link isBalanced} */
  describe(inFlight: number): string {
    const balance = this.isBalanced(inFlight) ? '' : ' (THE SUM IS WRONG)';
    const forgotten = this.forgotten > 0 ? ` + forgotten ${this.forgotten}` : '';
    return (
      `received ${this.received} = acknowledged ${this.acknowledged}${forgotten} + ` +
      `in flight ${inFlight}${balance}; unparsed ${this.unparsed}, parts ${this.parts}, ` +
      `bytes ${this.receivedBytes}`
    );
  }
}
