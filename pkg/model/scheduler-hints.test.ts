import assert from "node:assert/strict";
import { SchedulerHints } from "../../gen/kilonova/type/v1/scheduler_hints.js";
import { ServerSpec } from "../../gen/kilonova/type/v1/server_spec.js";
import { NAMED_HINTS, hintsByName, hintsOfObject, storedHints } from "./scheduler-hints.js";

describe("scheduler hints", () => {
  const written = {
    group: "g",
    build_near_host_ip: "192.0.2.1",
    cidr: "/24",
    query: { a: [1] },
    target_cell: "c",
    same_host: "a",
    different_host: ["b"],
    different_cell: ["d", "e"],
    mine: [1, "x", null],
    theirs: true,
  };

  it("are lists of texts by name, however they were written", () => {
    assert.deepEqual(Object.fromEntries(hintsByName(hintsOfObject(written))), {
      group: ["g"],
      build_near_host_ip: ["192.0.2.1"],
      cidr: ["/24"],
      query: ['{"a":[1]}'],
      target_cell: ["c"],
      same_host: ["a"],
      different_host: ["b"],
      different_cell: ["d", "e"],
      mine: ["1", "x", "null"],
      theirs: ["true"],
    });
  });

  it("have a name for every field but the others", () => {
    const { others: _, ...named } = SchedulerHints.fromPartial({});
    assert.equal(NAMED_HINTS.size, Object.keys(named).length);
  });

  it("are none when there is nothing", () => {
    assert.equal(hintsOfObject({}), undefined);
    assert.deepEqual(hintsByName(undefined), new Map());
    assert.equal(storedHints(ServerSpec.fromPartial({})), undefined);
  });

  it("of an older record are read from its JSON; the field counts where there is one", () => {
    const json = JSON.stringify(written);
    assert.deepEqual(
      storedHints({ schedulerHints: undefined, schedulerHintsJson: json }),
      hintsOfObject(written),
    );
    const schedulerHints = SchedulerHints.fromPartial({ group: "new" });
    assert.equal(storedHints({ schedulerHints, schedulerHintsJson: json }), schedulerHints);
  });

  it("named like something of every object are kept", () => {
    const object = JSON.parse('{"__proto__": "a", "constructor": "b"}') as Record<string, unknown>;
    assert.deepEqual(
      [...hintsByName(hintsOfObject(object))],
      [
        ["__proto__", ["a"]],
        ["constructor", ["b"]],
      ],
    );
  });
});
