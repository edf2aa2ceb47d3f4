import { z } from "zod";
import { secret } from "../../platform/config/index.js";

/** A target of dynamic vendor data: what it is called in vendor_data2.json and where it is asked. */
export interface DynamicTarget {
  readonly name: string;
  readonly url: string;
}

const target = z.string().transform((text, ctx): DynamicTarget => {
  const at = text.indexOf("@");
  const [name, url] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (name === "" || !/^https?:\/\//.test(url) || !URL.canParse(url))
    ctx.addIssue({ code: "custom", message: `"${text}" must be <name>@<http or https URL>` });
  return { name, url };
});

const targets = z
  .array(target)
  .refine(
    (all) => new Set(all.map(({ name }) => name)).size === all.length,
    "two targets have the same name",
  );

/**
 * Options of vendor data, the same for agents (config drives, guests on their switch) and the metadata
 * service. @source nova, [api]vendordata_*
 */
export const vendordataConfig = z
  .object({
    providers: z
      .array(z.enum(["StaticJSON", "DynamicJSON"]))
      .default(["StaticJSON"])
      .describe("Where vendor data comes from: `StaticJSON` a file, `DynamicJSON` services that are asked."),
    jsonfilePath: z
      .string()
      .default("")
      .describe(
        "JSON file that all guests are told (vendor_data.json, `static` in vendor_data2.json); read at each use; empty for none.",
      ),
    dynamicTargets: targets
      .default([])
      .describe(
        "Services asked about each guest, as `<name>@<url>`; each answers with a JSON document, told under its name in vendor_data2.json.",
      ),
    dynamicConnectTimeoutMs: z
      .number()
      .int()
      .min(1)
      .default(5000)
      .describe("How long connecting to such a service may take, in ms."),
    dynamicReadTimeoutMs: z
      .number()
      .int()
      .min(1)
      .default(5000)
      .describe("How long such a service may be silent, in ms."),
    dynamicFailureFatal: z
      .boolean()
      .default(false)
      .describe(
        "Whether a service that fails makes the build or the guest's request fail; otherwise its document is empty.",
      ),
    dynamicSslCertfile: z
      .string()
      .default("")
      .describe("CA certificates (PEM file) for https targets; empty uses the built-in ones."),
  })
  .describe("Vendor data: what the operator tells all guests.");

export type VendordataConfig = z.output<typeof vendordataConfig>;

/** As whom dynamic vendor data services are asked. @source nova, [vendordata_dynamic_auth] */
export const vendordataDynamicAuthConfig = z
  .object({
    authUrl: z.string().default("").describe("Identity's address; empty uses that of the services."),
    username: z
      .string()
      .default("")
      .describe("User whose token goes along as X-Auth-Token; empty asks without a token."),
    password: secret(z.string().default("")).describe("Password of that user."),
    projectName: z.string().default("service").describe("Project of that user."),
    userDomainName: z.string().default("Default").describe("Domain of that user."),
    projectDomainName: z.string().default("Default").describe("Domain of that project."),
  })
  .describe("Credentials towards dynamic vendor data services.");

export type VendordataDynamicAuthConfig = z.output<typeof vendordataDynamicAuthConfig>;
