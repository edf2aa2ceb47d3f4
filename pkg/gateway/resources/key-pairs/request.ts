import { CreateKeyPairRequest } from "../../../../gen/kilonova/api/v1/key_pairs_service.js";
import { KeyPairType } from "../../../../gen/kilonova/type/v1/key_pair.js";
import type { ApiRequest } from "../../http/api-request.js";
import { GatewayErrors } from "../../errors.js";
import { member, textOf } from "../../http/fields.js";
import { orNone } from "../../../model/presence.js";

/** @throws BAD_REQUEST for an empty public key: `api` would make a pair for it */
export function createKeyPairRequest(request: ApiRequest): CreateKeyPairRequest {
  const body = request.member("keypair");
  if (member(body, "public_key") === "")
    throw GatewayErrors.BAD_REQUEST({ message: "Keypair data is invalid: failed to generate fingerprint" });
  return CreateKeyPairRequest.fromPartial({
    name: textOf(body, "name") ?? "",
    publicKey: textOf(body, "public_key"),
    userId: orNone(textOf(body, "user_id")),
    type: textOf(body, "type") === "x509" ? KeyPairType.KEY_PAIR_TYPE_X509 : KeyPairType.KEY_PAIR_TYPE_SSH,
  });
}
