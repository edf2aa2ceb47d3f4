/** How much of an image `qemu-img convert -p` has done by what it writes, such as `(12.34/100%)`; 0 to 1. */
export function convertedPart(text: string): number | undefined {
  const last = [...text.matchAll(/\((\d{1,3}\.\d\d)\/100%\)/g)].at(-1)?.[1];
  return last === undefined ? undefined : Math.min(100, Number(last)) / 100;
}
