import { hostname } from "node:os";

/** The machine's name without its domain: service records and the embedded hosts are named after it. */
export const machine = hostname().split(".")[0] ?? "localhost";
