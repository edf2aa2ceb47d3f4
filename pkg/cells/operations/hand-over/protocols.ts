import type { Protocol } from "../domain/hand-over.js";
import { move } from "./move.js";
import { newServer } from "./new-server.js";
import type { HandOver } from "./protocol.js";
import { giveBack } from "./return.js";

/** All ways from one database to another. */
export const handOvers: Readonly<Record<Protocol, HandOver>> = {
  "new-server": newServer,
  move,
  return: giveBack,
};
