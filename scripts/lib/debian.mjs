import { existsSync } from "node:fs";
import { inTree } from "./debian-tree.mjs";
import { run, succeeds } from "./run.mjs";

/** What each feature needs: a file that proves it is there → the package that brings it. */
const packageSets = {
  hypervisor: {
    "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
    "/usr/bin/qemu-img": "qemu-utils",
    "/usr/share/seabios": "seabios",
    "/usr/bin/xorriso": "xorriso",
    "/usr/bin/bwrap": "bubblewrap",
  },
  guestImage: {
    "/usr/bin/mcopy": "mtools",
    "/sbin/mkfs.fat": "dosfstools",
    "/usr/bin/syslinux": "syslinux",
    "/usr/lib/syslinux/mbr": "syslinux-common",
    "/sbin/mke2fs": "e2fsprogs",
    "/sbin/sfdisk": "fdisk",
    "/usr/bin/cpio": "cpio",
  },
  client: {
    "/usr/bin/openstack": "python3-openstackclient",
    "/usr/bin/nova": "python3-novaclient",
    "/usr/lib/python3/dist-packages/osc_placement": "python3-osc-placement",
  },
  tests: {
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
    "/usr/bin/etcd": "etcd-server",
    "/usr/bin/openssl": "openssl",
    "/usr/sbin/tgtd": "tgt",
    "/lib/systemd/system/run-qemu.mount": "qemu-block-extra",
    "/usr/bin/protoc": "protobuf-compiler",
    "/usr/bin/grpc_python_plugin": "protobuf-compiler-grpc",
    "/usr/lib/python3/dist-packages/grpc": "python3-grpcio",
    "/usr/lib/python3/dist-packages/pip": "python3-pip",
    "/usr/lib/python3/dist-packages/yaml": "python3-yaml",
  },
  browser: {
    "/usr/bin/chromium": "chromium",
    "/usr/bin/curl": "curl",
  },
};

/** Packages of the given sets that are neither installed nor unpacked yet. */
export const missingPackages = (sets) =>
  sets.flatMap((set) =>
    Object.entries(packageSets[set])
      .filter(([proof, name]) => !existsSync(proof) && !inTree(name))
      .map(([, name]) => name),
  );

/** Whether packages can at least be downloaded and unpacked: for users who may not install any. */
export const canUnpack = () => process.platform === "linux" && existsSync("/usr/bin/apt-get");

/** How packages can be installed here: as root, with sudo that asks nothing, or not at all. */
export function installer() {
  if (process.platform !== "linux" || !existsSync("/usr/bin/apt-get")) return undefined;
  if (process.getuid?.() === 0) return [];
  return succeeds("sudo", ["-n", "true"]) ? ["sudo", "-n"] : undefined;
}

const POLICY = "/usr/sbin/policy-rc.d";
const CLUSTER = "/etc/postgresql-common/createcluster.conf";

/**
 * Installs Debian packages without leaving a service started or enabled: PostgreSQL makes no cluster, and
 * invoke-rc.d is told to start nothing while it runs (unless the machine has such a rule of its own, which
 * stays).
 */
export async function installPackages(names, note) {
  const prefix = installer();
  if (prefix === undefined) throw new Error("no way to install Debian packages");
  const sh = (script) =>
    run(prefix[0] ?? "sh", prefix.length > 0 ? [...prefix.slice(1), "sh", "-c", script] : ["-c", script], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
      onLine: note,
    });
  const own = !existsSync(POLICY);
  try {
    if (own) await sh(`printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY}`);
    if (!existsSync(CLUSTER))
      await sh(`mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > ${CLUSTER}`);
    await sh("apt-get -q update");
    await sh(`DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install ${names.join(" ")}`);
    if (names.includes("etcd-server")) await sh("systemctl disable etcd >/dev/null 2>&1 || true");
  } finally {
    if (own) await sh(`rm -f ${POLICY}`);
  }
}
