import type { IncomingMessage } from "node:http";
import type { Ctx } from "../../kernel/index.js";
import { plain } from "./answers.js";
import type { MetadataAnswer } from "./answers.js";
import type { MetadataProviders, Owner } from "./providers.js";
import { isSignedBy } from "./signature.js";

type Headers = Pick<IncomingMessage, "headersDistinct">;
export type Caller = Exclude<Owner, { readonly problem: string }> | { readonly refusal: MetadataAnswer };

/** @param sharedSecret  signs whom the headers name; without a right signature they say nothing */
export async function identify(
  ctx: Ctx,
  req: Headers,
  sharedSecret: string,
  providers: MetadataProviders,
): Promise<Caller> {
  return (req.headersDistinct["x-metadata-provider"] ?? []).some((value) => value !== "")
    ? byProvider(ctx, req, sharedSecret, providers)
    : byInstance(req, sharedSecret);
}

const refused = (status: number, text: string): { readonly refusal: MetadataAnswer } => ({
  refusal: plain(status, text),
});

/** A network agent's proxy knows the guest. */
function byInstance(req: Headers, sharedSecret: string): Caller {
  const instance = single(req, "X-Instance-ID");
  if ("problem" in instance) return refused(400, instance.problem);
  const signature = single(req, "X-Instance-ID-Signature");
  if ("problem" in signature) return refused(400, signature.problem);
  const tenant = single(req, "X-Tenant-ID");
  if ("problem" in tenant) return refused(400, tenant.problem);
  if (!isSignedBy(sharedSecret, instance.value, signature.value))
    return refused(403, "Invalid proxy request signature.");
  return { instanceUuid: instance.value, projectId: tenant.value };
}

/** A load balancer knows the guest's address. */
async function byProvider(
  ctx: Ctx,
  req: Headers,
  sharedSecret: string,
  providers: MetadataProviders,
): Promise<Caller> {
  const address = req.headersDistinct["x-forwarded-for"]?.[0]?.split(",")[0]?.trim() ?? "";
  if (address === "") return refused(400, "X-Forwarded-For is missing from request.");
  const provider = single(req, "X-Metadata-Provider");
  if ("problem" in provider) return refused(400, provider.problem);
  const signature = single(req, "X-Metadata-Provider-Signature");
  if ("problem" in signature || !isSignedBy(sharedSecret, provider.value, signature.value))
    return refused(403, "Invalid proxy request signature.");
  const owner = await providers.find(ctx, provider.value, address);
  return "problem" in owner ? refused(400, owner.problem) : owner;
}

/** Whoever could add a second header might speak for another guest, so exactly one must be there. */
function single(req: Headers, name: string): { readonly value: string } | { readonly problem: string } {
  const values = req.headersDistinct[name.toLowerCase()] ?? [];
  const [value] = values;
  if (value === undefined || value === "") return { problem: `${name} header is missing from request.` };
  if (values.length > 1 || value.includes(","))
    return { problem: `Multiple ${name} headers found within request.` };
  return { value };
}
