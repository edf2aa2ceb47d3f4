import { replyEmpty, replyJson } from "../../http/api-request.js";
import type { ApiRequest } from "../../http/api-request.js";
import { nextPage, pageOf, wholePage } from "../../http/paging.js";
import { since } from "../../microversion/version.js";
import { first } from "../../http/query.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { required } from "../required.js";
import { createKeyPairRequest } from "./request.js";
import { createKeyPairBody, keyPairQuery, listKeyPairsQuery } from "./schemas.js";
import { keyPairView } from "./view.js";
import { orNone } from "../../../model/presence.js";

/** Below, lists are not cut and have no link. */
const paged = since("2.35");

const userOf = (request: ApiRequest): string | undefined => orNone(first(request.query, "user_id"));

export function keyPairRoutes({ keyPairs, lists }: Pick<ApiClients, "keyPairs" | "lists">): Operation[] {
  const [item, createdForm, show] = [keyPairView("item"), keyPairView("created"), keyPairView("show")];
  return [
    {
      route: "GET /os-keypairs",
      query: listKeyPairsQuery,
      handle: async (request) => {
        const page = pageOf(request.query);
        const { items: shown } = await wholePage(page, "keyPairs", ({ marker, ...stretch }) =>
          lists.listKeyPairs(request.ctx, {
            list: { userId: userOf(request), ...stretch },
            nova: { marker },
          }),
        );
        const shape = item.shape(request.version);
        const links = nextPage(
          "keypairs_links",
          "os-keypairs",
          shown.map((k) => ({ marker: k.name })),
          page,
          request.query,
          request.links,
        );
        return replyJson({
          keypairs: shown.map((k) => ({ keypair: shape.render(k, {}) })),
          ...(request.has(paged) ? links : {}),
        });
      },
    },
    {
      route: "GET /os-keypairs/{id}",
      query: keyPairQuery,
      handle: async (request) => {
        const { keyPair } = await keyPairs.getKeyPair(request.ctx, {
          name: request.id,
          userId: userOf(request),
        });
        return replyJson({
          keypair: show.shape(request.version).render(required(keyPair, "key pair"), {}),
        });
      },
    },
    {
      route: "POST /os-keypairs",
      body: createKeyPairBody,
      legacyBody: true,
      handle: async (request) => {
        const { keyPair, privateKey } = await keyPairs.createKeyPair(
          request.ctx,
          createKeyPairRequest(request),
        );
        return replyJson({
          keypair: createdForm.shape(request.version).render(required(keyPair, "key pair"), { privateKey }),
        });
      },
    },
    {
      route: "DELETE /os-keypairs/{id}",
      query: keyPairQuery,
      handle: async (request) => {
        await keyPairs.deleteKeyPair(request.ctx, { name: request.id, userId: userOf(request) });
        return replyEmpty;
      },
    },
  ];
}
