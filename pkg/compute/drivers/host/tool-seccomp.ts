/**
 * System calls that no tool of ours needs (it reads a file and writes another), and that have let programs
 * out of cages before, or into the network. Numbers of x86-64. @source Linux
 * arch/x86/entry/syscalls/syscall_64.tbl
 */
const denied = {
  socket: 41,
  connect: 42,
  bind: 49,
  listen: 50,
  ptrace: 101,
  syslog: 103,
  personality: 135,
  vhangup: 153,
  pivot_root: 155,
  adjtimex: 159,
  chroot: 161,
  acct: 163,
  settimeofday: 164,
  mount: 165,
  umount2: 166,
  swapon: 167,
  swapoff: 168,
  reboot: 169,
  iopl: 172,
  ioperm: 173,
  init_module: 175,
  delete_module: 176,
  quotactl: 179,
  clock_settime: 227,
  mbind: 237,
  kexec_load: 246,
  add_key: 248,
  request_key: 249,
  keyctl: 250,
  move_pages: 279,
  unshare: 272,
  perf_event_open: 298,
  name_to_handle_at: 303,
  open_by_handle_at: 304,
  setns: 308,
  process_vm_readv: 310,
  process_vm_writev: 311,
  finit_module: 313,
  kexec_file_load: 320,
  bpf: 321,
  userfaultfd: 323,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  pidfd_getfd: 438,
  mount_setattr: 442,
} as const;

const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const REFUSE = 0x00050000 | 1; // EPERM
const KILL = 0x80000000;
const X86_64 = 0xc000003e;
/** Calls of the x32 ABI have this bit: other numbers for the same calls. */
const X32 = 0x40000000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** What only those need that speak with others. */
const speech: ReadonlySet<string> = new Set(["socket", "connect", "bind", "listen"]);

/**
 * A filter as the kernel takes it (classic BPF), for bubblewrap's `--seccomp`. QEMU has a filter of its own.
 * @param speaks  whether it may make sockets
 * @returns undefined on other processors than x86-64, for which no list is kept
 */
export function toolFilter(speaks = false, arch: string = process.arch): Uint8Array | undefined {
  if (arch !== "x64") return undefined;
  const numbers = Object.entries(denied).flatMap(([name, number]) =>
    speaks && speech.has(name) ? [] : [number],
  );
  const program: Instruction[] = [
    [LOAD_WORD, 0, 0, 4],
    [JUMP_IF_EQUAL, 1, 0, X86_64],
    [RETURN, 0, 0, KILL],
    [LOAD_WORD, 0, 0, 0],
    [JUMP_IF_GREATER_OR_EQUAL, numbers.length + 1, 0, X32],
    // Each jumps over the rest of the list, and over the permission behind it.
    ...numbers.map((number, i): Instruction => [JUMP_IF_EQUAL, numbers.length - i, 0, number]),
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, REFUSE],
  ];
  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(([code, ifTrue, ifFalse, operand], i) => {
    bytes.setUint16(i * 8, code, true);
    bytes.setUint8(i * 8 + 2, ifTrue);
    bytes.setUint8(i * 8 + 3, ifFalse);
    bytes.setUint32(i * 8 + 4, operand, true);
  });
  return new Uint8Array(bytes.buffer);
}
