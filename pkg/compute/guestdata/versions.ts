/**
 * OpenStack's dated document versions, oldest first; each adds to the one before. @source nova metadata
 * service
 */
export const openstackVersions = [
  "2012-08-10",
  "2013-04-04",
  "2013-10-17",
  "2015-10-15",
  "2016-06-30",
  "2016-10-06",
  "2017-02-22",
  "2018-08-27",
  "2020-10-14",
  "2025-04-04",
] as const;
export type OpenstackVersion = (typeof openstackVersions)[number];

/** What each version brought; compared as text because ISO dates sort as text. */
export const since = {
  randomSeed: "2013-04-04",
  password: "2013-04-04",
  vendorData: "2013-10-17",
  networkData: "2015-10-15",
  projectId: "2015-10-15",
  devices: "2016-06-30",
  vendorData2: "2016-10-06",
  vlan: "2017-02-22",
  vfTrusted: "2018-08-27",
  dedicatedCpus: "2020-10-14",
  shares: "2025-04-04",
} as const satisfies Record<string, OpenstackVersion>;

/** EC2's versions, oldest first. */
export const ec2Versions = [
  "1.0",
  "2007-01-19",
  "2007-03-01",
  "2007-08-29",
  "2007-10-10",
  "2007-12-15",
  "2008-02-01",
  "2008-09-01",
  "2009-04-04",
] as const;
export type Ec2Version = (typeof ec2Versions)[number];

/** What the root of the metadata service lists. */
export const ec2VersionList = [...ec2Versions, "latest"].join("\n");

/** Versions that the config drive leaves out (Nova's default of `config_drive_skip_versions`). */
export const ec2VersionsNotOnDrive: readonly Ec2Version[] = ec2Versions.slice(0, -1);
