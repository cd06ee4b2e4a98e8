import { render } from "preact";
import { hashOf, readHash } from "./address.ts";
import { App } from "./app.tsx";

const address = readHash(location.hash);
history.replaceState(null, "", hashOf(address) || location.pathname + location.search);
const page = document.getElementById("page")!;
page.replaceChildren();
render(<App address={address} />, page);
