/**
 * Whether an error of the file system says that the path is not there. All others (EIO, EMFILE, EACCES …)
 * say that nobody knows: what they hide must not be taken for absent.
 */
const saysAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

/** What the work gives, or undefined when its path is not there. @throws what else goes wrong */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (saysAbsent(error)) return undefined;
    throw error;
  }
}

/** As `ifThere`, without waiting. */
export function ifThereSync<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (saysAbsent(error)) return undefined;
    throw error;
  }
}

/**
 * As `ifThereSync`, for paths below /proc/PID: a process that ends while its file is read makes ESRCH of it.
 */
export function ifAliveSync<T>(work: () => T): T | undefined {
  try {
    return ifThereSync(work);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
    throw error;
  }
}

/** As `ifAliveSync`, with waiting. */
export async function ifAlive<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await ifThere(work);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
    throw error;
  }
}
