import { readFile } from "node:fs/promises";
import type { Ctx } from "../../kernel/index.js";
import { AgentErrors } from "../errors.js";
import type { JsonValue } from "../guestdata/index.js";
import type { DynamicTarget, VendordataConfig } from "./config.js";
import type { TokenSource, VendorData, VendorDataSubject } from "./ports.js";
import { postJson } from "./post-json.js";

const headers = { accept: "application/json", "user-agent": "openstack-nova-vendordata" };

/** @param auth  whose token goes along; undefined asks without one */
export function vendorData(config: VendordataConfig, auth: TokenSource | undefined): VendorData {
  const isOn = (provider: VendordataConfig["providers"][number]): boolean =>
    config.providers.includes(provider);
  return {
    hasFixed: isOn("StaticJSON"),
    fixed: async () =>
      !isOn("StaticJSON") ? undefined : config.jsonfilePath === "" ? {} : readJson(config.jsonfilePath),
    dynamic: async (ctx, subject) => {
      if (!isOn("DynamicJSON") || config.dynamicTargets.length === 0) return new Map();
      const ca = config.dynamicSslCertfile === "" ? undefined : await readText(config.dynamicSslCertfile);
      const question = questionAbout(subject);
      return new Map(
        await Promise.all(
          config.dynamicTargets.map(
            async (target) =>
              [
                target.name,
                await tolerant(ctx, config, target.name, () =>
                  ask(ctx, { config, target, ca, auth }, question),
                ),
              ] as const,
          ),
        ),
      );
    },
  };
}

/** Nova's request body. */
const questionAbout = (subject: VendorDataSubject): Readonly<Record<string, JsonValue>> => ({
  "project-id": subject.projectId,
  "instance-id": subject.instanceUuid,
  "image-id": subject.imageId,
  "user-data": subject.userData === "" ? null : subject.userData,
  hostname: subject.hostname,
  metadata: Object.fromEntries(subject.metadata),
  "boot-roles": subject.bootRoles.join(","),
});

async function tolerant(
  ctx: Ctx,
  config: VendordataConfig,
  name: string,
  work: () => Promise<JsonValue>,
): Promise<JsonValue> {
  try {
    return await work();
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.log.warn("vendordata.target.failed", { target: name, error });
    if (config.dynamicFailureFatal) throw AgentErrors.VENDORDATA_FAILED({}, { cause: error });
    return {};
  }
}

interface Asking {
  readonly config: VendordataConfig;
  readonly target: DynamicTarget;
  readonly ca: string | undefined;
  readonly auth: TokenSource | undefined;
}

async function ask(ctx: Ctx, { config, target, ca, auth }: Asking, question: unknown): Promise<JsonValue> {
  const post = (token: string | undefined): ReturnType<typeof postJson> =>
    postJson(target.url, question, {
      headers: token === undefined ? headers : { ...headers, "x-auth-token": token },
      signal: ctx.signal,
      connectTimeoutMs: config.dynamicConnectTimeoutMs,
      readTimeoutMs: config.dynamicReadTimeoutMs,
      ...(ca === undefined ? {} : { ca }),
    });
  const token = await auth?.token(ctx);
  let answer = await post(token);
  if (answer.status === 401 && auth !== undefined && token !== undefined) {
    auth.discard(token);
    answer = await post(await auth.token(ctx));
  }
  if (answer.status < 200 || answer.status > 299) throw new Error(`status ${answer.status}`);
  return answer.text === "" ? {} : (JSON.parse(answer.text) as JsonValue);
}

async function readJson(path: string): Promise<JsonValue> {
  const text = await readText(path);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw AgentErrors.VENDORDATA_FILE_UNUSABLE(
      {},
      { cause: new Error(`${path} is no JSON`, { cause: error }) },
    );
  }
}

const readText = (path: string): Promise<string> =>
  readFile(path, "utf8").catch((error: unknown) => {
    throw AgentErrors.VENDORDATA_FILE_UNUSABLE({}, { cause: error });
  });
