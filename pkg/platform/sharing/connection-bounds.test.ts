import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { ConnectionBounds, begin, welcome } from "./connection-bounds.js";

const numbers = { maxConnections: 100, maxConnectionsPerAddress: 100, maxConnectionsPerProject: 100 };

/** As much of a socket as is looked at. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

/** A connection that was let in, or not. */
function arrive(bounds: ConnectionBounds, address = "192.0.2.1"): Socket & FakeSocket {
  const socket = new FakeSocket(address) as unknown as Socket & FakeSocket;
  bounds.admit(socket);
  return socket;
}

/** The same, with a request that came and went. */
function known(bounds: ConnectionBounds, project = "p", address?: string): Socket & FakeSocket {
  const socket = arrive(bounds, address);
  welcome(socket, project);
  begin(socket)();
  return socket;
}

describe("the connections of a port", () => {
  it("go by the one that has been idle for longest, whenever it came", () => {
    const bounds = new ConnectionBounds({ ...numbers, maxConnections: 3 });
    const [first, second, third] = [known(bounds), known(bounds), known(bounds)];
    begin(first)(); // it was heard of last
    known(bounds);
    assert.deepEqual([first.destroyed, second.destroyed, third.destroyed], [false, true, false]);
  });

  it("never go while something is under way on them; then the new one does", () => {
    const bounds = new ConnectionBounds({ ...numbers, maxConnections: 2 });
    const [busy, other] = [known(bounds), known(bounds)];
    const end = begin(busy);
    begin(busy)();
    begin(other);
    const late = arrive(bounds);
    assert.deepEqual([busy.destroyed, other.destroyed, late.destroyed], [false, false, true]);
    end();
    end();
    arrive(bounds);
    assert.ok(busy.destroyed);
  });

  it("are few of each project: a reader with thousands that are silent takes none of another's", () => {
    const bounds = new ConnectionBounds({ ...numbers, maxConnections: 50, maxConnectionsPerProject: 10 });
    const victim = known(bounds, "victim");
    const held = Array.from({ length: 200 }, () => known(bounds, "attacker"));
    assert.equal(held.filter(({ destroyed }) => !destroyed).length, 10);
    assert.ok(
      held.slice(-10).every(({ destroyed }) => !destroyed),
      "the idlest went",
    );
    assert.equal(victim.destroyed, false);
    for (const socket of held.slice(-10)) begin(socket);
    assert.ok(known(bounds, "attacker").destroyed, "all of its own are at work");
    assert.ok(!known(bounds, "another").destroyed);
  });

  it("count by /64, and IPv4 within IPv6 as IPv4", () => {
    const bounds = new ConnectionBounds({ ...numbers, maxConnectionsPerAddress: 1 });
    const [one, two] = [arrive(bounds, "2001:db8:1:2::1"), arrive(bounds, "2001:db8:1:2:ffff::1")];
    assert.deepEqual([one.destroyed, two.destroyed], [true, false]);
    const [v4, mapped] = [arrive(bounds, "192.0.2.7"), arrive(bounds, "::ffff:192.0.2.7")];
    assert.deepEqual([v4.destroyed, mapped.destroyed], [true, false]);
    assert.ok(!arrive(bounds, "2001:db8:1:3::1").destroyed && !two.destroyed && !mapped.destroyed);
  });

  it("of a trusted proxy are nobody's", () => {
    const few = { ...numbers, maxConnectionsPerAddress: 1, maxConnectionsPerProject: 1 };
    const bounds = new ConnectionBounds(few, (address) => address === "192.0.2.9");
    const held = Array.from({ length: 5 }, () => known(bounds, "p", "192.0.2.9"));
    assert.ok(held.every(({ destroyed }) => !destroyed));
  });

  it("are told when they are idle for long", async () => {
    const bounds = new ConnectionBounds(numbers);
    const [idle, busy] = [known(bounds), known(bounds)];
    begin(busy);
    arrive(bounds); // a stranger's, which has a limit of its own
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(bounds.idleFor(10), [idle]);
    assert.deepEqual(bounds.idleFor(60_000), []);
  });
});
