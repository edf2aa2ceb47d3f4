import type { Answer, Place } from "./http.js";

const KEYS: Readonly<Record<number, string>> = {
  400: "badRequest",
  401: "unauthorized",
  403: "forbidden",
  404: "itemNotFound",
  405: "badMethod",
  409: "conflictingRequest",
  413: "overLimit",
  415: "badMediaType",
  429: "overLimit",
  501: "notImplemented",
  503: "serviceUnavailable",
};

type Form = (answer: Answer) => string;

/** @returns what is wrong with the form of an answer, "" when nothing is */
const object = (value: unknown, ...keys: readonly string[]): string =>
  typeof value === "object" &&
  value !== null &&
  keys.every((key) => key in value) &&
  Object.keys(value).length === keys.length
    ? ""
    : `not an object of ${keys.join(", ")}`;

/** Nova's faults: one key that belongs to the status, with code and message. */
export const fault: Form = ({ status, json, headers }) => {
  const key = KEYS[status] ?? "computeFault";
  const inner = (json as Record<string, unknown> | undefined)?.[key] as
    { code?: unknown; message?: unknown } | undefined;
  if (object(json, key) !== "") return `not one member ${key}`;
  if (
    object(inner, "code", "message") !== "" ||
    inner?.code !== status ||
    typeof inner.message !== "string" ||
    inner.message === ""
  )
    return `${key} has no code ${status} and message`;
  return headers["content-type"] === "application/json; charset=UTF-8"
    ? ""
    : `content type ${headers["content-type"]}`;
};

/** What stands in front of the API answers in forms of its own. */
const outside: Readonly<Record<string, { readonly status: number; readonly form: Form }>> = {
  "no-route": { status: 404, form: ({ json }) => object(json, "message", "code", "title") },
  "no-token": {
    status: 401,
    form: ({ json, headers }) =>
      object(json, "error") ||
      (headers["www-authenticate"]?.startsWith("Keystone uri=") ? "" : "no WWW-Authenticate"),
  },
  "too-large": {
    status: 413,
    form: ({ headers }) => (headers["content-type"]?.startsWith("text/plain") ? "" : "not plain text"),
  },
  choices: { status: 300, form: ({ json }) => object(json, "choices") },
};

/** How each service tells an error. */
const forms: Readonly<Record<Place, Form>> = {
  compute: fault,
  placement: ({ status, json }) => {
    const [error] =
      (
        json as
          | { errors?: { status?: unknown; title?: unknown; detail?: unknown; request_id?: unknown }[] }
          | undefined
      )?.errors ?? [];
    return error?.status === status &&
      typeof error.title === "string" &&
      typeof error.detail === "string" &&
      typeof error.request_id === "string"
      ? ""
      : "not one of errors[] with status, title, detail, request_id";
  },
  identity: ({ status, json }) => {
    const error = (json as { error?: { code?: unknown; title?: unknown; message?: unknown } } | undefined)
      ?.error;
    return error?.code === status && typeof error.title === "string" && typeof error.message === "string"
      ? ""
      : "not error with code, title, message";
  },
  image: ({ headers, text }) => (text !== "" && headers["content-type"] !== undefined ? "" : "no text"),
  network: ({ json }) =>
    object((json as { NeutronError?: unknown } | undefined)?.NeutronError, "type", "message", "detail"),
  metadata: ({ headers }) => (/^text\/(plain|html)/.test(headers["content-type"] ?? "") ? "" : "not text"),
};

/**
 * Compares an answer with what a row expects: `400`, `400 part of the text`, `400 /pattern/`, or the name of
 * an answer from in front of the API.
 * @returns the difference, "" when there is none
 */
export function difference(answer: Answer, expected: string, place: Place): string {
  const [head = "", ...rest] = expected.split(" ");
  const known = outside[head];
  const status = known?.status ?? Number(head);
  if (answer.status !== status) return `${answer.status} instead of ${status}`;
  if (status >= 300 || known) {
    const wrong = (known?.form ?? forms[place])(answer);
    if (wrong !== "") return wrong;
  }
  return textDiffers(answer.text, rest.join(" "));
}

function textDiffers(text: string, wanted: string): string {
  if (wanted === "") return "";
  const pattern = /^\/(.*)\/$/s.exec(wanted)?.[1];
  const plain = messageIn(text);
  return (pattern === undefined ? plain.includes(wanted) : new RegExp(pattern, "u").test(plain))
    ? ""
    : `another text than ${wanted}`;
}

/** The message without JSON's escapes, where there is one. */
function messageIn(text: string): string {
  try {
    return Object.values(JSON.parse(text) as Record<string, { message?: string }>)[0]?.message ?? text;
  } catch {
    return text;
  }
}
