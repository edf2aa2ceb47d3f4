import { z } from "zod";
import { parseUuid } from "../../../../kernel/index.js";

/** Names and descriptions: Cinder's limit is 255, and it takes the blanks at both ends off. */
export const shortText = z
  .string()
  .max(255)
  .transform((text) => text.trim());

/** Cinder takes `true`, `"True"`, `1` and their like. */
export const flag = z.union([z.boolean(), z.string(), z.number()]).transform((value, issues) => {
  const word = String(value).trim().toLowerCase();
  if (["true", "1", "t", "on", "y", "yes"].includes(word)) return true;
  if (["false", "0", "f", "off", "n", "no"].includes(word)) return false;
  issues.addIssue({ code: "custom", message: `'${word.slice(0, 40)}' is no boolean` });
  return z.NEVER;
});

/** GiB, also as text. */
export const gib = z
  .union([z.number(), z.string().regex(/^\d{1,9}$/, "not an integer")])
  .transform(Number)
  .pipe(
    z
      .number()
      .int()
      .min(1)
      .max(2 ** 31 - 1),
  );

export const uuid = z
  .string()
  .max(64)
  .transform((text, issues) => {
    const id = parseUuid(text);
    if (id !== undefined) return id;
    issues.addIssue({ code: "custom", message: "not a uuid" });
    return z.NEVER;
  });

export const MAX_PAIRS = 256;

/** Pairs of short texts. */
export const metadata = z
  .record(z.string().min(1).max(255), z.string().max(255))
  .refine((pairs) => Object.keys(pairs).length <= MAX_PAIRS, `more than ${MAX_PAIRS} keys`);

/** What a host says about itself; free-form, with a bound. */
export const connector = z
  .record(z.string().min(1).max(255), z.unknown())
  .refine((value) => JSON.stringify(value).length <= 16_384, "longer than 16384 characters");
