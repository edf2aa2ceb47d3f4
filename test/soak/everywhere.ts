const DATABASES = ["global", "cell0", "cell1"] as const;

/** A query of each database of servers, all together. */
export const everywhere = (each: (schema: string) => string): string =>
  DATABASES.map(each).join(" UNION ALL ");
