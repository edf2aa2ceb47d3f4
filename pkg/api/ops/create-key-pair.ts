import type {
  CreateKeyPairRequest,
  CreateKeyPairResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { KeyPairType } from "../../../gen/kilonova/type/v1/key_pair.js";
import { makeSshKeys, sshFingerprint } from "../crypto/ssh-keys.js";
import { makeX509, x509Fingerprint } from "../crypto/x509.js";
import { toTimestamp } from "../../model/wire-time.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { given, oneOf, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { theUser } from "./get-key-pair.js";

const keyName = text({
  min: 1,
  pattern: /^(?! )[-_@. a-zA-Z0-9]+(?<! )$/,
  hint: "must consist of letters, digits, '-', '_', '@', '.' and inner spaces",
});

/** Imports a key, or makes a pair and tells its private half this once. */
export const createKeyPair = (parts: Parts): Guarded<CreateKeyPairRequest, CreateKeyPairResponse> =>
  guarded(
    {
      name: keyName,
      type: oneOf(KeyPairType),
      publicKey: given(text({ max: 16_384 })),
      userId: given(text()),
    },
    theUser,
    async (ctx, request, { userId }) => {
      const x509 = request.type === KeyPairType.KEY_PAIR_TYPE_X509;
      const made =
        request.publicKey !== undefined
          ? undefined
          : x509
            ? await makeX509(userId, parts.clock.now())
            : await makeSshKeys();
      const publicKey = made?.publicKey ?? request.publicKey?.trim() ?? "";
      const { keyPair } = await parts.global.createStoredKeyPair(ctx, {
        keyPair: {
          name: request.name,
          userId,
          publicKey,
          type: x509 ? KeyPairType.KEY_PAIR_TYPE_X509 : KeyPairType.KEY_PAIR_TYPE_SSH,
          fingerprint: x509 ? x509Fingerprint(publicKey) : sshFingerprint(publicKey),
          createdAt: toTimestamp(parts.clock.now()),
        },
      });
      return { keyPair, privateKey: made?.privateKey };
    },
  );
