import type { Express, Request, Response } from "express";
import type { Ctx } from "../../../../kernel/index.js";
import { baseUrlOf, cors, failureHandler, httpApp } from "../../../../platform/http/index.js";
import type { FailureRenderer, HttpEnv } from "../../../../platform/http/index.js";
import type { Authenticate } from "../../../shared/auth.js";
import { requireToken } from "../../../shared/auth.js";
import { collectionSchema, imageSchema, memberSchema } from "../../domain/views.js";
import { statusOf } from "../../errors.js";
import type { ImageParts } from "../../ports.js";
import { reply } from "./common.js";
import { dataRoutes } from "./data-routes.js";
import { imageRoutes } from "./image-routes.js";
import { memberRoutes } from "./member-routes.js";

export interface ImageAppOptions extends HttpEnv {
  readonly corsOrigins?: readonly string[];
  /** Where tokens come from; told in 401s. */
  readonly identityUrl: string;
}

/** The Image v2 API as an Express app. */
export function imageApp(parts: ImageParts, options: ImageAppOptions, authenticate: Authenticate): Express {
  const app = httpApp("image", options);
  app.use(cors(options.corsOrigins ?? []));
  app.get("/", (req, res) => {
    res.status(300).json(versionsJson(req));
  });
  app.get("/versions", (req, res) => {
    res.json(versionsJson(req));
  });
  app.use("/v2", requireToken(authenticate));
  const schemas = {
    image: imageSchema,
    images: collectionSchema("images", imageSchema),
    member: memberSchema,
    members: collectionSchema("members", memberSchema),
  };
  for (const [name, schema] of Object.entries(schemas))
    app.get(`/v2/schemas/${name}`, (_req, res) => {
      res.json(schema);
    });
  app.get("/v2/info/import", (_req, res) => {
    res.json({ "import-methods": { description: "Import methods available.", type: "array", value: [] } });
  });
  app.get(
    "/v2/info/usage",
    reply(async (ctx) => ({ usage: await usageOf(parts, ctx) })),
  );
  app.use(dataRoutes(parts), memberRoutes(parts), imageRoutes(parts));
  app.use((_req, _res, next) => next(Object.assign(new Error("no such resource"), { status: 404 })));
  app.use(failureHandler(renderer(options.identityUrl), statusOf));
  return app;
}

/** A project's limits as Glance tells them, and what it has of them. */
async function usageOf({ images, ledger, limits }: ImageParts, ctx: Ctx): Promise<unknown> {
  const { projectId } = ctx.actor;
  const { images: count, bytes } = await images.usage(ctx, projectId);
  return {
    image_size_total: { limit: limits.imageSizeTotal, usage: Math.ceil(bytes / 2 ** 20) },
    image_count_total: { limit: limits.imageCountTotal, usage: count },
    image_count_uploading: { limit: limits.imageCountUploading, usage: ledger.uploading(projectId) },
  };
}

const versionsJson = (req: Request): unknown => {
  const links = [{ rel: "self", href: `${baseUrlOf(req)}/v2/` }];
  const minors = [15, 13, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
  return {
    versions: minors.map((minor, at) => ({
      id: `v2.${minor}`,
      status: at === 0 ? "CURRENT" : "SUPPORTED",
      links,
    })),
  };
};

/** Clients look at the status; those that show a text find it in either place. */
const renderer =
  (identityUrl: string): FailureRenderer =>
  (failed, _req: Request, res: Response) => {
    if (failed.status === 401) res.setHeader("WWW-Authenticate", `Keystone uri="${identityUrl}"`);
    const message =
      failed.status === 404 && failed.reason === "" ? "The resource could not be found." : failed.message;
    res.status(failed.status).json({ error: { code: failed.status, title: failed.title, message } });
  };
