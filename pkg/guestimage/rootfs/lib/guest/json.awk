# Flattens JSON: one line per leaf, "dotted.path<TAB>value". Line breaks inside a value become blanks, other escapes are
# undone except \uXXXX, which is left as written. Reads from the front of `text` and cuts off what it has understood.
{ text = text $0 "\n" }
END { value("") }

function blanks() { sub(/^[ \t\r\n]+/, "", text) }
function cut(n,  head) { head = substr(text, 1, n); text = substr(text, n + 1); return head }
function join(path, key) { return path == "" ? key : path "." key }

function string(  raw) {
  match(text, /^"([^"\\]|\\.)*"/)
  if (RLENGTH < 2) exit 1
  raw = cut(RLENGTH)
  raw = substr(raw, 2, length(raw) - 2)
  gsub(/\\\\/, "\001", raw); gsub(/\\"/, "\"", raw); gsub(/\\\//, "/", raw)
  gsub(/\\[nrt]/, " ", raw); gsub(/\001/, "\\", raw)
  return raw
}

function value(path,  first) {
  blanks()
  first = substr(text, 1, 1)
  if (first == "{") object(path)
  else if (first == "[") array(path)
  else if (first == "\"") print path "\t" string()
  else {
    match(text, /^[-+.a-zA-Z0-9]+/)
    if (RLENGTH < 1) exit 1
    print path "\t" cut(RLENGTH)
  }
}

function object(path,  key) {
  cut(1); blanks()
  while (text != "" && substr(text, 1, 1) != "}") {
    key = string(); blanks(); cut(1)
    value(join(path, key)); blanks()
    if (substr(text, 1, 1) == ",") { cut(1); blanks() }
  }
  cut(1)
}

function array(path,  i) {
  cut(1); blanks(); i = 0
  while (text != "" && substr(text, 1, 1) != "]") {
    value(join(path, i++)); blanks()
    if (substr(text, 1, 1) == ",") { cut(1); blanks() }
  }
  cut(1)
}
