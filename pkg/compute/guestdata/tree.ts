import { ec2MetaData, isFolder, renderEc2 } from "./ec2.js";
import type { Ec2Value } from "./ec2.js";
import type { GuestData } from "./guest-data.js";
import { openstackDocuments } from "./openstack-documents.js";
import { ec2VersionList, ec2Versions, openstackVersions } from "./versions.js";

/**
 * Every path that a guest may GET from the metadata service, with its answer. Folders are keys too (without
 * trailing slash, the root is ``) and hold their listing; EC2's documents are below `/ec2` too; a path that
 * is no key is a 404. Serve `*.json` as application/json, the rest as text/plain. Never holds the admin
 * password.
 *
 * @param randomSeed  512 fresh random bytes; build the tree anew for each reading of meta_data.json
 * @cost about 100 documents of a few kB each, well under a millisecond
 */
export function buildMetadataTree(data: GuestData, randomSeed: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const tree = new Map<string, Uint8Array>();
  for (const root of ["", "/ec2"]) tree.set(root, bytes(ec2VersionList));
  putOpenstack(tree, data, randomSeed);
  for (const version of [...ec2Versions, "latest"] as const) {
    const metaData = ec2MetaData(data, version === "latest" ? "2009-04-04" : version);
    for (const root of ["", "/ec2"]) putEc2(tree, `${root}/${version}`, metaData, data.userData);
  }
  return tree;
}

function putOpenstack(tree: Map<string, Uint8Array>, data: GuestData, randomSeed: Uint8Array): void {
  tree.set("/openstack", bytes([...openstackVersions, "latest"].join("\n")));
  for (const version of [...openstackVersions, "latest"] as const) {
    const documents = openstackDocuments(data, version, { randomSeed, includeAdminPass: false });
    tree.set(`/openstack/${version}`, bytes([...documents.keys()].join("\n")));
    for (const [name, body] of documents) tree.set(`/openstack/${version}/${name}`, body);
  }
  for (const [index, file] of (data.files ?? []).entries()) {
    tree.set(`/openstack/content/${index.toString().padStart(4, "0")}`, file.contents);
  }
}

function putEc2(
  tree: Map<string, Uint8Array>,
  path: string,
  metaData: Ec2Value,
  userData: Uint8Array | undefined,
): void {
  const put = (at: string, text: string): void => {
    tree.set(at, bytes(text));
  };
  put(path, userData === undefined ? "meta-data/" : "meta-data/\nuser-data");
  if (userData !== undefined) tree.set(`${path}/user-data`, userData);
  putFolder(`${path}/meta-data`, metaData, put);
}

function putFolder(path: string, value: Ec2Value, put: (path: string, text: string) => void): void {
  put(path, renderEc2(value));
  if (isFolder(value)) for (const [name, child] of value.children) putFolder(`${path}/${name}`, child, put);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
