import { follow, followToken } from "../../kernel/index.js";
import { RpcErrors } from "./errors.js";

/** What ends a call before its time: its client went away, its token ended, the server stops. */
export class CallEnd {
  readonly #controller = new AbortController();
  #clientLeft = false;
  #releases: (() => void)[] = [];

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the client is still there, to be told why its call ended. */
  get hasReader(): boolean {
    return !this.#clientLeft;
  }

  /** The client is gone, or knows already. */
  leave(): void {
    this.#clientLeft = true;
    this.#controller.abort();
    this.release();
  }

  /** The token that the call came with. */
  endWithToken(ended: AbortSignal | undefined): void {
    // A client that has left already takes nothing off again.
    if (ended && !this.#clientLeft) this.#releases.push(followToken(this.#controller, ended));
  }

  /** For calls that wait: a server that stops does not wait for what may never happen. */
  endWithServer(stopping: AbortSignal): void {
    this.#releases.push(follow(this.#controller, stopping, () => RpcErrors.GOING_AWAY({})));
  }

  /** The call is over: nothing of it stays on longer-lived signals. */
  release(): void {
    for (const release of this.#releases) release();
    this.#releases = [];
  }
}
