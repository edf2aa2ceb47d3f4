import { ec2MetaData, ec2ToJson } from "./ec2.js";
import type { GuestData } from "./guest-data.js";
import { openstackDocuments } from "./openstack-documents.js";
import { ec2Versions, ec2VersionsNotOnDrive, openstackVersions } from "./versions.js";
import type { Ec2Version } from "./versions.js";

/**
 * The files of a config drive: path below the drive's root → bytes. The volume's label must be `config-2`.
 * Unlike the metadata service it tells the admin password, and it has no `password` document (nothing to post
 * to).
 *
 * @param skipVersions  EC2 versions to leave out (`[api]config_drive_skip_versions`)
 */
export function configDriveFiles(
  data: GuestData,
  randomSeed: Uint8Array,
  skipVersions: readonly Ec2Version[] = ec2VersionsNotOnDrive,
): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const version of [...ec2Versions, "latest"] as const) {
    if (version !== "latest" && skipVersions.includes(version)) continue;
    const metaData = ec2MetaData(data, version === "latest" ? "2009-04-04" : version);
    files.set(`ec2/${version}/meta-data.json`, new TextEncoder().encode(JSON.stringify(ec2ToJson(metaData))));
    if (data.userData !== undefined) files.set(`ec2/${version}/user-data`, data.userData);
  }
  for (const version of [...openstackVersions, "latest"] as const) {
    for (const [name, body] of openstackDocuments(data, version, { randomSeed, includeAdminPass: true })) {
      if (name !== "password") files.set(`openstack/${version}/${name}`, body);
    }
  }
  for (const [index, file] of (data.files ?? []).entries()) {
    files.set(`openstack/content/${index.toString().padStart(4, "0")}`, file.contents);
  }
  return files;
}
