import type { Ask } from "../test-gateway.js";

/** A REST request and the call of `api` that it must become, whole: what is not named has its default. */
export type Translation = readonly [route: string, path: string, ask: Ask, method: string, request: object];

/** A server. */
export const SERVER = "0e44cc9c-e052-415d-afbf-469b0d384170";
/** Something else with an id. */
export const OTHER = "70a599e0-31e7-49b7-b260-868f441e862b";

export const put = (body: object): Ask => ({ method: "PUT", body });
export const post = (body: object): Ask => ({ method: "POST", body });
export const asAdmin = (ask: Ask): Ask => ({ ...ask, token: "admin" });

/** Routes that the gateway answers itself. */
export const withoutCall = ["GET /", "GET /versions/{id}", "GET /extensions", "GET /extensions/{id}"];
