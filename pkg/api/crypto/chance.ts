import { randomInt } from "node:crypto";

const DIGITS = "23456789";
const UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER = "abcdefghijkmnopqrstuvwxyz";
const RESERVATION = "abcdefghijklmnopqrstuvwxyz0123456789";

/**
 * A password of 12 characters that are not mistaken for each other, with at least one digit, one capital and
 * one small letter.
 */
export function makePassword(): string {
  const chars = [
    pick(DIGITS),
    pick(UPPER),
    pick(LOWER),
    ...Array.from({ length: 9 }, () => pick(DIGITS + UPPER + LOWER)),
  ];
  for (let i = chars.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [chars[i], chars[j]] = [chars[j] ?? "", chars[i] ?? ""];
  }
  return chars.join("");
}

/** `r-` and eight characters. */
export const makeReservationId = (): string =>
  `r-${Array.from({ length: 8 }, () => pick(RESERVATION)).join("")}`;

const pick = (from: string): string => from[randomInt(from.length)] ?? "";
