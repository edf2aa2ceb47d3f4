/** The key of a document in the metadata tree: no query, no doubled or trailing slashes; the root is "". */
export function normalPath(path: string): string {
  const withoutQuery = path.split("?", 1)[0] ?? "";
  const parts = withoutQuery.split("/").filter((part) => part !== "" && part !== ".");
  return parts.map((part) => `/${part}`).join("");
}
