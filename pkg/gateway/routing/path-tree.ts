/** What stands at the end of a path, by method. */
interface PathNode<T> {
  readonly literals: Map<string, PathNode<T>>;
  parameter: PathNode<T> | undefined;
  readonly methods: Map<string, T>;
}

const newNode = <T>(): PathNode<T> => ({ literals: new Map(), parameter: undefined, methods: new Map() });

export interface Found<T> {
  readonly target: T;
  readonly parameters: readonly string[];
}

/**
 * Finds routes by path and method. Literal segments win over parameters; matching is exact: case, and no
 * slash at the end.
 */
export class PathTree<T> {
  readonly #root: PathNode<T> = newNode();

  /** The target of a path and method; made by `make` when there is none yet. */
  at(path: string, method: string, make: () => T): T {
    let node = this.#root;
    for (const segment of path.split("/").slice(1)) {
      if (segment.startsWith("{")) node = node.parameter ??= newNode();
      else {
        let child = node.literals.get(segment);
        if (!child) node.literals.set(segment, (child = newNode()));
        node = child;
      }
    }
    let target = node.methods.get(method);
    if (target === undefined) node.methods.set(method, (target = make()));
    return target;
  }

  find(segments: readonly string[], method: string): Found<T> | undefined {
    return search(this.#root, segments, 0, method, []);
  }
}

function search<T>(
  node: PathNode<T>,
  segments: readonly string[],
  at: number,
  method: string,
  parameters: readonly string[],
): Found<T> | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    const target = node.methods.get(method);
    return target === undefined ? undefined : { target, parameters };
  }
  const literal = node.literals.get(segment);
  const found = literal && search(literal, segments, at + 1, method, parameters);
  if (found || !node.parameter || segment === "") return found;
  return search(node.parameter, segments, at + 1, method, [...parameters, segment]);
}
