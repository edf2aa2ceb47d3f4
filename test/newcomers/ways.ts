/** How somebody comes to Kilonova. */
export interface Way {
  readonly name: string;
  readonly user: "root" | "ann";
  readonly sudo: boolean;
  readonly folder: string;
  /** Starts a second time, without any network. */
  readonly offlineAfter: boolean;
  /** What the first start must have said. */
  readonly says: readonly RegExp[];
}

const LONG = `/home/ann/${Array.from({ length: 6 }, (_, i) => `a-folder-with-a-long-name-${i}`).join("/")}`;

export const ways: readonly Way[] = [
  {
    name: "root",
    user: "root",
    sudo: false,
    folder: "/root",
    offlineAfter: true,
    says: [/Installing Debian packages: .*qemu-system-x86/, /2 qemu hosts/],
  },
  {
    name: "sudo",
    user: "ann",
    sudo: true,
    folder: "/home/ann",
    offlineAfter: false,
    says: [/Installing Debian packages: .*qemu-system-x86/, /2 qemu hosts/],
  },
  {
    name: "no-sudo",
    user: "ann",
    sudo: false,
    folder: "/home/ann",
    offlineAfter: true,
    says: [
      /Unpacking Debian packages below \.cache, without root or sudo: .*qemu-system-x86/,
      /2 qemu hosts/,
    ],
  },
  { name: "long-path", user: "ann", sudo: true, folder: LONG, offlineAfter: false, says: [/2 qemu hosts/] },
];

/** What the newcomer types; ends with 0 when all that was promised came true. */
export function typed(way: Way, portOffset: number): string {
  return `set -e
mkdir -p "${way.folder}" && cd "${way.folder}"
[ -d kilonova ] || git clone -q /project kilonova
cd kilonova
rm -f ../start.log
npm start -- --port-offset ${portOffset} > ../start.log 2>&1 & started=$!
for i in $(seq 900); do
  grep -q '^Kilonova is ready' ../start.log && break
  kill -0 $started 2>/dev/null || { cat ../start.log; echo "NOT READY: ended"; exit 1; }
  sleep 1
done
cat ../start.log
grep -q '^Kilonova is ready' ../start.log
source .kilonova/demo-openrc.sh
openstack flavor list -f value -c Name
name=vm-$RANDOM
openstack server create --image kilonova-guest --flavor m1.nano --network private --wait "$name" -f value -c status
for i in $(seq 300); do openstack console log show "$name" | grep -q BOOT-DONE && break; sleep 2; done
openstack console log show "$name" | grep -q BOOT-DONE && echo "GUEST BOOTED"
openstack server delete --wait "$name" && echo "SERVER GONE"
npx --no-install kilonova status
running() { for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -E "$1" | sed "s#^#\${p#/proc/} #" || true; done; }
kill -INT $(running '^[^ ]*node [^ ]*scripts/start.mjs' | cut -d' ' -f1)
wait $started || true
for i in $(seq 60); do [ -z "$(running 'qemu-system|postgres -D|scripts/start.mjs')" ] && break; sleep 1; done
[ -z "$(running 'qemu-system|postgres -D|scripts/start.mjs')" ] || { running 'qemu-system|postgres|start.mjs'; echo "LEFT BEHIND"; exit 1; }
echo "NEWCOMER SATISFIED"
`;
}

/** The same as root's script: makes the user when there is none, then becomes that user. */
export function asUser(way: Way, script: string): string {
  if (way.user === "root") return `export HOME=/root\n${script}`;
  const grant = way.sudo ? "echo 'ann ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ann" : "true";
  return `set -e
id ann > /dev/null 2>&1 || useradd --create-home --shell /bin/bash ann
${grant}
cat > /tmp/typed.sh <<'TYPED'
git config --global --add safe.directory '*'
${script}TYPED
chmod 755 /tmp/typed.sh
exec runuser -u ann -- env HOME=/home/ann bash /tmp/typed.sh
`;
}
