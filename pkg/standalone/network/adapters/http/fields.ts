import { isIP } from "node:net";
import { z } from "zod";

/** Names, descriptions and the like: Neutron's limit is 255. */
export const shortText = z.string().max(255);

/** Neutron takes `true`, `"True"`, `1` and their like. */
export const flag = z.union([z.boolean(), z.string(), z.number()]).transform((value, issues) => {
  const word = String(value).toLowerCase();
  if (word === "true" || word === "1") return true;
  if (word === "false" || word === "0") return false;
  issues.addIssue({ code: "custom", message: `'${word.slice(0, 40)}' cannot be converted to boolean` });
  return z.NEVER;
});

/** A whole number, also as text. */
export const wholeNumber = (min: number, max: number) =>
  z
    .union([z.number(), z.string().regex(/^-?\d{1,15}$/, "not an integer")])
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));

export const ipText = z.string().max(64);

const address = ipText.refine((text) => isIP(text) !== 0, "not a valid IP address");

/** Addresses a port asks for. */
export const fixedIps = z
  .array(z.strictObject({ subnet_id: shortText.optional(), ip_address: address.optional() }))
  .max(64);

/** Free-form JSON with a bound. */
export const profile = z
  .record(z.string().max(255), z.unknown())
  .refine((value) => JSON.stringify(value).length <= 4_095, "longer than 4095 characters");
