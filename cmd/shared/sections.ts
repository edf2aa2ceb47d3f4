import { z } from "zod";
import { secret } from "../../pkg/platform/config/index.js";

/** Where OpenStack's other services are found, and as whom we ask them. */
export const identityConfig = z
  .object({
    authUrl: z.string().default("http://127.0.0.1:5000/v3").describe("Identity's address for services."),
    username: z.string().default("nova").describe("User of the services; needs the roles admin and service."),
    password: secret(z.string().default("")).describe("Password of that user."),
    projectName: z.string().default("service").describe("Project of that user."),
    userDomainName: z.string().default("Default").describe("Domain of that user."),
    projectDomainName: z.string().default("Default").describe("Domain of that project."),
    region: z
      .string()
      .default("RegionOne")
      .describe("Region whose endpoints are used; empty takes the catalog's first."),
    interface: z
      .enum(["internal", "public", "admin"])
      .default("internal")
      .describe(
        "Which endpoints of the catalog are used; for a service without such a one internal, then public.",
      ),
    tokenRevalidateMs: z
      .number()
      .int()
      .min(100)
      .max(300_000)
      .default(5_000)
      .describe(
        "How long Identity's answer about a token is believed: rights that ended are refused within this time, open streams and waits too. Each token in use costs Identity up to one and a half questions per process in this time.",
      ),
    tokenGraceMs: z
      .number()
      .int()
      .min(0)
      .max(3_600_000)
      .default(60_000)
      .describe(
        "How long after Identity's last good answer a token is still believed while Identity gives no answer; 0 refuses at once. Never counts for tokens that Identity refused.",
      ),
  })
  .describe("Identity, and through its catalog Image and Network.");

/** A list of 256-bit keys, each under a name. */
export const keyList = (doc: string) =>
  secret(z.array(z.strictObject({ id: z.string().min(1).max(64), key: z.base64() })).default([])).describe(
    doc,
  );

export const policyConfig = z
  .object({
    file: z
      .string()
      .default("")
      .describe("Policy overrides in YAML, the same for api and gateway; empty means the defaults."),
  })
  .describe("Policy.");
