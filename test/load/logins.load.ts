import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { Cloud } from "../e2e/support/cloud.js";
import { tokenOf } from "../e2e/support/identity.js";
import type { LoadResult } from "./result.js";
import { percentiles, timed } from "./result.js";

const LOGINS = 30;
/** What stopped all logins for a minute once: so many that hang up at once, then a few each second. */
const HUNG_UP = 210;
const EVERY_MS = 250;

/** Passwords are guessed, with and without patience, from the address that the victim has. */
export async function run(): Promise<LoadResult> {
  const cloud = await Cloud.start({ portOffset: 21_000, args: ["--driver", "fake", "--hosts", "1"] });
  try {
    const url = `http://127.0.0.1:${cloud.port(5000)}/v3`;
    const admin = await tokenOf(cloud, "admin");
    const newUser = async (): Promise<string> => {
      const name = `victim-${randomUUID()}`;
      const made = await fetch(`${url}/users`, {
        method: "POST",
        headers: { "x-auth-token": admin, "content-type": "application/json" },
        body: JSON.stringify({ user: { name, password: "right" } }),
      });
      assert.equal(made.status, 201);
      return name;
    };
    const body = (name: string, password: string): string => {
      const user = { name, domain: { id: "default" }, password };
      return JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } } } });
    };
    const send = async (name: string, password: string): Promise<number> => {
      const answer = await fetch(`${url}/auth/tokens`, { method: "POST", body: body(name, password) });
      await answer.arrayBuffer();
      return answer.status;
    };
    const logIn = async (name: string): Promise<void> => {
      assert.equal(await send(name, "right"), 201);
    };
    /** Sends a wrong login whole, and is gone before it can be answered. */
    const hangUp = (): Promise<void> =>
      new Promise((resolve) => {
        const call = request(`${url}/auth/tokens`, { method: "POST" });
        call.on("error", () => {});
        call.on("close", resolve);
        call.end(body(randomUUID(), "wrong"), () => setTimeout(() => call.destroy(), 20));
      });

    const victim = await newUser();
    const newcomer = await newUser();
    const alone = await timed(LOGINS, () => logIn(victim));
    const answers: Promise<number>[] = [];
    await Promise.all(Array.from({ length: HUNG_UP }, hangUp));
    const attack = setInterval(() => answers.push(send(randomUUID(), "wrong")), EVERY_MS);
    const [first = Number.NaN] = await timed(1, () => logIn(newcomer));
    const attacked = await timed(LOGINS, () => logIn(victim));
    clearInterval(attack);
    const statuses = await Promise.all(answers);
    return {
      name: "logins",
      victim: { alone: percentiles(alone), attacked: percentiles(attacked) },
      facts: {
        "newcomer's first login": `${first.toFixed(0)} ms`,
        "guesses answered": statuses.length,
        "of them 429 or 503": statuses.filter((status) => status !== 401).length,
      },
    };
  } finally {
    await cloud.stop();
    cloud.forget();
  }
}
