import { isUtf8 } from "node:buffer";
import type { Ctx } from "../../kernel/index.js";
import type { GuestData } from "../guestdata/index.js";
import { plain } from "./answers.js";
import type { MetadataAnswer } from "./answers.js";
import type { GuestDataSource } from "./ports.js";

/** Nova keeps a posted password in four pieces of at most 255 characters. */
const maxPasswordBytes = 4 * 255;

/**
 * The one thing a guest can tell: its own password, encrypted to the user's key; once, until the user clears
 * it. @source nova, os-server-password
 */
export async function answerPassword(
  ctx: Ctx,
  source: GuestDataSource,
  guest: GuestData,
  { method, body }: { readonly method: string; readonly body: Uint8Array },
): Promise<MetadataAnswer> {
  if (method !== "POST") return plain(400, "GET and POST only are supported.");
  if (guest.password !== undefined && guest.password !== "") return plain(409);
  if (body.length > maxPasswordBytes) return plain(400, "Request is too large.");
  if (!isUtf8(body)) return plain(400, "The password must be text.");
  if (body.length === 0) return plain(200, "");
  return (await source.savePassword(ctx, guest.uuid, Buffer.from(body).toString("utf8")))
    ? plain(200, "")
    : plain(409);
}
