/**
 * A whole guest in one boot sector, for tests: it writes `boot` and a newline to its serial port, obeys the
 * power button (writing `off` first), and takes orders over the serial port: `p` powers off, `r` resets,
 * anything else comes back. Boots in well under a second.
 *
 * @param deaf  never looks at the power button
 * @param says  what it writes when it boots, a few words at most
 */
export function buttonGuestDisk(deaf = false, says = "boot\n"): Uint8Array {
  const disk = new Uint8Array(1024 * 1024);
  disk.set(assemble(deaf, says));
  disk.set([0x55, 0xaa], 510);
  return disk;
}

/** mov dx,0x3f8; then for each letter: mov al,c; out dx,al */
const print = (text: string): number[] => [
  0xba,
  0xf8,
  0x03,
  ...[...Buffer.from(text)].flatMap((c) => [0xb0, c, 0xee]),
];

// ACPI's fixed registers as SeaBIOS places them on both PC machines: status 0x600, enable 0x602, control
// 0x604.
function assemble(deaf: boolean, says: string): number[] {
  const head = [
    0xfb,
    0x31,
    0xc0,
    0x8e,
    0xd8, // sti; xor ax,ax; mov ds,ax
    // mov dx,0x602; mov ax,0x100; out dx,ax   (hear the button)
    ...(deaf ? [] : [0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef]),
    ...print(says),
  ];
  // mov dx,0x604; mov ax,0x2000; out dx,ax; hlt; jmp to the hlt
  const off = [...print("off\n"), 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd];
  const reset = [0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee]; // mov dx,0xcf9; mov al,6; out dx,al
  const idle = 0xf4; // hlt: woken 18 times a second by the timer
  // Written backwards so that every jump is short and its distance is known.
  const order = [
    0xba,
    0xf8,
    0x03,
    0xec, // mov dx,0x3f8; in al,dx
    0x3c,
    0x70,
    0x75,
    off.length, // cmp al,'p'; jne +off
    ...off,
    0x3c,
    0x72,
    0x75,
    reset.length, // cmp al,'r'; jne +reset
    ...reset,
    0xba,
    0xf8,
    0x03,
    0xee, // mov dx,0x3f8; out dx,al
  ];
  // mov dx,0x3fd; in al,dx; test al,1; jz +order
  const serial = [0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, order.length, ...order];
  // mov dx,0x600; in ax,dx; test ah,1; jz +off
  const button = [0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x74, off.length, ...off];
  const loop = [idle, ...(deaf ? [] : button), ...serial];
  return [...head, ...loop, 0xeb, 256 - (loop.length + 2)]; // jmp loop
}
