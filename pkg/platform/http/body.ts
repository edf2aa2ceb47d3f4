import express from "express";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { CommonErrors } from "../../kernel/index.js";
import { flawOf, isStorable } from "./storable.js";

/** Values of a query string by name, in order; a name without `=` has the value "". */
export type Query = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the query string itself: Express' parser stops at 1,000 pairs, and a list of ports by server ids may
 * have more.
 * @throws INVALID_ARGUMENT when the text holds NUL or a lone surrogate, which no database takes
 */
export function queryOf(req: Request): Query {
  const found = new Map<string, string[]>();
  const at = req.originalUrl.indexOf("?");
  if (at < 0) return found;
  for (const [name, value] of new URLSearchParams(req.originalUrl.slice(at + 1))) {
    assertText(name, "query");
    assertText(value, name);
    const known = found.get(name);
    if (known) known.push(value);
    else found.set(name, [value]);
  }
  return found;
}

/** The last value of a parameter, or undefined. */
export const lastOf = (query: Query, name: string): string | undefined => query.get(name)?.at(-1);

/** A path parameter as text. @throws INVALID_ARGUMENT as `queryOf` */
export function pathOf(req: Request, name: string): string {
  const value = req.params[name];
  const text = Array.isArray(value) ? value.join("/") : (value ?? "");
  assertText(text, name);
  return text;
}

function assertText(text: string, field: string): void {
  if (!isStorable(text))
    throw CommonErrors.INVALID_ARGUMENT({
      field: isStorable(field) ? field : "query",
      problem: "not valid text",
    });
}

/**
 * Parses JSON bodies of any content type up to `limitBytes`, and refuses text that no database can hold.
 * Streaming routes are mounted before it.
 */
export function jsonBody(limitBytes: number): RequestHandler[] {
  return [
    express.json({ limit: limitBytes, type: () => true, strict: false, inflate: false }),
    (req: Request, _res: Response, next: NextFunction): void => {
      assertStorable(req.body);
      next();
    },
  ];
}

/**
 * For services that parse bodies in their own way. @throws INVALID_ARGUMENT for text that no database can
 * hold, and for absurd nesting
 */
export function assertStorable(body: unknown): void {
  const flaw = flawOf(body);
  if (flaw !== undefined)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "body",
      problem: flaw === "text" ? "not valid text" : "nested too deeply",
    });
}
