import RFB from "./novnc/core/rfb.js";

// The address names the web socket by its path, with the token in it: that is how OpenStack hands it out.
const path = new URLSearchParams(location.search).get("path") ?? "";
const address = new URL(path, new URL(".", location.href));
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const state = document.getElementById("state");
const keys = document.getElementById("keys");

function tell(name, words) {
  document.body.dataset.state = name;
  state.textContent = words;
  keys.disabled = name !== "connected";
}

if (address.host !== location.host) {
  // A token is for this proxy and nobody else.
  tell("disconnected", "This address is of no console here.");
} else {
  const screen = new RFB(document.getElementById("screen"), address.href, { shared: true });
  screen.scaleViewport = true;
  screen.focusOnClick = true;
  screen.addEventListener("connect", () => {
    tell("connected", "Connected");
    screen.focus();
  });
  screen.addEventListener("disconnect", () =>
    tell("disconnected", "The console is closed. Ask for a new address to go on."),
  );
  screen.addEventListener("desktopname", ({ detail }) => {
    if (detail.name) document.title = detail.name;
  });
  keys.addEventListener("click", () => {
    screen.sendCtrlAltDel();
    screen.focus();
  });
}
